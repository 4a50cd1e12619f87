// Shard: a part of what an ActorSpace has for every spawn and every end: free cells, incarnations,
// counters. A thread comes to the same shard always, so threads seldom meet in one.
//
//   Operation   Who         Effect
//   Take        any thread  a closed cell and an incarnation that nobody had; counted as spawned
//   Retire      any thread  takes a cell back
//   RetireAll   any thread  the same for all that are linked by `next` from it on
//   CountEnd    any thread  counts an actor as ended, and tells whoever waits for the last one
//   spawned     any thread  how many were taken
//   ended       any thread  how many ends were counted
//   inside      any thread  whether some thread has not left CountEnd yet
//
// No mutex: a thread that meets another one goes a longer way instead of waiting.
//
// H1  held_: who reads false in its exchange is in, and alone; he alone stores false, which is his
//     last access. What one did inside the next one sees: the store releases, the exchange acquires.
// H2  Nobody waits for held_. Who is not let in goes to the slab, which has a lock, draws one
//     incarnation, and counts in counters that many may write. So it holds up nobody that a thread
//     is stopped while it is in.
// H3  spawned_ is written inside only, so a load and a store count. Anybody may read it.
// H4  spawned() misses nobody whom ended() counted before: what an actor's end is counted after,
//     through its parent's Launch, the scheduler and its own run, is its Take.
#ifndef TROUPE_ACTORS_INTERNAL_SHARD_H_
#define TROUPE_ACTORS_INTERNAL_SHARD_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/core/slab.h"

namespace troupe::internal {

// A lock that nobody can wait for (H1, H2).
class ABSL_LOCKABLE TryLock {
 public:
  [[nodiscard]] bool TryAcquire() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return !held_.exchange(true, std::memory_order_acquire);  // pairs with Release
  }
  void Release() ABSL_UNLOCK_FUNCTION() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

// Releases what its maker has acquired, however the scope is left.
class ABSL_SCOPED_LOCKABLE TryLockRelease {
 public:
  explicit TryLockRelease(TryLock& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock) : lock_(lock) {}
  ~TryLockRelease() ABSL_UNLOCK_FUNCTION() { lock_.Release(); }
  TryLockRelease(const TryLockRelease&) = delete;
  TryLockRelease& operator=(const TryLockRelease&) = delete;

 private:
  TryLock& lock_;
};

class alignas(64) Shard {
 public:
  struct Taken {
    ActorCell* cell;
    uint64_t incarnation;
  };

  explicit Shard(Slab<ActorCell>& slab) : slab_(slab), cells_(slab) {}

  Taken Take();  // throws std::bad_alloc, and has then counted nobody
  void Retire(ActorCell& cell);
  void RetireAll(ActorCell& first);

  void BeginCountEnd() { ended_.fetch_add(kInside + 1); }
  void FinishCountEnd() { ended_.fetch_sub(kInside); }

  uint64_t spawned() const;
  uint64_t ended() const { return ended_.load() % kInside; }
  bool inside() const { return ended_.load() >= kInside; }

  void CountDeadLetter(DeadLetterReason reason) {
    // Relaxed: a sum for people.
    dead_letters_[static_cast<int>(reason)].fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t dead_letters(int reason) const {
    return dead_letters_[reason].load(std::memory_order_relaxed);  // as above
  }

  // For tests: whoever holds it keeps all others out.
  TryLock& lock() ABSL_LOCK_RETURNED(lock_) { return lock_; }

 private:
  static constexpr int kIncarnationBatch = 32;
  // ended_ has the ends in its low 48 bits; in the high 16, the threads that are inside CountEnd.
  static constexpr uint64_t kInside = uint64_t{1} << 48;

  uint64_t NextIncarnation() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  Slab<ActorCell>& slab_;
  TryLock lock_;
  int incarnations_left_ ABSL_GUARDED_BY(lock_) = 0;
  std::atomic<uint64_t> spawned_{0};          // H3
  std::atomic<uint64_t> spawned_outside_{0};  // by those who were not let in
  std::atomic<uint64_t> ended_{0};
  Slab<ActorCell>::Cache cells_ ABSL_GUARDED_BY(lock_);
  std::array<uint64_t, kIncarnationBatch> incarnations_ ABSL_GUARDED_BY(lock_){};
  std::array<std::atomic<uint64_t>, kDeadLetterReasons> dead_letters_{};
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SHARD_H_
