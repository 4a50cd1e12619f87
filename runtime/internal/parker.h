// Parker: where one thread sleeps until somebody wakes it.
//
//   Operation   Who          Effect
//   Park        the owner    sleep until Unpark or the deadline; returns at once if Unpark came
//                            since the last Park
//   Unpark      any thread   make the next (or present) Park return; several before it count as one
//   BeginElsewhere  the owner  it is about to wait in something else; false: Unpark came since the last Park
//   EndElsewhere    the owner  it does not any more. An Unpark that came meanwhile is for the next Park
//
// K1  The word is kEmpty, kParked (the owner sleeps or is about to), kElsewhere (it waits where Unpark
//     cannot wake it) or kNotified. Only the owner writes kParked and kElsewhere and takes kNotified away,
//     so an Unpark is never lost, and one that finds the owner awake makes no system call.
#ifndef TROUPE_RUNTIME_INTERNAL_PARKER_H_
#define TROUPE_RUNTIME_INTERNAL_PARKER_H_

#include <atomic>
#include <cstdint>

#include "troupe/core/futex.h"

namespace troupe::internal {

class Parker {
 public:
  // False: the deadline has passed and nobody has called Unpark.
  bool Park(SteadyTime deadline = kNoDeadline) {
    uint32_t seen = kEmpty;
    // Acquire: what the waker did before Unpark. Pairs with the release there; as do the exchanges
    // below.
    if (word_.compare_exchange_strong(seen, kParked, std::memory_order_acquire)) {
      bool in_time = true;
      while (in_time && word_.load(std::memory_order_acquire) == kParked)
        in_time = FutexWait(word_, kParked, deadline);
    }
    return word_.exchange(kEmpty, std::memory_order_acquire) == kNotified;
  }

  // True: the owner waits elsewhere, from where the caller has to call it.
  bool Unpark() {
    // Release: what is to be seen by the owner after Park.
    const uint32_t was = word_.exchange(kNotified, std::memory_order_release);
    if (was == kParked) FutexWake(word_, 1);
    return was == kElsewhere;
  }

  [[nodiscard]] bool BeginElsewhere() { return Replace(kEmpty, kElsewhere); }
  void EndElsewhere() { Replace(kElsewhere, kEmpty); }

 private:
  static constexpr uint32_t kEmpty = 0;
  static constexpr uint32_t kParked = 1;
  static constexpr uint32_t kNotified = 2;
  static constexpr uint32_t kElsewhere = 3;

  // Relaxed: what an Unpark is to show is seen by the Park that returns for it.
  bool Replace(uint32_t from, uint32_t to) {
    return word_.compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

  std::atomic<uint32_t> word_{kEmpty};
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_PARKER_H_
