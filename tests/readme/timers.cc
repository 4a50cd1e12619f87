// Timers.
#include <iostream>

#include "troupe/troupe.h"

// clang-format off
// ---- README
struct Blink {};
struct Off {};

struct Lamp {
  troupe::TimerHandle blinking;
  void OnStart(troupe::Context& self) {
    blinking = self.SendEvery(absl::Milliseconds(10), self.ref(this), Blink{});
    self.SendAfter(absl::Milliseconds(35), self.ref(this), Off{});
  }
  void On(Blink) { std::cout << "blink\n"; }     // a timer is a message: no callback, no lock
  void On(Off, troupe::Context& self) {
    blinking.Cancel();                           // needed no more: the timers end with their actor
    self.Stop();
  }
};
// ---- README
// clang-format on

#include "troupe/runtime/manual_scheduler.h"

int main() {
  troupe::ManualScheduler loop;  // so that three blinks are three, however slow the machine
  troupe::System system({.scheduler = &loop});
  auto lamp = system.Spawn<Lamp>();
  loop.Advance(absl::Milliseconds(100));
  return system.stats().live == 0 && lamp ? 0 : 1;
}
