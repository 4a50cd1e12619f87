// ./bazelw run //examples:timers
//
// An egg timer: a message later (SendAfter), a message again and again (SendEvery), and how to take
// either back (Cancel).
#include <iostream>

#include "troupe/troupe.h"

struct Tick {};
struct Ring {};
struct Burnt {};

class EggTimer {
 public:
  // Called before the first message. Timers send to anybody; an actor often means itself.
  void OnStart(troupe::Context& self) {
    ticking_ = self.SendEvery(absl::Milliseconds(100), self.ref(this), Tick{});
    burning_ = self.SendAfter(absl::Hours(1), self.ref(this), Burnt{});
  }

  void On(Tick, troupe::Context& self) {
    if (ticks_ == 3) return;  // sent before the Cancel below, and in the mailbox already
    std::cout << "tick " << ++ticks_ << "\n";
    if (ticks_ < 3) return;
    ticking_.Cancel();
    self.SendAfter(absl::Milliseconds(100), self.ref(this), Ring{});
  }

  void On(Ring, troupe::Context& self) {
    bool in_time = burning_.Cancel();  // true: it will never be sent
    std::cout << "ring! " << (in_time ? "The eggs are fine." : "The eggs are burnt.") << "\n";
    self.Stop();  // would have cancelled all timers of this actor, too
  }

  void On(Burnt) { std::cout << "what is that smell?\n"; }

 private:
  int ticks_ = 0;
  troupe::TimerHandle ticking_;
  troupe::TimerHandle burning_;
};

int main() {
  troupe::System system;
  auto timer = system.Spawn<EggTimer>();
  return system.Join(timer).ok() ? 0 : 1;  // waits until it has rung
}
