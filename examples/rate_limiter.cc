// ./bazelw run //examples:rate_limiter
//
// A token bucket as an actor: one request each `period` on average, `burst` at once. A request takes a
// token and goes on; without one it waits its turn, and one that would wait behind too many is refused.
// One timer, and only while somebody waits.
#include <algorithm>
#include <iostream>
#include <utility>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

// Asked before each call of what is to be protected.
struct Acquire {
  using Reply = void;
};

struct Drip {};  // to itself

// Counts in time: each `period` fills one token, and `credit` is what has been filled and not taken.
class RateLimiter {
 public:
  RateLimiter(absl::Duration period, int burst, uint32_t most_waiting)
      : period_(period), most_credit_(period * burst), waiting_(most_waiting) {}

  void On(Acquire m, troupe::Reply<void> reply, troupe::Context& self) {
    const absl::Time now = self.Now();
    credit_ = std::min(credit_ + (now - std::exchange(filled_at_, now)), most_credit_);
    if (credit_ >= period_ && !timer_runs_) {  // else somebody was here before
      credit_ -= period_;
      return reply.Send();
    }
    waiting_.Add(m, std::move(reply), self);  // full: kResourceExhausted
    if (!std::exchange(timer_runs_, true)) {
      self.SendAfter(period_ - credit_, self.ref(this), Drip{});
    }
  }
  void On(Drip, troupe::Context& self) {
    timer_runs_ = false;
    waiting_.PutBack(self);  // the oldest takes the token, the others wait again
  }

 private:
  const absl::Duration period_, most_credit_;
  absl::Duration credit_;
  absl::Time filled_at_ = absl::InfinitePast();  // begins full
  bool timer_runs_ = false;
  troupe::Stash<RateLimiter> waiting_;
};

struct Call {
  int number;
};

int main() {
  troupe::ManualScheduler loop({.start = absl::UnixEpoch()});
  troupe::System system({.scheduler = &loop});
  auto limiter = system.Spawn<RateLimiter>(absl::Milliseconds(500), 3, 4u);  // 4 may wait
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
