// ./bazelw run //examples:bulletin_board
//
// Publish and subscribe: a board (a topic), readers who come and go, and a
// latecomer who first gets the notice that still hangs there.
#include <iostream>
#include <string>
#include <utility>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct Notice {
  std::string text;
};

class Reader {
 public:
  Reader(std::string name, troupe::Topic<Notice> board, troupe::Retained retained)
      : name_(std::move(name)), board_(board), retained_(retained) {}

  // An actor subscribes itself. When it ends the board forgets it.
  void OnStart(troupe::Context& self) { board_.Subscribe(self.ref(this), retained_); }

  void On(const Notice& notice) { std::cout << name_ << " reads: " << notice.text << "\n"; }

 private:
  const std::string name_;
  const troupe::Topic<Notice> board_;
  const troupe::Retained retained_;
};

int main() {
  // Turned by hand, so that what is printed has an order; with the system's own
  // threads the readers would print at once.
  troupe::ManualScheduler loop;
  troupe::System system({.scheduler = &loop});

  auto board = troupe::SpawnTopic<Notice>(system);
  auto ann = system.Spawn<Reader>("Ann", board, troupe::Retained::kSkip);
  auto ben = system.Spawn<Reader>("Ben", board, troupe::Retained::kSkip);
  loop.RunUntilIdle();

  board.Publish(Notice{"lost: one hat"});
  board.Publish(Notice{"found: one hat"});
  loop.RunUntilIdle();

  ann.Stop();
  board.Unsubscribe(ben);
  system.Spawn<Reader>("Cleo", board, troupe::Retained::kDeliver);
  loop.RunUntilIdle();

  board.Publish(Notice{"the hat is on its head again"});
  loop.RunUntilIdle();
}
