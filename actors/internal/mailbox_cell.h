// MailboxCell: a mailbox as the framework sees it: what waits in it, and who waits at it.
//
//   Operation    Who           Effect
//   Put          any thread    take a message in, hand it to a receiver, refuse it, or let its sender
//                              wait
//   Take         any thread    a message, or let the receiver wait
//   PutBack      any thread    what a receiver got and did not live to see
//   Withdraw     any thread    its waiter waits no longer
//   AddShare     any thread    one more receive right
//   DropShare    any thread    one less; may close
//   CallOff      any thread    who waits by a right waits no longer
//   Close        any thread    nothing is taken in from now on
//   Open         MailboxTable  a mailbox begins here
//   Abandon      MailboxTable  the System ends
//
// One short lock, as in a Go channel: the bound is exact, both sides may wait, and a wait may be
// called off at any moment, which together is what lock-free queues do not give. While nobody waits
// and there is room nothing has to be decided, and senders do not take it: they leave their messages
// in the intake (mail_intake.h), where whoever needs to know of them comes for them. What others have
// to be told is done after the lock is free (Duties), since it may run a hook of the user's.
//
// Code of the user's that does run under the lock: MailboxOptions::key (the lane that it decides must
// still be there when the message is placed) and copies with kAll (made when it is certain that there
// is room, so that none is made in vain). Both are for mailboxes that have no intake.
//
// B1  A cell belongs to one incarnation at a time; whoever comes for another is told kClosed. Cells
//     are never freed while their System lives, only opened again: senders may hold stale ones. One that
//     Receivers or ends of channels still refer to outlives it (Abandon), closed for good; but for Put it does
//     not use space_ then.
// B2  A receiver waits only while nothing is there that it could have. A sender waits for room only
//     while there is none.
// B3  Waiters are linked and unlinked under the lock. Who unlinks a sender decides what becomes of
//     its message: taken, or withdrawn and never delivered.
// B4  A receiver may wait at several mailboxes with one slot (Select). A mailbox claims the slot before
//     it parts with a message; where that fails the message stays. So a receive that has timed out or
//     has been served elsewhere never eats one.
// B5  The depth of a lane exceeds the capacity by nothing but what was put back, or came from the lane
//     of a right that ended.
// B6  Messages of a sender are taken in in the order of their Puts: who finds senders waiting for room
//     finds no room (B2) and waits behind them. A lane is in the order of its messages' stamps, which
//     they get as they are taken in and keep: so what is put back, by whomever and when, has its old
//     place.
// B7  While the intake is open nobody waits for mail or room, no warning is out, and any message may go
//     to the one lane. So what B2 to B6 say holds of the lane and the intake together: the oldest of the
//     lane may be taken without a look at the intake, and everything else closes it first.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_CELL_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_CELL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/mail_intake.h"
#include "troupe/actors/internal/mail_lane.h"
#include "troupe/actors/internal/mail_waiter.h"
#include "troupe/actors/internal/mailbox_spec.h"
#include "troupe/actors/internal/patience.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/mailbox_options.h"
#include "troupe/actors/send_result.h"
#include "troupe/core/short_lock.h"

namespace troupe::internal {

class ActorSpace;

class alignas(128) MailboxCell {
 public:
  enum class PutResult : uint8_t {
    kTaken,  // by the mailbox; with until_taken: by a receiver
    kFull,
    kDropped,
    kClosed,
    kNotAllowed,
    kNotCopied,  // copying it threw (kAll)
    kWaits,      // the waiter is linked; without one: nothing was done, and it takes one
  };
  // How a Put treats a full mailbox, and what it refuses.
  enum class PutMode : uint8_t {
    kMayWait,    // kBlock counts
    kNeverWait,  // it refuses
    kTry,        // the same, and what is refused, for whatever reason, stays the caller's
  };
  enum class TakeResult : uint8_t {
    kMail,
    kEmpty,   // nothing there, and no waiter was given
    kWaits,   // the waiter is linked, or its slot has been settled
    kClosed,  // and nothing is left
    kBusy,    // kOneAtATime
  };
  static constexpr uint32_t kFirstShare = 1;

