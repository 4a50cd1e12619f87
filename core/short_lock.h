// ShortLock: a mutex for sections of a few dozen instructions that several threads want at the same
// time.
//
//   Operation   Who                  Effect
//   Lock        any thread           until nobody else holds it: looks for a while, then sleeps
//   Unlock      the one who holds it
//
//   ShortLock lock_;
//   int count_ ABSL_GUARDED_BY(lock_);
//   ...
//   const ShortLockHolder lock(lock_);
//   ++count_;
//
// Take it where a lock is taken per message. Nothing may block while it is held, and no code of the
// user's may run. Everywhere else take Mutex (mutex.h), which is std::mutex.
//
// Cost  Free: one interlocked instruction each way, in line: half of what pthread's takes. Contended:
//       whoever holds it is usually done within what a look takes, so nobody goes to the kernel.
//
// The third mutex of Ulrich Drepper's "Futexes Are Tricky" (2011), and the looks before the sleep.
//
// L1  The word is kFree <=> nobody holds the lock. Only a thread that has moved it away from kFree holds
//     it.
// L2  No wake-up is lost: whoever sleeps has moved the word to kContended, or found it there, since it
//     was last kFree. So the holder's Unlock sees kContended and wakes one; and he, not knowing whether
//     others sleep, takes the lock as kContended.
#ifndef TROUPE_CORE_SHORT_LOCK_H_
#define TROUPE_CORE_SHORT_LOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "troupe/core/futex.h"
#include "troupe/core/pause.h"

namespace troupe {

class ABSL_LOCKABLE ShortLock {
 public:
  constexpr ShortLock() = default;
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (!TryTake()) [[unlikely]]
      WaitAndTake();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    // Release: what was done under the lock; pairs with the acquire of the next who takes it.
    if (word_.exchange(kFree, std::memory_order_release) == kContended) [[unlikely]]
      FutexWake(word_, 1);
  }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kContended = 2;  // held, and somebody may be asleep
  static constexpr int kLooks = 100;         // some 4 us

  bool TryTake() {
    uint32_t expected = kFree;
    // Acquire: pairs with the release in Unlock. Relaxed on failure: we look again.
    return word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  [[gnu::noinline]] void WaitAndTake() {
    for (int i = 0; i < kLooks; ++i) {
      // Relaxed: only a guess for TryTake.
      if (word_.load(std::memory_order_relaxed) == kFree && TryTake()) return;
      Pause();
    }
    // Acquire: as in TryTake (L2).
    while (word_.exchange(kContended, std::memory_order_acquire) != kFree) {
      FutexWait(word_, kContended);
    }
  }

  std::atomic<uint32_t> word_{kFree};
};

class ABSL_SCOPED_LOCKABLE ShortLockHolder {
 public:
  explicit ShortLockHolder(ShortLock& lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock) : lock_(lock) {
    lock_.Lock();
  }
  ~ShortLockHolder() ABSL_UNLOCK_FUNCTION() { lock_.Unlock(); }
  ShortLockHolder(const ShortLockHolder&) = delete;
  ShortLockHolder& operator=(const ShortLockHolder&) = delete;

 private:
  ShortLock& lock_;
};

}  // namespace troupe

#endif  // TROUPE_CORE_SHORT_LOCK_H_
