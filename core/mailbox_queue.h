// MailboxQueue: the nodes waiting for one receiver, and the right to run it, in one atomic word.
//
//   Operation    Who                          Effect
//   Open         the owner of a closed queue  nodes may come in from now on
//   Push         any thread                   append; may oblige the caller to schedule it
//   PushUnlessIdle  any thread                the same; but where it obliges, the node is not in
//                                             the queue: it goes to the receiver with the right
//   PushAll      any thread                   Push for several nodes, which stay together
//   Wake         any thread                   make the receiver look around; obliges likewise
//   TakeAll      the running thread           all that has come in, oldest first
//   FinishBatch  the running thread           park, or learn that there is more to do
//   Close        the running thread           nothing comes in any more; returns what was left
//   size HasNodes closed  any thread          a snapshot
//
// "The running thread" holds the right to run the receiver: it got kMustSchedule from Push, true
// from Wake, or called Open(kActive), or a scheduler passed the right on to it (runnable.h, R1). It
// gives it back with kPark or by Close.
//
// Order       Nodes pushed by one thread come out in that order. Between threads: in the order of
//             their CAS.
// Visibility  All a thread did before Push or Wake is visible to the running thread after the
//             TakeAll that follows it; all the running thread did before FinishBatch is visible to
//             the next one after its first TakeAll.
// Capacity    Unbounded.
// Progress    Push and Wake are lock-free, the others wait-free (TakeAll and Close walk what they
//             return once, to reverse it).
//
// The word
//   0 kClosed    not open. Zero, so that memory which was never constructed reads as closed.
//   1 kIdle      empty, and nobody has the right to run
//   2 kActive    somebody has the right to run; nothing new since the last TakeAll
//   3 kNotified  like kActive, and a Wake has come since
//   otherwise    "nodes": like kActive, and nodes have come: address of the newest << 16 | count.
//                A node is 64-byte aligned and below 2^48, which leaves the low 22 bits for the
//                count; it sticks at its maximum.
//
//   Open         kClosed -> kIdle or kActive
//   Push, PushAll    kIdle, kActive, kNotified, nodes -> nodes
//   PushUnlessIdle   kIdle -> kActive;  kActive, kNotified, nodes -> nodes
//   Wake         kIdle -> kActive;  kActive, kNotified -> kNotified;  nodes -> the same nodes
//   TakeAll      kActive, kNotified, nodes -> kActive
//   FinishBatch  kActive -> kIdle
//   Close        kActive, kNotified, nodes -> kClosed
//
// M1  kIdle or kClosed <=> nobody has the right to run. Whoever moves the word away from kIdle gets
//     it, so there is at most one.
// M2  The word becomes kIdle only if nothing came since the last TakeAll: no push and no wake is
//     ever slept through.
// M3  Every node for which Push did not say kClosed comes out of exactly one TakeAll or Close; but
//     the one for which PushUnlessIdle said kMustSchedule is the caller's.
// M4  Push and Wake on a closed queue write nothing. So a page of closed queues stays clean, and
//     may be handed back to the kernel under the feet of whoever still holds its address: it reads
//     zero, which is closed.
// M5  Late callers are harmless. Memory is type-stable (slab.h): the word may meanwhile belong to
//     another incarnation of the cell, or have gone through any history and come back to the value
//     that a pusher saw (ABA). Its CAS then succeeds exactly when the link of its node, set from
//     that value, names what the word says now. A correct list needs no more: a pusher never reads
//     through the old head. The node lands in the queue of the new incarnation, whose run loop
//     compares the incarnation that the message carries with its own, and turns it away. A schedule
//     or a wake too many costs an empty activation.
//
// The stack that is taken whole and then reversed is Treiber's (IBM RJ 5118, 1986), without the pop
// that has the ABA problem; CAF's lifo_inbox is one too. The state in the same word is Troupe's.

#ifndef TROUPE_CORE_MAILBOX_QUEUE_H_
#define TROUPE_CORE_MAILBOX_QUEUE_H_

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "troupe/core/pause.h"