  explicit MailboxCell(ActorSpace& space);
  MailboxCell(const MailboxCell&) = delete;
  MailboxCell& operator=(const MailboxCell&) = delete;
  ~MailboxCell();

  ActorSpace& space() { return space_; }

  // All its mailboxes have ended. It goes now, or with the last right or end that refers to it.
  static void Abandon(std::unique_ptr<MailboxCell> cell);

  // The only other party is whoever held this cell before (B1).
  void Open(uint64_t incarnation, MailboxSpec spec);

  // Consumes `e` unless it says kWaits and there is no waiter, or what it refuses is the caller's (kTry).
  PutResult Put(uint64_t incarnation, Envelope& e, PutMode mode, bool until_taken,
                MailWaiter* waiter);

  // kMail: in `mail`, or, if there is a waiter, on its way to its slot.
  TakeResult Take(uint64_t incarnation, uint32_t share, Mail& mail, MailWaiter* waiter);
  void PutBack(uint64_t incarnation, uint32_t share, Envelope& e, MailStamp stamp);

  // False: closed, and the slot is not used.
  bool AwaitClose(uint64_t incarnation, MailWaiter& waiter);

  // Afterwards `w` is linked nowhere, and no message of it comes to anybody unless its slot has been
  // claimed. It is a dead letter then.
  static void Withdraw(MailWaiter& w);

  // 0: refused (kExclusivePair), or closed.
  uint32_t AddShare(uint64_t incarnation);
  // The right of a mailbox that has none at present (MailboxOwner::kSystem); 0: it has one.
  uint32_t Attach(uint64_t incarnation);
  void DropShare(uint64_t incarnation, uint32_t share);
  // As long as a right, or whoever else refers to it.
  void Refer();
  void Unrefer();
  // Nobody waits by this right any more: it has another owner.
  void CallOff(uint64_t incarnation, uint32_t share);
  // The number of messages that were dropped, or are left to drain. `why`, unless OK, is what those are
  // told who wait.
  size_t Close(uint64_t incarnation, Backlog backlog, const absl::Status& why = absl::OkStatus());

  // For those who look before they wait. Guesses: whether something may come in the short way; how much
  // has; and a number that grows as room is made.
  bool LooksOpen() const { return intake_.LooksOpen(); }
  bool has_room_to_wait_for() const { return holds_mail_.load(std::memory_order_relaxed); }
  uint32_t LooksLike() const { return intake_.LooksLike(); }
  uint64_t received_so_far() const { return received_.load(std::memory_order_relaxed); }
  Patience& receivers_patience() { return receivers_patience_; }
  Patience& senders_patience() { return senders_patience_; }
  Glances& glances() { return glances_; }

  Receivers receivers(uint64_t incarnation);  // kFirstCome, if it is closed
  MailboxStats stats(uint64_t incarnation);
  std::string ToString(uint64_t incarnation);

 private:
  // For each receive right one, or, but for kByKey and kAll, one for all of them.
  using Lanes = absl::InlinedVector<MailLane, 1>;
  class Duties;
  class Holder;
  enum class Intake : uint8_t { kClosed, kAsItIs };

  bool has_intake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  size_t most_by_intake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) {
    return std::min(spec_.capacity, spec_.warn_at - 1);  // what is more than that warns
  }

  void OpenIntake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void CloseIntake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void CollectIntake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool IntakeIsEmptiedSoon();

