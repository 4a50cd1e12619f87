// MailboxWaits: where the one who waits for mailboxes is linked, and how he is unlinked again.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_WAITS_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_WAITS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/mail_waiter.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/internal/waiting_thread.h"

namespace troupe {
class Context;

namespace internal {

absl::Status TimedOut(const MailWaiter& waiter);  // after it has been withdrawn

// On the stack of a thread that waits, or in the Continuation of an actor. Of one of those it gets a
// reference to the slot for each waiter it links (R4 of reply_slot.h).
template <size_t kMost>
class MailboxWaits {
 public:
  MailboxWaits() = default;
  MailboxWaits(const MailboxWaits&) = delete;
  MailboxWaits& operator=(const MailboxWaits&) = delete;

  MailWaiter& operator[](size_t i) { return waiters_[i]; }
  std::array<MailWaiter, kMost>& all() { return waiters_; }

  void Withdraw() {
    for (MailWaiter& w : waiters_) MailboxCell::Withdraw(w);
  }
  absl::Status TimedOut() const {  // of a Select some may be nobody's
    const MailWaiter* w = &waiters_[0];
    while (w->at.cell == nullptr && w != &waiters_.back()) ++w;
    return internal::TimedOut(*w);
  }
  // A single one was unlinked by whoever settled the slot.
  void WithdrawOthers() {
    if constexpr (kMost > 1) Withdraw();
  }

 private:
  std::array<MailWaiter, kMost> waiters_;
};

// What a wait comes to if the mailbox has decided it at once.
absl::Status StatusOf(MailboxCell::PutResult result);
absl::Status StatusOf(MailboxCell::TakeResult result);

MailboxCell::PutResult BeginSend(MailboxId to, Envelope& e, bool until_taken,
                                 ReplySlotOf<void>& slot, MailWaiter& waiter);
// Takes, or links the waiter; an error: it has done neither.
absl::Status TakeOrWait(const MailSource& from, ReplySlotOf<Mail>& slot, MailWaiter& waiter);
void BeginReceive(MailboxId from, uint32_t share, ReplySlotOf<Mail>& slot, MailWaiter& waiter);

// A begun wait, `begin(slot, waits)`, from its begin to its end, on a plain thread. `begin` consumes
// one reference of the slot.
template <class R, size_t kMost = 1, class Begin>
ReplyResult<R> WaitForMailbox(ActorSpace* space, absl::Duration timeout, Begin begin) {
  auto& slot = WaitingThread<R>::Make(absl::InfiniteFuture());
  MailboxWaits<kMost> waits;
  begin(slot, waits);
  ReplyResult<R> result = slot.Wait(space, timeout, [&waits] {
    waits.Withdraw();
    return waits.TimedOut();
  });
  waits.WithdrawOthers();
  return result;
}

// The same in a handler, which goes on at once. Without time to wait it gets what need not be waited
// for, as on a thread.
template <class R, size_t kMost = 1, class F, class Begin>
void ContinueFromMailbox(const Context& self, absl::Duration timeout, F then, Begin begin) {
  auto& awaited = Continuation<R, F, MailboxWaits<kMost>>::Make(CurrentActorRef(), std::move(then));
  ReplySlotOf<R>& slot = awaited;
  const bool in_time = RegisterMailWait(awaited, self, timeout);
  // Settled already: the actor is being destroyed.
  if (!slot.pending()) return slot.Release();
  begin(slot, awaited.waits());
  if (!in_time) awaited.fire(awaited);
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_WAITS_H_
