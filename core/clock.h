// Clock: what time it is, behind a seam, so that tests and simulations can turn time by hand.
//
// All clocks here may be used by any thread, and Now() never goes backwards. (RoughNow() may, from one
// thread to another, by less than kRoughness.)

#ifndef TROUPE_CORE_CLOCK_H_
#define TROUPE_CORE_CLOCK_H_

#include <chrono>
#include <cstdint>

#include "absl/time/time.h"
#include "troupe/core/mutex.h"

namespace troupe {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  // For deadlines that are set by the million: not before Now(), and at most kRoughness later.
  virtual absl::Time RoughNow() const { return Now(); }

  static constexpr absl::Duration kRoughness = absl::Microseconds(100);
};

// The machine's time. absl::Now() may jump when somebody sets the wall clock, and a timer that is
// armed by it would fire an hour early or late. So this clock reads the wall once, when it is
// constructed, and from then on adds what CLOCK_MONOTONIC has moved. It prints as a familiar date
// and drifts from the wall by whatever the wall is corrected. Time the machine spends suspended
// does not count. Cost of Now(): one clock_gettime through the vDSO (some 30 ns, half of it for a
// fence). RoughNow() reads the processor's counter (12 ns), and the clock only when that says that
// the last reading of this thread may be out of date.
class SystemClock final : public Clock {
 public:
  using Steady = std::chrono::steady_clock;  // CLOCK_MONOTONIC, what futexes take as a deadline

  SystemClock();

  absl::Time Now() const override;
  absl::Time RoughNow() const override;

  // The same instant on the steady clock; Steady::time_point::max() for anything more than a
  // century ahead.
  Steady::time_point ToSteady(absl::Time t) const;

 private:
  static uint64_t NextNumber();

  const Steady::time_point steady_anchor_;
  const absl::Time wall_anchor_;
  const uint64_t number_;  // of this clock: no other has had it
};

// Time that moves only when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start = absl::UnixEpoch()) : now_(start) {}

  absl::Time Now() const override;

  void Advance(absl::Duration by);  // negative: ignored, time does not go back
  void AdvanceTo(absl::Time to);    // earlier than Now(): ignored

 private:
  mutable Mutex mutex_;  // mutable: Now() is const and takes it
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_CORE_CLOCK_H_