namespace troupe {

// What a queue links: the first thing in an envelope. Whoever allocates it aligns it to 64 bytes
// (node_pool.h); the struct itself does not ask for that, so that an envelope can use the bytes
// behind the link.
struct MailboxNode {
  MailboxNode* next = nullptr;
};

enum class PushResult {
  kQueued,        // done
  kMustSchedule,  // done (PushUnlessIdle: see there), and the caller now has the right to run the
                  // receiver: it must schedule it
  kClosed,        // not taken: the node is still the caller's
};

enum class BatchEnd {
  kPark,        // the right to run is gone; do not touch the receiver any more
  kReschedule,  // something came: call TakeAll again, now or in another activation
};

class MailboxQueue {
 public:
  // Nodes oldest first, linked by `next`; the last one's is nullptr. Owned by whoever receives it.
  struct List {
    MailboxNode* first = nullptr;
    MailboxNode* last = nullptr;
    size_t count = 0;
    bool empty() const { return first == nullptr; }
  };

  enum class OpenAs { kIdle, kActive };  // kActive: the opener starts out with the right to run

  static constexpr size_t kMaxCount = (size_t{1} << 22) - 1;  // where size() stops counting

  void Open(OpenAs as) {
    assert(closed());
    // A store, not a CAS: nobody writes to a closed word (M4).
    // Release: publishes the receiver behind this queue. Pairs with the acquire of the Push or Wake
    // that leaves kIdle, which may be a late one (M5) that has learnt of this incarnation from
    // nothing but the word.
    word_.store(as == OpenAs::kActive ? kActive : kIdle, std::memory_order_release);
  }

  [[nodiscard]] PushResult Push(MailboxNode& node) { return PushAs<false>(node); }

  // kMustSchedule: the queue was idle, and the node is still the caller's. He passes it to the
  // receiver together with the right to run, as the first to be handled: so it keeps its place
  // before all that is pushed from now on, and the running thread saves a TakeAll.
  [[nodiscard]] PushResult PushUnlessIdle(MailboxNode& node) { return PushAs<true>(node); }

  // `newest` leads by `next` to `oldest`, and these are `count`. All are taken, or none.
  [[nodiscard]] PushResult PushAll(MailboxNode& newest, MailboxNode& oldest, size_t count) {
    uint64_t seen = word_.load(std::memory_order_relaxed);  // relaxed: only a guess for the CAS
    for (;;) {
      if (seen == kClosed) return PushResult::kClosed;
      oldest.next = NodeIn(seen);
      const uint64_t wanted = WithNewest(newest, seen, count);
      if (word_.compare_exchange_weak(seen, wanted, kPublish, std::memory_order_relaxed)) break;
      StandBack();
    }
    return seen == kIdle ? PushResult::kMustSchedule : PushResult::kQueued;
  }

  // For what does not travel as a node: set a flag, then Wake. True: the caller must schedule the
  // receiver. False: the queue is closed, or the thread that has the right to run will call TakeAll
  // again and then see the flag.
  [[nodiscard]] bool Wake() {
    uint64_t seen = word_.load(std::memory_order_relaxed);  // relaxed: only a guess for the CAS
    do {
      if (seen == kClosed) return false;
      // Also where nothing changes the CAS must happen: a mere look would not order our flag before
      // their TakeAll.
    } while (
        !word_.compare_exchange_weak(seen, AfterWake(seen), kPublish, std::memory_order_relaxed));
    return seen == kIdle;
  }

  List TakeAll() {
    // Relaxed: kActive says that nothing came, so there is nothing to see. What the one before us
    // left came with the right to run, through Wake and the scheduler. A push we miss here stops
    // FinishBatch (M2).
    if (word_.load(std::memory_order_relaxed) == kActive) return {};
    // Acquire: the nodes. Pairs with kPublish in every Push and Wake since the last TakeAll, and
    // with the release in the previous running thread's FinishBatch: all of them are in one release
    // sequence, only CASes since.
    return Reversed(word_.exchange(kActive, std::memory_order_acquire));
  }

  [[nodiscard]] BatchEnd FinishBatch() {
    uint64_t seen = kActive;
    // Release: all that was done in this activation. Pairs with kPublish in the Push or Wake that
    // leaves kIdle and with the acquire in the next TakeAll. Relaxed on failure: TakeAll follows.
    return word_.compare_exchange_strong(seen, kIdle, std::memory_order_release,
                                         std::memory_order_relaxed)
               ? BatchEnd::kPark
               : BatchEnd::kReschedule;
  }

