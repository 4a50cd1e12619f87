// ./bazelw run //examples:sleeping_barber
//
// Dijkstra's sleeping barber: one barber, a waiting room with three chairs. Who finds all chairs taken
// goes away; a barber without customers sleeps until one comes. The chairs are a Stash: bounded, first
// come first served, and who waits there is a question that has not been answered.
#include <iostream>
#include <string>
#include <utility>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct Haircut {
  using Reply = std::string;
  std::string who;
};
struct Done {
  std::string who;
  troupe::Reply<std::string> reply;
};
struct Nobody {};

class Barber {
 public:
  void OnStart(troupe::Context& self) {
    self.SendWhenIdle(absl::Minutes(30), self.ref(this), Nobody{});
  }
  void On(Haircut order, troupe::Reply<std::string> reply, troupe::Context& self) {
    if (busy_) {  // a chair, or kResourceExhausted
      chairs_.Add(std::move(order), std::move(reply), self);
      return;
    }
    std::cout << "cutting " << order.who << "\n";
    busy_ = true;
    self.SendAfter(absl::Minutes(20), self.ref(this), Done{order.who, std::move(reply)});
  }
  void On(Done done, troupe::Context& self) {
    done.reply.Send("looks fine");
    busy_ = false;
    chairs_.PutBack(self);  // the first is served, the others sit down again
  }
  void On(Nobody) { std::cout << "sleeping\n"; }

 private:
  bool busy_ = false;
  troupe::Stash<Barber> chairs_{3};
};

struct Enter {
  std::string who;
};

int main() {
  troupe::ManualScheduler loop;
  troupe::System system({.scheduler = &loop});
  auto barber = system.Spawn<Barber>();
  auto street = system.Spawn([barber](Enter m, troupe::Context& self) {
    barber.Ask(Haircut{m.who}, absl::Hours(3)).Then(self, [m](absl::StatusOr<std::string> result) {
      std::cout << m.who << (result.ok() ? " " + *result : " finds no chair") << "\n";
    });
  });

  loop.Advance(absl::Minutes(45));
  for (const char* who : {"Ann", "Bob", "Cleo", "Dan", "Eve"}) street.Send(Enter{who});
  loop.Advance(absl::Hours(3));
  street.Send(Enter{"Eve"});
  loop.Advance(absl::Minutes(20));
}
