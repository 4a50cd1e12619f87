// NextSlot: the one runnable that a worker runs next. The worker puts and takes without an atomic
// read-modify-write; somebody else may take it now and then, and pays for both.
//
//   Operation   Who              Effect
//   Put         the owner        r is next; returns who has to go to the run queue instead: the one
//                                before, or r itself if a thief is at the slot; usually nobody
//   Take        the owner        empties the slot; nullptr if it was empty
//   Steal       any other        empties it if it still holds `expected` and `still` says so; gives
//                                up when the owner is at the slot
//   Append      the owner        if `to` is in the slot: let `append` add to what its runnable holds
//   NewTurn     the owner        begins to run something else
//   Peek        any thread       a snapshot
//   Mine SetMine   any thread    the slot whose owner this thread is, if it is one
//
// N1  Owner and thief are never both inside. Each writes its own flag, then reads the other's, with
//     the two halves of an asymmetric fence between (asymmetric_fence.h, F1): Dekker's way. The
//     owner gives way in Put; in Take it waits for the thief, who is inside for a few microseconds.
// N2  Only the owner fills the slot. So for the owner an empty slot stays empty.
// N3  What the owner did before Put is visible to whoever takes: the thief's acquire of
//     owner_inside_ pairs with the release in Leave. What a thief did is visible to the owner in
//     the same way, through thief_inside_.
// N4  As long as a runnable is in the slot the owner holds the right to run it (runnable.h, R1),
//     and may touch what belongs to that right while it is inside. So a message to the actor that
//     is next anyway needs no atomic read-modify-write: Append. Such a message overtakes what other
//     threads have pushed into the actor's queue since it was put. That is nothing of the same
//     sender's if the sender has been running here all the time and has found the slot open every
//     time, which is what `since_this_turn` tells. Otherwise the appender must see that the queue
//     is empty.

#ifndef TROUPE_CORE_NEXT_SLOT_H_
#define TROUPE_CORE_NEXT_SLOT_H_

#include <atomic>
#include <thread>

#include "troupe/core/asymmetric_fence.h"
#include "troupe/core/pause.h"
#include "troupe/core/runnable.h"

namespace troupe {

class NextSlot {
 public:
  [[nodiscard]] Runnable* Put(Runnable& r) {
    if (!Enter()) [[unlikely]]
      return &r;
    Runnable* const before = slot_.load(std::memory_order_relaxed);  // relaxed, as below: N1
    slot_.store(&r, std::memory_order_relaxed);
    tail_ = nullptr;
    put_this_turn_ = true;
    Leave();
    return before;
  }

  Runnable* Take() {
    if (empty()) return nullptr;  // N2
    for (int looks = 0; !Enter(); ++looks) looks < kLooks ? Pause() : std::this_thread::yield();
    Runnable* const r = slot_.load(std::memory_order_relaxed);  // relaxed, as below: N1
    slot_.store(nullptr, std::memory_order_relaxed);
    Leave();
    return r;
  }

  // append(since_this_turn, tail) adds, or says that it does not. `tail` is the slot's word for the
  // end of a list that only the appender knows; nullptr when the runnable has just been put. False:
  // not in the slot, or not added.
  template <class Function>
  bool Append(const Runnable& to, Function append) {
    if (Peek() != &to) return false;
    if (!Enter()) [[unlikely]] {
      put_this_turn_ = false;  // what now goes elsewhere must not be overtaken (N4)
      return false;
    }
    const bool added = Peek() == &to && append(put_this_turn_, tail_);
    Leave();
    return added;
  }

  void NewTurn() { put_this_turn_ = false; }

  static NextSlot* Mine() { return mine_; }
  static void SetMine(NextSlot* slot) { mine_ = slot; }

  template <class Predicate>
  Runnable* Steal(Runnable* expected, Predicate still) {
    // Acquire: what a thief before us left. Pairs with the release below.
    if (thief_inside_.exchange(true, std::memory_order_acquire)) return nullptr;
    HeavyFence();
    Runnable* stolen = nullptr;
    // Acquire: pairs with the release in Leave (N3).
    if (!owner_inside_.load(std::memory_order_acquire) && Peek() == expected && still()) {
      stolen = expected;
      slot_.store(nullptr, std::memory_order_relaxed);  // relaxed: N1
    }
    // Release: the slot; pairs with the acquires in Enter and above.
    thief_inside_.store(false, std::memory_order_release);
    return stolen;
  }

  // Relaxed: a guess, but for the owner (N2).
  Runnable* Peek() const { return slot_.load(std::memory_order_relaxed); }
  bool empty() const { return Peek() == nullptr; }

 private:
  // Longer than a thief is inside, unless it was preempted there.
  static constexpr int kLooks = 256;

  bool Enter() {
    owner_inside_.store(true, std::memory_order_relaxed);  // relaxed: ordered by the fence
    LightFence();
    // Acquire: pairs with the release at the end of Steal (N3).
    if (!thief_inside_.load(std::memory_order_acquire)) [[likely]]
      return true;
    Leave();
    return false;
  }
  // Release: the slot and what it points to; pairs with the acquire in Steal (N3).
  void Leave() { owner_inside_.store(false, std::memory_order_release); }

  // thread_local: a sender must know, and has nobody to ask. constinit, so that asking is one load.
  static inline constinit thread_local NextSlot* mine_ = nullptr;

  std::atomic<Runnable*> slot_{nullptr};
  void* tail_ = nullptr;        // the owner, while inside
  bool put_this_turn_ = false;  // the owner
  std::atomic<bool> owner_inside_{false};
  std::atomic<bool> thief_inside_{false};
};

}  // namespace troupe

#endif  // TROUPE_CORE_NEXT_SLOT_H_
