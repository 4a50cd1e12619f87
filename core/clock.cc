#include "troupe/core/clock.h"

#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/time/clock.h"

namespace troupe {

SystemClock::SystemClock()
    : steady_anchor_(Steady::now()), wall_anchor_(absl::Now()), number_(NextNumber()) {}

absl::Time SystemClock::Now() const {
  return wall_anchor_ + absl::FromChrono(Steady::now() - steady_anchor_);
}

#ifdef __x86_64__

namespace {

// What a thread last read, from which clock, and the time stamp counter then.
struct Reading {
  uint64_t ticks = 0;
  uint64_t clock = 0;
  absl::Time time;
};

// Less than kRoughness at any rate above 0.66 GHz, and x86-64 counts at 1 GHz or more. Where the
// counters of two cores differ, which kernels know as an unstable counter and hardware of this
// century hardly does, a thread that changes cores may be that much off.
constexpr uint64_t kFreshTicks = 65'536;

}  // namespace

absl::Time SystemClock::RoughNow() const {
  // thread_local: so that nobody has to share it. constinit, as everywhere on this path.
  static constinit thread_local Reading last;
  const uint64_t ticks = __rdtsc();
  if (ticks - last.ticks >= kFreshTicks || last.clock != number_) [[unlikely]] {
    // What is read now is at most that old when it is used, so the sum is not before that.
    last = {ticks, number_, Now() + kRoughness};
  }
  return last.time;
}

uint64_t SystemClock::NextNumber() {
  static constinit std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: only distinct
}

#else

absl::Time SystemClock::RoughNow() const { return Now(); }

uint64_t SystemClock::NextNumber() { return 0; }

#endif

SystemClock::Steady::time_point SystemClock::ToSteady(absl::Time t) const {
  // ToChronoNanoseconds saturates; half the range on either side keeps the sum below from
  // overflowing.
  constexpr absl::Duration kRange = absl::Hours(24 * 365 * 100);
  const absl::Duration after_anchor = t - wall_anchor_;
  if (after_anchor > kRange) return Steady::time_point::max();
  return steady_anchor_ + absl::ToChronoNanoseconds(std::max(after_anchor, -kRange));
}

absl::Time ManualClock::Now() const {
  MutexLock lock(mutex_);
  return now_;
}

void ManualClock::Advance(absl::Duration by) {
  MutexLock lock(mutex_);
  now_ += std::max(by, absl::ZeroDuration());
}

void ManualClock::AdvanceTo(absl::Time to) {
  MutexLock lock(mutex_);
  now_ = std::max(now_, to);
}

}  // namespace troupe
