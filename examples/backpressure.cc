// ./bazelw run //examples:backpressure
//
// A mailbox with room for 3 messages is sent 8. What happens to the other 5 is the policy of the
// receiver: wait, refuse, drop the newest, drop the oldest.
#include <cstdio>
#include <map>
#include <string>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct Reading {
  int number;
};
struct Handled {
  using Reply = std::string;
};

class Archive {
 public:
  void On(Reading reading) { handled_ += " " + std::to_string(reading.number); }
  std::string On(Handled) { return handled_; }

 private:
  std::string handled_;
};

void Try(const char* name, troupe::WhenFull policy) {
  // Here actors run only when the scheduler is turned. So the receiver stands still while its
  // mailbox fills, and the numbers are the same every time.
  troupe::ManualScheduler scheduler;
  troupe::System system({.scheduler = &scheduler});
  auto archive = system.Spawn<Archive>({.capacity = 3, .when_full = policy});

  std::map<troupe::SendResult, int> results;
  for (int number = 1; number <= 8; ++number) ++results[archive.Send(Reading{number})];
  scheduler.RunUntilIdle();

  // Send told the sender: queued, refused or dropped. What did not arrive is counted as a dead
  // letter too, for those who do not look at the result.
  std::printf("%-12s %6d %7d %7d %12d   %s\n", name, results[troupe::SendResult::kQueued],
              results[troupe::SendResult::kFull], results[troupe::SendResult::kDropped],
              static_cast<int>(system.stats().dead_letters_total()),
              archive.Ask(Handled{}).Wait()->c_str());
}

int main() {
  std::printf("policy       queued refused dropped dead letters   handled\n");
  Try("kBlock", troupe::WhenFull::kBlock);            // slows the sender down until there is room
  Try("kFail", troupe::WhenFull::kFail);              // the sender is told and can decide
  Try("kDropNewest", troupe::WhenFull::kDropNewest);  // what is there counts more
  Try("kDropOldest", troupe::WhenFull::kDropOldest);  // what is new counts more
}
