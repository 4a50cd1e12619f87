#include "troupe/core/clock.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace troupe {

SystemClock::SystemClock() : steady_anchor_(Steady::now()), wall_anchor_(absl::Now()) {}

absl::Time SystemClock::Now() const {
  return wall_anchor_ + absl::FromChrono(Steady::now() - steady_anchor_);
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
