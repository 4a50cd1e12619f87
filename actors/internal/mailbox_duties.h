// MailboxCell::Holder, MailboxCell::Duties: a mailbox's lock, and what others are to be told of what was
// decided under it. Part of mailbox_cell.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_DUTIES_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_DUTIES_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/mailbox_table.h"

namespace troupe::internal {

// Holds the lock. With Intake::kClosed also what came in the short way is in its lane; until the end
// nothing more comes in by it. At the end it is opened again if it may be (B7).
class ABSL_SCOPED_LOCKABLE MailboxCell::Holder {
 public:
  explicit Holder(MailboxCell& cell, Intake intake = Intake::kClosed)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(cell.lock_)
      : cell_(cell) {
    cell.lock_.Lock();
    if (intake == Intake::kClosed && cell.intake_open_) cell.CloseIntake();
  }
  ~Holder() ABSL_UNLOCK_FUNCTION() {
    if (!cell_.intake_open_) cell_.OpenIntake();
    cell_.lock_.Unlock();
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

 private:
  MailboxCell& cell_;
};

// Stands before the holder of the lock, so that it ends after it: waking somebody takes long, and dead
// letters and warnings run code of the user's, which may use the same mailbox.
class MailboxCell::Duties {
 public:
  explicit Duties(MailboxCell& cell) : cell_(cell) {}
  Duties(const Duties&) = delete;
  Duties& operator=(const Duties&) = delete;
  ~Duties() {
    for (auto& [slot, mail] : served_) slot->Fulfil(std::move(mail));
    for (auto& [slot, status] : told_) slot->Fulfil(std::move(status));
    for (const auto& [e, reason] : lost_) {
      e->address = 0;
      if (e == kept_) {
        cell_.space_.Report(*e, reason, AnyRef(), lost_by_);
      } else {
        cell_.space_.Lose(*e, reason, AnyRef(), lost_by_);
      }
    }
    if (warning_) warning_->first(warning_->second);
    if (ended_) cell_.space_.mailbox_table().Release(cell_, ended_->name);
  }

  void Give(ReplySlotOf<Mail>& slot, Mail mail) { served_.emplace_back(&slot, std::move(mail)); }
  void TurnAway(ReplySlotOf<Mail>& slot, absl::Status why) {
    served_.emplace_back(&slot, std::move(why));
  }
  // One who is no longer linked.
  void Tell(MailWaiter& w, absl::Status what) {
    if (w.told_slot->Claim()) {
      told_.emplace_back(w.told_slot, std::move(what));
    } else {
      w.told_slot->Release();
    }
  }
  // `by`, a mailbox of the cell, which may have ended. What it is called must be asked now, since the
  // losses may be its end; and only of the first, since all are of one mailbox.
  void Lose(Envelope& e, DeadLetterReason reason, uint64_t by) ABSL_NO_THREAD_SAFETY_ANALYSIS
  /* the lock is held, as always where there are Duties */ {
    if (lost_.empty() && cell_.space_.tells_losses()) lost_by_ = cell_.ToStringLocked(by);
    lost_.emplace_back(&e, reason);
  }
  void Refuse(Envelope& e, DeadLetterReason reason, uint64_t by, PutMode mode) {
    if (mode == PutMode::kTry) kept_ = &e;
    Lose(e, reason, by);
  }
  void Warn(std::function<void(const MailboxStats&)> call, const MailboxStats& stats) {
    warning_.emplace(std::move(call), stats);
  }
  void End(MailboxSpec spec) { ended_.emplace(std::move(spec)); }  // with what the user captured

 private:
  MailboxCell& cell_;
  absl::InlinedVector<std::pair<ReplySlotOf<Mail>*, ReplyResult<Mail>>, 1> served_;
  absl::InlinedVector<std::pair<ReplySlotOf<void>*, absl::Status>, 2> told_;
  absl::InlinedVector<std::pair<Envelope*, DeadLetterReason>, 1> lost_;
  std::string lost_by_;
  const Envelope* kept_ = nullptr;  // of lost_, the caller's
  std::optional<std::pair<std::function<void(const MailboxStats&)>, MailboxStats>> warning_;
  std::optional<MailboxSpec> ended_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_DUTIES_H_
