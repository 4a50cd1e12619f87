// CoarseClock: a time stamp that costs one load. Somebody who passes by often enough (a worker
// between activations) refreshes it; everybody else reads how many milliseconds have passed since
// it was made. Good for ages and "since when" in statistics; too coarse for deadlines, which ask a
// Clock.
//
//   Operation   Who         Effect
//   Refresh     any thread  moves the stamp to the clock's time; never backwards
//   NowMs       any thread  the stamp; as old as the last Refresh
//
// Visibility  None: reading a stamp orders nothing else.

#ifndef TROUPE_CORE_COARSE_CLOCK_H_
#define TROUPE_CORE_COARSE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "troupe/core/clock.h"

namespace troupe {

class CoarseClock {
 public:
  explicit CoarseClock(const Clock& clock) : start_(clock.Now()) {}

  // `clock` must be the one given to the constructor. Writes only when the millisecond has changed,
  // so that threads which refresh all the time do not fight over the cache line.
  void Refresh(const Clock& clock) {
    const int64_t now_ms = absl::ToInt64Milliseconds(clock.Now() - start_);
    // Relaxed throughout: the number stands for itself.
    int64_t seen_ms = now_ms_.load(std::memory_order_relaxed);
    while (seen_ms < now_ms &&
           !now_ms_.compare_exchange_weak(seen_ms, now_ms, std::memory_order_relaxed)) {
    }
  }

  // Relaxed: as in Refresh.
  int64_t NowMs() const { return now_ms_.load(std::memory_order_relaxed); }

  absl::Time start() const { return start_; }

 private:
  const absl::Time start_;
  std::atomic<int64_t> now_ms_{0};
};

}  // namespace troupe

#endif  // TROUPE_CORE_COARSE_CLOCK_H_
