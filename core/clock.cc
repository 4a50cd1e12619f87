#include "troupe/core/clock.h"

#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include <algorithm>
#include <cstdint>

#include "absl/time/clock.h"

namespace troupe {

SystemClock::SystemClock() : steady_anchor_(Steady::now()), wall_anchor_(absl::Now()) {}

absl::Time SystemClock::Now() const {
  return wall_anchor_ + absl::FromChrono(Steady::now() - steady_anchor_);
}

namespace {

#ifdef __x86_64__
// A reading of the steady clock and of the time stamp counter at that time.
struct Reading {
  uint64_t ticks = 0;
  SystemClock::Steady::time_point time;
};

// Less than kRoughness at any rate above 0.66 GHz, and x86-64 counts at 1 GHz or more. Where the
// counters of two cores differ a reading is taken for old, and the clock read again.
constexpr uint64_t kFreshTicks = 65'536;

SystemClock::Steady::time_point LastReading() {
  // thread_local: so that nobody has to share it. constinit, as everywhere on this path.
  static constinit thread_local Reading last;
  const uint64_t ticks = __rdtsc();
  if (ticks - last.ticks >= kFreshTicks) last = {ticks, SystemClock::Steady::now()};
  return last.time;
}
#else
SystemClock::Steady::time_point LastReading() { return SystemClock::Steady::now(); }
#endif

}  // namespace

absl::Time SystemClock::RoughNow() const {
  // What was read is at most that old, so this is not before now.
  return wall_anchor_ + absl::FromChrono(LastReading() - steady_anchor_) + kRoughness;
}

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
