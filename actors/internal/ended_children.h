// EndedChildren: the cells of an actor's children that have ended, until it takes note of them. A
// list through the cells themselves.
//
//   Operation   Who                          Effect
//   Push        the thread of a child        adds its cell; true: the parent must be woken
//   TakeAll     the parent's running thread  all that have come, the newest first, linked by
//                                            `next`; nullptr: none
//   WakeAfter   the parent's running thread  the n-th Push from now on wakes; false: some have
//                                            come, take them first
//   empty       the parent's running thread  a snapshot
//
// The word is the address of the newest cell and, in its low bits, the pushes that are left until
// the parent is woken; 0 of them: it has been. TakeAll sets them to kUnnoted: a parent that has
// nothing else to do is not woken for every child that ends, and keeps at most kUnnoted - 1 cells
// meanwhile.
//
// D1  A cell's `next` is free to be the link: the cell is closed, so nobody has the right to run
//     it, and no run queue holds it (runnable.h, R2), until it is opened again; and that is after
//     the parent, who alone takes it from here, has retired it (actor_cell.h, C4).
// D2  Every cell comes out of one TakeAll. There is no ABA: the list is only taken whole.
// D3  If n children are left, and WakeAfter(n) or of fewer has returned true, their ends are not
//     slept through: every child pushes once, and the word changes by Push alone until the parent
//     runs again.
//
// Treiber's stack (IBM RJ 5118, 1986) without its pop.
#ifndef TROUPE_ACTORS_INTERNAL_ENDED_CHILDREN_H_
#define TROUPE_ACTORS_INTERNAL_ENDED_CHILDREN_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "troupe/actors/internal/actor_cell.h"

namespace troupe::internal {

class EndedChildren {
 public:
  static constexpr uint64_t kUnnoted = 8;

  [[nodiscard]] bool Push(ActorCell& child) {
    uint64_t seen = word_.load(std::memory_order_relaxed);  // relaxed: a guess for the CAS
    uint64_t left;
    do {
      child.next = NewestIn(seen);
      left = seen & kLeftMask;
      // Release: the child's last state. Pairs with the acquire in TakeAll; those before it are in
      // one release sequence.
    } while (!word_.compare_exchange_weak(
        seen, reinterpret_cast<uint64_t>(&child) | (left == 0 ? 0 : left - 1),
        std::memory_order_release, std::memory_order_relaxed));
    return left == 1;
  }

  ActorCell* TakeAll() {
    // Acquire: the children's last states; pairs with the release in Push.
    return empty() ? nullptr : NewestIn(word_.exchange(kUnnoted, std::memory_order_acquire));
  }

  // `n` is at least 1; more than kUnnoted count as so many.
  [[nodiscard]] bool WakeAfter(uint64_t n) {
    uint64_t seen = word_.load(std::memory_order_relaxed);  // relaxed, as below: nothing is read
    return NewestIn(seen) == nullptr &&
           word_.compare_exchange_strong(seen, std::min(n, kUnnoted), std::memory_order_relaxed);
  }

  // Relaxed: for a look that may come too late.
  bool empty() const { return NewestIn(word_.load(std::memory_order_relaxed)) == nullptr; }

  static ActorCell* Next(const ActorCell& child) { return static_cast<ActorCell*>(child.next); }

 private:
  static constexpr uint64_t kLeftMask = alignof(ActorCell) - 1;
  static_assert(kUnnoted <= kLeftMask);

  static ActorCell* NewestIn(uint64_t word) {
    return reinterpret_cast<ActorCell*>(word & ~kLeftMask);
  }

  std::atomic<uint64_t> word_{kUnnoted};
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ENDED_CHILDREN_H_
