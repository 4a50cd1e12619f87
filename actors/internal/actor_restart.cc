// How a supervised actor ends a life and begins the next: the part of ActorCell that obeys a
// supervisor. supervised.h has the states.
#include <exception>
#include <memory>
#include <utility>

#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/control.h"
#include "troupe/actors/internal/supervised.h"

namespace troupe::internal {

void ActorCell::ObeyOrder(const Control& order, Context& self) {
  const bool ends = annex_ == kEndsNormally || (has_annex() && annex_->ending);
  if (type()->on_order != nullptr && !ends) return type()->on_order(actor_, order, self);
  if (!has_annex() || annex_->supervised == nullptr) {
    return End(order.reason, absl::OkStatus());
  }
  Supervised& me = *annex_->supervised;
  switch (order.kind) {
    case Control::Kind::kFinish:
      me.finished = true;
      if (!me.vacant) End(order.reason, absl::OkStatus());
      annex_->ending = true;  // if it is vacant, for the reason of its last life
      if (!annex_->defers) TakeDeferred();
      break;
    case Control::Kind::kStop:
      if (me.vacant) return Report(ChildReport::Kind::kStopAsked, order.reason, absl::OkStatus());
      End(order.reason, absl::OkStatus());
      break;
    case Control::Kind::kPark:
      if (!me.vacant) End(order.reason, absl::OkStatus());
      break;
    case Control::Kind::kBegin:
      if (me.vacant && !ends) BeginLife(self);
      break;
    default:
      break;
  }
}

void ActorCell::BeginLife(Context& self) {
  ActorAnnex& a = *annex_;
  try {
    actor_ = a.supervised->recipe->Make();
  } catch (...) {
    a.reason = ExitReason::kFailed;
    a.status = StatusOf(std::current_exception());
    return Report(ChildReport::Kind::kEnded, a.reason, a.status);
  }
  a.supervised->vacant = false;
  if (std::exchange(a.supervised->has_lived, true) && space().events().Wants<ActorRestarted>()) {
    space().events().Publish(
        ActorRestarted{ref(), type()->name, space().NameOf(*this), a.reason, a.status});
  }
  a.reason = ExitReason::kNormal;
  a.status = absl::OkStatus();
  self.sender_ = AnyRef();
  if (type()->on_start != nullptr) CallOnStart(self);
  if (a.ending) return;
  Report(ChildReport::Kind::kStarted, ExitReason::kNormal, absl::OkStatus());
  if (!a.defers) TakeDeferred();
}

// After E3. What comes from now on waits.
void ActorCell::EndLife() {
  ActorAnnex& a = *annex_;
  UnwatchAll(a);
  a.watched = RefSet();
  TellLinked(a, false);
  a.ending = a.told_to_end = a.on_stop_called = false;
  if (!a.supervised->keeps_mailbox) DropMessages();
  a.supervised->vacant = true;
  Report(ChildReport::Kind::kEnded, a.reason, a.status);
}

// Those that are there now.
void ActorCell::DropMessages() {
  TakeDeferred();
  annex_->last_resumed = nullptr;  // it is dropped, too
  for (uint64_t left = TakeSnapshot().queued; left > 0; --left) {
    Envelope* const e = first_ != nullptr ? first_ : Refill();
    if (e == nullptr) return;
    first_ = static_cast<Envelope*>(e->next);
    Dequeue();
    if ((e->address & kExempt) == 0) MakeRoom();  // a process holds it
    space().Lose(*e, DeadLetterReason::kStopped, ref());
  }
}

void ActorCell::Report(ChildReport::Kind kind, ExitReason reason, absl::Status status) {
  SendReport(*annex_->supervised, {ref(), kind, reason, std::move(status)});
}

}  // namespace troupe::internal
