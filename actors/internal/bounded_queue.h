// BoundedQueue: the messages waiting for an actor whose mailbox has a capacity.
//
// A short lock instead of the lock-free MailboxQueue, because the bound is exact and the oldest
// message must be reachable by the sender that drops it. The actor's MailboxQueue still decides who
// schedules it: a sender appends here and then calls MailboxQueue::Wake, and the running thread
// looks here after each TakeAll.
//
//   Operation     Who                  Effect
//   Offer         any thread           append, drop or refuse by policy; with kBlock and a full
//                                      queue kFull, and the caller may WaitForRoom; one that holds no
//                                      thread is linked, and his message appended when there is room
//   Withdraw      any thread           take out who is linked, if he still is
//   WaitForRoom   any thread           sleep until there may be room, or waiting has become vain
//   Pop           the running thread   the oldest message or nullptr
//   WakeSenders   the running thread   before it parks, or may wait itself: see B4
//   HoldRoom      the running thread   from now on what Pop returns stays counted until
//   MakeRoom      the running thread   this is called, once for each that counts
//   PopAnswer     the running thread   the oldest answer (kAnswer) or nullptr
//   Open          the spawning thread  give the queue to an actor
//   Close         the running thread   take what is left, wake everybody
//   NextSender    the running thread   after that: take out one who is linked
//
// B1  A queue belongs to at most one incarnation at a time; an Offer for any other is kClosed.
//     Queues are never freed while their System lives (stale senders may hold a pointer), only given
//     to another actor.
// B2  counted_ <= capacity_ always; exempt messages (Down, replies) are not counted.
//     held_ <= counted_: of them those that Pop has returned and that still have their room.
// B3  Order is the order of the Offers, exempt ones included.
// B4  Since room was made in a full queue a wake is owed to those who wait for it. They get it at once if
//     the queue was last full 1 ms ago or more; else when half of what Pop can give is gone, or when the
//     receiver parks or is about to wait itself (WakeSenders), whichever is first. Woken for each message
//     that is handled they would find room for one, fill it, and sleep again: 5 to 15 us a message instead
//     of 0.2 to 1. Who waits looks by himself now and then, for a handler may wait for him by other
//     means.
// B5  Whoever takes a linked sender out, under the lock, has his message and his reference to the slot. One
//     who gives up withdraws first (MailWaiter), so he is told that he was too late only if his message
//     is not in the queue. Those linked get in in the order in which they came, when the wake that B4 owes is
//     given; others may get in before them.
#ifndef TROUPE_ACTORS_INTERNAL_BOUNDED_QUEUE_H_
#define TROUPE_ACTORS_INTERNAL_BOUNDED_QUEUE_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mail_waiter.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/send_result.h"
#include "troupe/core/event_count.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

struct BoundedOffer {
  SendResult result;
  Envelope* dropped = nullptr;  // kDropOldest: the message that made room; the caller reports it
  bool may_wait = false;        // kFull with kBlock: `waiter` is linked, if there is one
};

class BoundedQueue {
 public:
  using Offered = BoundedOffer;

  // Of B4.
  struct Pace {
    std::chrono::milliseconds long_since_full = std::chrono::milliseconds(1);
    // By who waits. The next one comes after twice that, and so on up to 64 ms.
    std::chrono::milliseconds first_look = std::chrono::milliseconds(1);
  };

  BoundedQueue() = default;
  explicit BoundedQueue(const Pace& pace) : pace_(pace) {}

  void Open(uint64_t incarnation, uint32_t capacity, WhenFull when_full);
  // e.address names the incarnation it is for.
  Offered Offer(Envelope& e, MailWaiter* waiter = nullptr);
  bool Withdraw(MailWaiter& waiter);  // false: he is linked no more
  void WaitForRoom(uint64_t incarnation);
  // Ends every wait for room, now and until the next Open: the system stops, and nobody may hold
  // that up. Any thread.
  void ReleaseWaiters();
  Envelope* Pop();
  bool WakeSenders();  // whether a wake was owed
  void HoldRoom();
  void MakeRoom();
  Envelope* PopAnswer();
  Envelope* Close();  // what was left, linked by next, oldest first
  struct Linked {
    Envelope* message = nullptr;
    ReplySlotOf<void>* slot = nullptr;
  };
  Linked NextSender();

  // relaxed: see size_
  bool empty() const { return size() == 0; }
  bool HasAnswers() const { return answers_.load(std::memory_order_relaxed) != 0; }
  uint32_t size() const { return size_.load(std::memory_order_relaxed); }
  WhenFull when_full() const;

 private:
  void Count(const Envelope& e, int32_t by) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Append(Envelope& e) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  template <class Predicate>
  Envelope* RemoveOldest(Predicate wanted, Envelope* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  void GiveWake();
  ReplySlotOf<void>* AdmitSender();
  Linked RemoveSender() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool MayHaveRoom(uint64_t incarnation);
  bool OwesWakeNow(bool was_full) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  const Pace pace_;
  mutable Mutex lock_;  // mutable: a snapshot takes it too
  EventCount room_;     // "counted_ < capacity_ or the owner has changed" may have become true
  uint64_t owner_ ABSL_GUARDED_BY(lock_) = 0;  // incarnation; 0 = closed
  uint32_t capacity_ ABSL_GUARDED_BY(lock_) = 0;
  uint32_t counted_ ABSL_GUARDED_BY(lock_) = 0;
  uint32_t held_ ABSL_GUARDED_BY(lock_) = 0;
  bool holds_ ABSL_GUARDED_BY(lock_) = false;
  // Written under lock_, and read without (relaxed) by snapshots and by the running thread, which sees at least
  // what it has popped itself: what it misses is followed by a Wake.
  std::atomic<uint32_t> size_ = 0;     // counted_ and the exempt ones
  std::atomic<uint32_t> answers_ = 0;  // of them
  WhenFull when_full_ ABSL_GUARDED_BY(lock_) = WhenFull::kFail;
  bool waits_end_ ABSL_GUARDED_BY(lock_) = false;
  MailWaiters senders_ ABSL_GUARDED_BY(lock_);  // B5
  Envelope* first_ ABSL_GUARDED_BY(lock_) = nullptr;
  Envelope* last_ ABSL_GUARDED_BY(lock_) = nullptr;
  // The running thread's.
  bool owes_wake_ = false;  // B4
  std::chrono::steady_clock::time_point last_full_;

  // No answer is up to here; nullptr: nothing known. So a backlog is looked through once, not for
  // each answer.
  Envelope* no_answer_to_ ABSL_GUARDED_BY(lock_) = nullptr;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_BOUNDED_QUEUE_H_
