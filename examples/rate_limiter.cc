// ./bazelw run //examples:rate_limiter
//
// A token bucket as an actor: `rate` requests a second on average, `burst` at once. A request takes a
// token and goes on; without one it waits its turn, and one that would wait behind too many is refused.
// One timer, and only while somebody waits.
#include <algorithm>
#include <iostream>
#include <string>
#include <utility>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

// Asked before each call of what is to be protected.
struct Acquire {
  using Reply = void;
};

class RateLimiter {
 public:
  RateLimiter(double rate, double burst, uint32_t most_waiting)
      : rate_(rate), burst_(burst), tokens_(burst), waiting_(most_waiting) {}

  void OnStart(troupe::Context& self) { filled_at_ = self.Now(); }

  void On(Acquire m, troupe::Reply<void> reply, troupe::Context& self) {
    Fill(self);
    if (tokens_ >= 1) {
      tokens_ -= 1;
      return reply.Send();
    }
    waiting_.Add(m, std::move(reply), self);  // full: kResourceExhausted
    if (!std::exchange(timer_runs_, true)) {
      self.SendAfter(absl::Seconds((1 - tokens_) / rate_), self.ref(this), Drip{});
    }
  }

 private:
  // Private, so that only this actor can send it; which is why its handler is public.
  struct Drip {};

 public:
  void On(Drip, troupe::Context& self) {
    timer_runs_ = false;
    waiting_.PutBack(self);  // the oldest takes the token, the others wait again
  }

 private:
  void Fill(troupe::Context& self) {
    const absl::Time now = self.Now();
    const double drops = rate_ * absl::ToDoubleSeconds(now - filled_at_);
    tokens_ = std::min(burst_, tokens_ + drops + 1e-9);  // a timer is exact, a double is not
    filled_at_ = now;
  }

  const double rate_, burst_;
  double tokens_;
  absl::Time filled_at_;
  bool timer_runs_ = false;
  troupe::Stash<RateLimiter> waiting_;
};

struct Call {
  int number;
};

int main() {
  troupe::ManualScheduler loop({.start = absl::UnixEpoch()});
  troupe::System system({.scheduler = &loop});
  auto limiter = system.Spawn<RateLimiter>(2.0, 3.0, 4u);  // 2 a second, 3 at once, 4 may wait
  auto client = system.Spawn([limiter](Call call, troupe::Context& self) {
    limiter.Ask(Acquire{}).Then(self, [call](absl::Status status, troupe::Context& self) {
      std::cout << absl::FormatTime("%E1S s  call ", self.Now(), absl::UTCTimeZone()) << call.number
                << (status.ok() ? " goes on" : " is refused") << "\n";
    });
  });

  for (int number = 1; number <= 8; ++number) client.Send(Call{number});
  loop.Advance(absl::Seconds(10));
  client.Send(Call{9});
  loop.RunUntilIdle();
}
