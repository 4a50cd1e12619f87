// A system in somebody else's loop, with its own time.
#include <iostream>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

// clang-format off
// ---- README
struct Ring {};

int main() {
  troupe::ManualScheduler loop;                  // no threads: this one runs the actors
  troupe::System system({.scheduler = &loop});
  auto clock = system.Spawn([](Ring) { std::cout << "ring\n"; });   // one function is an actor, too
  system.SendAfter(absl::Hours(8), clock, Ring{});

  loop.RunUntilIdle();                           // what there is to do now
  std::cout << "asleep\n";
  loop.Advance(absl::Hours(8));                  // eight hours of timers, at once
}
// ---- README