  // Ends the right to run as well: nobody may call TakeAll or FinishBatch until Open.
  [[nodiscard]] List Close() {
    // Acquire as in TakeAll. No release: the next Open does not synchronise through this word.
    return Reversed(word_.exchange(kClosed, std::memory_order_acquire));
  }

  // Whether nodes wait, at the price of a load. Relaxed: for the running thread, whose TakeAll or
  // FinishBatch finds out for sure.
  bool HasNodes() const { return HoldsNodes(word_.load(std::memory_order_relaxed)); }

  // Nodes pushed and not yet taken, up to kMaxCount. Relaxed: a number for people and for policies
  // that may be late.
  size_t size() const { return CountIn(word_.load(std::memory_order_relaxed)); }

  // Relaxed: an early out for senders. Only Push can tell for sure.
  bool closed() const { return word_.load(std::memory_order_relaxed) == kClosed; }

 private:
  template <bool kUnlessIdle>
  PushResult PushAs(MailboxNode& node) {
    uint64_t seen = word_.load(std::memory_order_relaxed);  // relaxed: only a guess for the CAS
    for (;;) {
      if (seen == kClosed) return PushResult::kClosed;
      node.next = NodeIn(seen);
      const bool keep = kUnlessIdle && seen == kIdle;
      const uint64_t wanted = keep ? uint64_t{kActive} : WithNewest(node, seen);
      if (word_.compare_exchange_weak(seen, wanted, kPublish, std::memory_order_relaxed)) break;
      StandBack();
    }
    return seen == kIdle ? PushResult::kMustSchedule : PushResult::kQueued;
  }

  // After a collision with another pusher: leaves it the cache line for a while, in which it pushes
  // a few dozen nodes at the price that a handful have when two threads take turns.
  static void StandBack() {
    for (int i = 0; i < 8; ++i) Pause();
  }

  enum State : uint64_t { kClosed = 0, kIdle = 1, kActive = 2, kNotified = 3 };

  // Release: the node, or whatever Wake is about. Pairs with the acquire in TakeAll and Close.
  // Acquire: what the last running thread, or Open, left in the receiver. Pairs with the release in
  // FinishBatch and Open; needed by the caller that leaves kIdle, because scheduling a receiver
  // writes its run-queue link.
  static constexpr std::memory_order kPublish = std::memory_order_acq_rel;

  static constexpr int kAddressShift = 16;
  static constexpr uint64_t kCountMask = kMaxCount;

  static bool HoldsNodes(uint64_t word) { return word > kNotified; }

  static MailboxNode* NodeIn(uint64_t word) {
    return HoldsNodes(word) ? reinterpret_cast<MailboxNode*>((word & ~kCountMask) >> kAddressShift)
                            : nullptr;
  }

  static size_t CountIn(uint64_t word) { return HoldsNodes(word) ? word & kCountMask : 0; }

  static uint64_t WithNewest(const MailboxNode& node, uint64_t word, size_t more = 1) {
    const uint64_t address = reinterpret_cast<uint64_t>(&node);
    assert(address >> 48 == 0 && "mailbox nodes must lie below 2^48");
    assert(address % 64 == 0 && "mailbox nodes must be 64-byte aligned");
    const size_t count = CountIn(word);
    return address << kAddressShift | (count < kMaxCount - more ? count + more : kMaxCount);
  }

  static uint64_t AfterWake(uint64_t word) {
    if (word == kIdle) return kActive;
    return HoldsNodes(word) ? word : kNotified;
  }

  static List Reversed(uint64_t word) {
    List list;
    MailboxNode* node = NodeIn(word);
    list.last = node;
    while (node != nullptr) {
      MailboxNode* const older = node->next;
      node->next = list.first;
      list.first = node;
      node = older;
      ++list.count;
    }
    return list;
  }

  // Any thread. Used in memory that is all zero and never constructed; a zero std::atomic<uint64_t>
  // is one that holds 0.
  std::atomic<uint64_t> word_{kClosed};
  static_assert(std::atomic<uint64_t>::is_always_lock_free &&
                sizeof(std::atomic<uint64_t>) == sizeof(uint64_t));
};

}  // namespace troupe

#endif  // TROUPE_CORE_MAILBOX_QUEUE_H_
