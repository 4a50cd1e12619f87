// Patience: how long it pays to look for something before one sleeps, learnt from how long it took
// before.
//
//   Operation   Who         Effect
//   Look        any thread  until it is there (true), or for as long as it pays (false)
//   Learn       any thread  how long a wait took in the end, asleep or not
//
// To sleep and be woken takes some 5 us, on a virtual machine 50. If both sides of a queue sleep
// whenever they find nothing, each fills or empties the queue while the other is being woken, and then
// sleeps itself: for ever, at one queue's length a wake-up. So whoever would have had it within what a
// wake-up takes looks so long the next time; whose waits are longer gives up at once. (Karlin, Li,
// Manasse and Owicki, "Empirical studies of competitive spinning for a shared-memory multiprocessor",
// SOSP 1991.)
//
// Between two looks it steps back, since each takes a line away from the other side, which is busy with
// it; and what has come meanwhile comes at once.
#ifndef TROUPE_ACTORS_INTERNAL_PATIENCE_H_
#define TROUPE_ACTORS_INTERNAL_PATIENCE_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "troupe/core/pause.h"

namespace troupe::internal {

// Steps back, looks, and so on, until there is something and it is either enough or grows no more. The
// steps grow while it does: who sends one message and waits for its answer is not kept waiting, and one
// who sends many is left alone. `count`: how much is there.
template <class F>
bool LookFor(std::chrono::nanoseconds limit, F count) {
  constexpr uint64_t kEnough = 32;
  constexpr int kFirstStep = 4;     // pauses: 80 to 160 ns
  constexpr int kLongestStep = 64;  // 1 to 3 us
  const auto until = std::chrono::steady_clock::now() + limit;
  uint64_t before = 0;
  int step = kFirstStep;
  do {
    for (int i = 0; i < step; ++i) Pause();
    const uint64_t now = count();
    if (now >= kEnough || (now > 0 && now <= before)) return true;
    step = now > 0 ? std::min(2 * step, kLongestStep) : kFirstStep;
    before = now;
  } while (before > 0 || std::chrono::steady_clock::now() < until);
  return false;
}

class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  template <class F>
  bool Look(F count) const {
    // Relaxed: a guess that makes nothing wrong.
    return LookFor(std::chrono::nanoseconds(limit_ns_.load(std::memory_order_relaxed)), count);
  }

  void Learn(Clock::duration took) {
    const int64_t ns = std::chrono::nanoseconds(took).count();
    const int64_t limit = ns > kTooLong ? kLeast : std::clamp(2 * ns, kLeast, kMost);
    // Relaxed, both: as in Look. Not written if it is the same, to leave the line with others.
    if (limit_ns_.load(std::memory_order_relaxed) != limit) {
      limit_ns_.store(limit, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr int64_t kLeast = 2'000;
  static constexpr int64_t kMost = 100'000;
  static constexpr int64_t kTooLong = 200'000;

  std::atomic<int64_t> limit_ns_{kMost / 2};
};

// The same for a coroutine, which keeps its worker from others meanwhile: for no longer than it takes to
// suspend and to be scheduled again, and where that was in vain not the next few times.
class Glances {
 public:
  template <class F>
  bool Look(F count) {
    // Relaxed, all: guesses.
    const uint32_t left = left_out_.load(std::memory_order_relaxed);
    if (left > 0) {
      left_out_.store(left - 1, std::memory_order_relaxed);
      return false;
    }
    const bool found = LookFor(std::chrono::nanoseconds(1000), count);
    // Relaxed, all: as above.
    const uint32_t in_vain = found ? 0 : std::min(in_vain_.load(std::memory_order_relaxed) + 1, 7u);
    in_vain_.store(in_vain, std::memory_order_relaxed);
    if (!found) left_out_.store(1u << in_vain, std::memory_order_relaxed);
    return found;
  }

 private:
  std::atomic<uint32_t> in_vain_{0};
  std::atomic<uint32_t> left_out_{0};
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_PATIENCE_H_
