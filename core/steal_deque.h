// StealDeque: the run queue of one worker, from which idle workers take half.
//
//   Operation      Who                         Effect
//   PushBack       the owner                   append; false when full
//   PopFront       the owner                   the oldest, or nullptr
//   TakeHalf       the owner                   the older half in one go, to make room
//   StealHalfInto  the owner of another deque  moves the older half there; returns its oldest
//   size empty taken put   any thread          a snapshot
//
// Order       First in, first out, for the owner and for thieves: fair, and what a thief gets has
//             waited longest.
// Visibility  All done to a Runnable before PushBack is visible to whoever takes it out.
// Capacity    Fixed, a power of two. Full is reported, and the caller moves TakeHalf to the global
//             injector.
// Progress    PushBack and size are wait-free. The others retry only when somebody else has taken
//             something.
//
// D1  Runnables queued are slots_[head_ .. tail_), indices modulo Capacity, and
//     head_ <= tail_ <= head_ + Capacity.
// D2  Only the owner writes tail_ and slots, and writes slots only outside [head_, tail_).
// D3  Taking is the CAS on head_: whoever moves it from h to h + n, and nobody else, owns the n
//     Runnables from h on. Slots are read before the CAS. If the CAS succeeds, head_ was h all the
//     time, because it never goes back and 64-bit indices do not wrap; so by D2 the owner cannot
//     have written these slots meanwhile. If it fails, what was read is thrown away.
//
// The design is that of Go (golang/go src/runtime/proc.go: runqput, runqget, runqgrab,
// runqputslow), as taken up by tokio (tokio/src/runtime/scheduler/multi_thread/queue.rs). As in Go
// a thief copies straight into its own ring, past its tail where nobody looks, and then claims; the
// 64-bit indices take the place of Go's argument about wrapping.

#ifndef TROUPE_CORE_STEAL_DEQUE_H_
#define TROUPE_CORE_STEAL_DEQUE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "troupe/core/runnable.h"

namespace troupe {

template <size_t Capacity = 256>
class StealDeque {
  static_assert(Capacity >= 2 && std::has_single_bit(Capacity),
                "StealDeque: Capacity must be a power of two, 2 or more");

 public:
  using Half = std::array<Runnable*, Capacity / 2>;

  StealDeque() = default;
  StealDeque(const StealDeque&) = delete;
  StealDeque& operator=(const StealDeque&) = delete;

  static constexpr size_t capacity() { return Capacity; }

  [[nodiscard]] bool PushBack(Runnable& r) {
    const uint64_t tail = OwnTail();
    // Acquire: pairs with the release in Claim: the thief has read the slot we are about to reuse.
    if (tail - head_.load(std::memory_order_acquire) == Capacity) return false;
    Slot(tail).store(&r, std::memory_order_relaxed);  // relaxed: published by the tail
    Publish(tail + 1);
    return true;
  }

  Runnable* PopFront() {
    const uint64_t tail = OwnTail();
    // Relaxed: what matters, the slots and the tail, are our own writes.
    uint64_t head = head_.load(std::memory_order_relaxed);
    while (head != tail) {
      Runnable* const oldest = Slot(head).load(std::memory_order_relaxed);
      if (Claim(head, 1)) return oldest;
    }
    return nullptr;
  }

  // Fills the front of `out` with the older half, rounded down, and returns how many that are.
  // Thieves may have been faster: then fewer, down to none; but after a PushBack that said full,
  // either this takes some or there is room.
  [[nodiscard]] size_t TakeHalf(Half& out) {
    const uint64_t tail = OwnTail();
    uint64_t head = head_.load(std::memory_order_relaxed);  // relaxed: as in PopFront
    for (;;) {
      const uint64_t n = (tail - head) / 2;
      if (n == 0) return 0;
      for (uint64_t i = 0; i < n; ++i) out[i] = Slot(head + i).load(std::memory_order_relaxed);
      if (Claim(head, n)) return n;
    }
  }

  // Called on the victim by the owner of `mine`: moves the older half of the victim's, rounded up,
  // as far as it fits. Returns the oldest, which is not put into `mine` but is the caller's to run;
  // nullptr if there was nothing.
  Runnable* StealHalfInto(StealDeque& mine) {
    assert(this != &mine);
    const uint64_t my_tail = mine.OwnTail();
    // Acquire: as in PushBack, `mine` has thieves too.
    const uint64_t room = Capacity - (my_tail - mine.head_.load(std::memory_order_acquire));
    // Acquire: pairs with the release in Claim of the others, so that the tail read next is not
    // older than the head.
    uint64_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      // Acquire: the slots and what they point to. Pairs with the release in Publish.
      const uint64_t tail = tail_.load(std::memory_order_acquire);
      const uint64_t n = std::min(HalfOf(head, tail), room + 1);
      if (n == 0) return nullptr;
      Runnable* const oldest = Slot(head).load(std::memory_order_relaxed);
      for (uint64_t i = 1; i < n; ++i) {  // past our tail, where nobody looks (D2)
        Runnable* const r = Slot(head + i).load(std::memory_order_relaxed);
        mine.Slot(my_tail + i - 1).store(r, std::memory_order_relaxed);
      }
      if (!Claim(head, n)) continue;
      if (n > 1) mine.Publish(my_tail + n - 1);
      return oldest;
    }
  }

  // Snapshots of how many have been taken out so far, and how many put in. So what was there at
  // some time has gone when taken() has reached the put() of that time.
  uint64_t taken() const { return head_.load(std::memory_order_relaxed); }
  uint64_t put() const { return tail_.load(std::memory_order_relaxed); }

  size_t size() const {
    // Relaxed: a snapshot. Head first, then a tail that may be newer: clamped to what is possible.
    const uint64_t head = head_.load(std::memory_order_relaxed);
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    return tail <= head ? 0 : std::min<uint64_t>(tail - head, Capacity);
  }

  bool empty() const { return size() == 0; }

 private:
  std::atomic<Runnable*>& Slot(uint64_t index) { return slots_[index % Capacity]; }

  // Relaxed: only the owner writes it (D2).
  uint64_t OwnTail() const { return tail_.load(std::memory_order_relaxed); }

  // Release: the slots, and the Runnables they point to. Pairs with the acquire of the tail in
  // StealHalfInto.
  void Publish(uint64_t tail) { tail_.store(tail, std::memory_order_release); }

  // D3. On failure `head` is what it is now.
  // Release: our reads of the slots are done. Pairs with the acquire of the head in PushBack and
  // StealHalfInto. Acquire (also on failure): as for the head in StealHalfInto.
  bool Claim(uint64_t& head, uint64_t n) {
    return head_.compare_exchange_strong(head, head + n, std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }

  // Half of what is there, rounded up, so that a single Runnable can be stolen. The two indices
  // were not read at the same instant: between them the owner may have pushed and others taken any
  // number.
  static uint64_t HalfOf(uint64_t head, uint64_t tail) {
    const uint64_t n = std::min<uint64_t>(tail - head, Capacity);
    return n - n / 2;
  }

  // Written by everybody who takes.
  alignas(64) std::atomic<uint64_t> head_{0};
  // Written by the owner.
  alignas(64) std::atomic<uint64_t> tail_{0};
  alignas(64) std::array<std::atomic<Runnable*>, Capacity> slots_{};
};

}  // namespace troupe

#endif  // TROUPE_CORE_STEAL_DEQUE_H_
