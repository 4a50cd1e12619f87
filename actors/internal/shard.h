// Shard: a part of what an ActorSpace has for every spawn and every end: free cells, incarnations,
// counters. A thread comes to the same shard always, so threads seldom meet in one.
//
//   Operation   Who          Effect
//   Take        any thread   a closed cell and an incarnation that nobody had; counted as spawned
//   Retire      any thread   takes back a cell, and all that are linked from it by `next`
//   CountEnd    any thread   counts an actor as ended, takes its cell back if it gets one, and
//                            tells whoever waits for the last one, if the system stops
//   spawned     any thread   how many were taken
//   ended       any thread   how many ends were counted
//   AwaitLeft   who stops    waits until all that were inside have left
//   inside      any thread   whether somebody is
//
// No mutex: a thread that meets another one goes a longer way instead of waiting.
//
// H1  held_: who reads false in its exchange is in, and alone; it alone stores false, which is its
//     last access. What one did inside the next one sees: the store releases, the exchange
//     acquires.
// H2  Nobody waits for held_ to get in. Who is not let in goes to the slab, which has a lock, draws
//     one incarnation, and counts in counters that many may write. So it holds up nobody that a
//     thread is stopped while it is in; but shutdown, which waits for all threads anyway.
// H3  spawned_ and ended_ are written inside only, so a load and a store count. Anybody may read
//     them.
// H4  spawned() misses nobody whom ended() counted before: what an actor's end is counted after,
//     through its parent's Launch, the scheduler and its own run, is its Take.
// H5  A thread enters, counts, and looks at `stopping`; who stops sets that, calls AwaitLeft, and
//     reads the counts. Either the thread sees `stopping`, or it is counted in what is read. For if
//     it does not see it, its exchange comes, in the one order of all seq_cst operations, before
//     its look, this before the store, and this before AwaitLeft's look at held_. So AwaitLeft sees
//     the exchange or what came later, and returns after the thread's Release, which it acquires.
//     Outside, the count itself is an exchange, and does the same for whoever reads it later.
//     So neither has to pay for a fence between its count and its look.
// H6  Who has counted an end is inside() until its last access to anything of the space.
#ifndef TROUPE_ACTORS_INTERNAL_SHARD_H_
#define TROUPE_ACTORS_INTERNAL_SHARD_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/core/event_count.h"

namespace troupe::internal {

// A lock that nobody waits for to get in (H1, H2).
class ABSL_LOCKABLE TryLock {
 public:
  [[nodiscard]] bool TryAcquire() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return !held_.exchange(true);  // acquire: pairs with Release; seq_cst: H5
  }
  void Release() ABSL_UNLOCK_FUNCTION() { held_.store(false, std::memory_order_release); }
  bool held() const { return held_.load(); }

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

  explicit Shard(CellSlab& slab) : slab_(slab), cells_(slab) {}

  Taken Take();  // throws std::bad_alloc, and has then counted nobody
  void Retire(ActorCell& first);
  // `cell`: nullptr if its parent will retire it. `stopping`, `drained`: the space's.
  void CountEnd(ActorCell* cell, const std::atomic<bool>& stopping, EventCount& drained);

  uint64_t spawned() const;
  uint64_t ended() const;
  void AwaitLeft() const;
  bool inside() const { return lock_.held() || ended_outside_.load() >= kInside; }

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
  // ended_outside_ has the ends in its low 48 bits; in the high 16, the threads that count one.
  static constexpr uint64_t kInside = uint64_t{1} << 48;

  uint64_t NextIncarnation() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  CellSlab& slab_;
  TryLock lock_;
  int incarnations_left_ ABSL_GUARDED_BY(lock_) = 0;
  std::atomic<uint64_t> spawned_{0};          // H3
  std::atomic<uint64_t> spawned_outside_{0};  // by those who were not let in
  std::atomic<uint64_t> ended_{0};            // H3
  std::atomic<uint64_t> ended_outside_{0};
  CellSlab::Cache cells_ ABSL_GUARDED_BY(lock_);
  std::array<uint64_t, kIncarnationBatch> incarnations_ ABSL_GUARDED_BY(lock_){};
  std::array<std::atomic<uint64_t>, kDeadLetterReasons> dead_letters_{};
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SHARD_H_
