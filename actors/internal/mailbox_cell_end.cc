// Receive rights that come and go, and the end of a mailbox.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/mailbox_duties.h"

namespace troupe::internal {
namespace {

absl::Status ClosedStatus() { return absl::UnavailableError("the mailbox is closed"); }

}  // namespace

// ---- rights

uint32_t MailboxCell::AddShare(uint64_t incarnation) {
  Duties duties(*this);
  const Holder lock(*this);
  if (!is_open(incarnation) || spec_.receivers == Receivers::kExclusivePair) return 0;
  return AddShareLocked(duties);
}

uint32_t MailboxCell::Attach(uint64_t incarnation) {
  Duties duties(*this);
  const Holder lock(*this);
  if (!is_open(incarnation) || shares_ != 0) return 0;
  return AddShareLocked(duties);
}

uint32_t MailboxCell::AddShareLocked(Duties& duties) {
  ++referred_by_;
  const uint32_t share = ++last_share_;
  const bool is_only = shares_++ == 0;
  if (one_lane()) return share;
  if (is_only) {
    lanes_.front().share = share;  // with the backlog that nobody had
    return share;
  }
  lanes_.emplace_back(share);
  if (spec_.receivers == Receivers::kByKey) {
    Redistribute(lanes_);
    if (senders_.first() != nullptr) AdmitSenders(duties);  // there may be room for their keys (B2)
  }
  return share;
}

void MailboxCell::DropShare(uint64_t incarnation, uint32_t share) {
  {
    Duties duties(*this);
    const Holder lock(*this);
    if (is_open(incarnation)) DropShareLocked(share, duties);
  }
  Unrefer();
}

void MailboxCell::Refer() {
  const ShortLockHolder lock(lock_);
  ++referred_by_;
}

void MailboxCell::Unrefer() {
  bool last;
  {
    const ShortLockHolder lock(lock_);
    last = --referred_by_ == 0 && abandoned_;
  }
  if (last) delete this;
}

void MailboxCell::Abandon(std::unique_ptr<MailboxCell> cell) {
  bool kept;
  {
    const ShortLockHolder lock(cell->lock_);
    cell->abandoned_ = true;
    kept = cell->referred_by_ > 0;
  }
  if (kept) cell.release();  // Unrefer has it
}

void MailboxCell::DropShareLocked(uint32_t share, Duties& duties) {
  TurnAwayReceivers(share, absl::CancelledError("the receive right is gone"), duties);
  if (--shares_ == 0) {
    if (spec_.owner == MailboxOwner::kReceiver || draining_) {
      CloseLocked(Backlog::kDrop, absl::OkStatus(), duties);
    }
    return;
  }
  if (one_lane()) return;
  MailLane* const left = LaneOf(share);
  if (spec_.receivers == Receivers::kAll) {
    DropLane(*left, duties);
    lanes_.erase(lanes_.begin() + (left - lanes_.data()));
  } else {
    Lanes old = std::move(lanes_);
    lanes_.clear();
    for (const MailLane& lane : old) {
      if (lane.share != share) lanes_.emplace_back(lane.share);
    }
    Redistribute(old);
    ServeReceivers(duties);
  }
  if (senders_.first() != nullptr) AdmitSenders(duties);
  EndIfDrained(duties);
}

void MailboxCell::CallOff(uint64_t incarnation, uint32_t share) {
  Duties duties(*this);
  const Holder lock(*this, Intake::kAsItIs);  // if it is open nobody waits (B7)
  if (!is_open(incarnation)) return;
  TurnAwayReceivers(share, absl::CancelledError("the receive right was moved"), duties);
}

// Where the keys belong now.
void MailboxCell::Redistribute(Lanes& from) {
  std::vector<Envelope*> all;
  for (MailLane& lane : from) {
    if (lane.empty()) continue;
    for (Envelope* e = &lane.first(); e != nullptr; e = MailLane::NextOf(*e)) all.push_back(e);
    lane = MailLane(lane.share);
  }
  std::sort(all.begin(), all.end(), [](Envelope* a, Envelope* b) {
    return MailLane::IsBefore(*a, MailLane::StampOf(*b));  // B6
  });
  for (Envelope* const e : all) {
    LaneFor(*e)->Link(*e);
  }
}

// What others had a moment ago may be for some who wait.
void MailboxCell::ServeReceivers(Duties& duties) {
  for (MailLane& lane : lanes_) {
    while (!lane.empty() && NextReceiver(lane) != nullptr) {
      MailStamp stamp;
      MailWaiter* const sender = MailLane::SenderOf(lane.first());
      Envelope& e = lane.TakeFirst(stamp);
      NoteShrunk(lane);
      --sent_;  // which HandOver counts
      if (!HandOver(lane, e, stamp, duties)) {
        lane.PutInOrder(e, stamp, sender);
        ++sent_;
      } else if (sender != nullptr) {
        duties.Tell(*sender, absl::OkStatus());
      }
    }
  }
}

// ---- the end

size_t MailboxCell::Close(uint64_t incarnation, Backlog backlog, const absl::Status& why) {
  Duties duties(*this);
  const Holder lock(*this);
  return is_open(incarnation) ? CloseLocked(backlog, why, duties) : 0;
}

size_t MailboxCell::CloseLocked(Backlog backlog, const absl::Status& why, Duties& duties) {
  const absl::Status closed = why.ok() ? ClosedStatus() : OwnCopy(why);
  size_t left = 0;
  for (MailLane& lane : lanes_) {
    left += lane.depth();
    if (backlog == Backlog::kDrop) DropLane(lane, duties);
  }
  while (MailWaiter* const w = senders_.first()) {
    senders_.Remove(*w);
    ++dropped_;
    duties.Lose(*w->message, DeadLetterReason::kStopped, incarnation_);
    duties.Tell(*w, OwnCopy(closed));
  }
  while (MailWaiter* const w = close_watchers_.first()) {
    close_watchers_.Remove(*w);
    duties.Tell(*w, OwnCopy(why));
  }
  TurnAwayReceivers(0, closed, duties);
  draining_ = true;
  EndIfDrained(duties);
  return left;
}

void MailboxCell::DropLane(MailLane& lane, Duties& duties) {
  while (!lane.empty()) {
    MailStamp stamp;
    ++dropped_;
    duties.Lose(TakeOut(lane, stamp, ClosedStatus(), duties), DeadLetterReason::kStopped,
                incarnation_);
  }
}

// 0: all of them.
void MailboxCell::TurnAwayReceivers(uint32_t share, const absl::Status& why, Duties& duties) {
  MailWaiter* next;
  for (MailWaiter* w = receivers_.first(); w != nullptr; w = next) {
    next = w->next;
    if (share != 0 && w->share != share) continue;
    receivers_.Remove(*w);
    if (w->mail_slot->Claim()) {
      duties.TurnAway(*w->mail_slot, ErrorAt(w->index, OwnCopy(why)));
    } else {
      w->mail_slot->Release();
    }
  }
}

void MailboxCell::EndIfDrained(Duties& duties) {
  if (!draining_) return;
  for (const MailLane& lane : lanes_) {
    if (!lane.empty()) return;
  }
  incarnation_ = 0;
  duties.End(std::move(spec_));
}

}  // namespace troupe::internal