  bool is_open(uint64_t incarnation) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) {
    return incarnation_ == incarnation && incarnation != 0;
  }
  bool one_lane() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  MailLane* LaneOf(uint32_t share) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  MailLane* LaneFor(Envelope& e) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool MaySend(const Envelope& e) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  PutResult PutLocked(Envelope& e, PutMode mode, bool until_taken, MailWaiter* waiter,
                      Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool Place(Envelope& e, MailWaiter* sender, Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool PlaceIn(MailLane& lane, Envelope& e, MailWaiter* sender, Duties& duties)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void PlaceInAll(Envelope& e, Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool HandOver(MailLane& lane, Envelope& e, MailStamp stamp, Duties& duties)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  MailWaiter* NextReceiver(const MailLane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void MakeRoom(Envelope& for_this, Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  Envelope& TakeOut(MailLane& lane, MailStamp& stamp, absl::Status told, Duties& duties)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void NoteShrunk(const MailLane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool IsBusy() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  bool HasMail(MailLane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  MailWaiter* FirstSenderFor(MailLane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  Envelope& TakeFirst(MailLane& lane, MailStamp& stamp, Duties& duties)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void AdmitSenders(Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Append(MailLane& lane, Envelope& e, MailStamp stamp, MailWaiter* sender, Duties& duties)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Redistribute(Lanes& from) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void ServeReceivers(Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void DropLane(MailLane& lane, Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void TurnAwayReceivers(uint32_t share, const absl::Status& why, Duties& duties)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void DropShareLocked(uint32_t share, Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  size_t CloseLocked(Backlog backlog, const absl::Status& why, Duties& duties)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void EndIfDrained(Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  uint32_t AddShareLocked(Duties& duties) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  std::string ToStringLocked(uint64_t incarnation) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  MailboxStats StatsLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  uint32_t NowMs() const;
  void CountReceived(int64_t more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) {
    // Relaxed, both: only we write, under the lock; whoever reads without it guesses.
    received_.store(received_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  MailStamp NextStamp(uint32_t since_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) {
    return {intake_.NextOrder(), since_ms};
  }

  // Two lines that every operation writes but a Put the short way: where sender and receiver are on two
  // cores they go back and forth, and nothing else does.
  ShortLock lock_;
  bool intake_open_ ABSL_GUARDED_BY(lock_) = false;  // I1
  bool draining_ ABSL_GUARDED_BY(lock_) = false;     // closed, but something is left
  bool has_sender_ ABSL_GUARDED_BY(lock_) = false;   // kExclusivePair: and it is sender_
  bool warned_ ABSL_GUARDED_BY(lock_) = false;
  uint64_t incarnation_ ABSL_GUARDED_BY(lock_) = 0;  // 0: not open
  uint64_t sent_ ABSL_GUARDED_BY(lock_) = 0;
  std::atomic<uint64_t> received_{0};   // written under the lock; relaxed: all else is a guess
  Lanes lanes_ ABSL_GUARDED_BY(lock_);  // at least one while open
  MailWaiters receivers_ ABSL_GUARDED_BY(lock_);  // kForMail
  MailWaiters senders_ ABSL_GUARDED_BY(lock_);    // kForRoom

  // What is read, or seldom needed.
  MailboxSpec spec_ ABSL_GUARDED_BY(lock_);
  ActorSpace& space_;
  const uint64_t print_key_;
  uint32_t referred_by_ ABSL_GUARDED_BY(lock_) = 0;  // Refer; rights of any of its mailboxes
  bool abandoned_ ABSL_GUARDED_BY(lock_) = false;
  MailWaiters close_watchers_ ABSL_GUARDED_BY(lock_);  // kForClose
  uint32_t shares_ ABSL_GUARDED_BY(lock_) = 0;
  uint32_t last_share_ ABSL_GUARDED_BY(lock_) = 0;
  uint32_t last_served_ ABSL_GUARDED_BY(lock_) = 0;  // kRoundRobin
  uint64_t random_ ABSL_GUARDED_BY(lock_) = 0;       // kRandom
  AnyRef sender_ ABSL_GUARDED_BY(lock_);             // kExclusivePair
  uint64_t dropped_ ABSL_GUARDED_BY(lock_) = 0;

  std::atomic<bool> holds_mail_{true};  // its capacity is not 0
  Patience receivers_patience_;
  Patience senders_patience_;
  Glances glances_;
  Glances senders_glances_;

  MailIntake intake_;  // on lines of its own
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_CELL_H_
