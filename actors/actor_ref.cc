#include "troupe/actors/actor_ref.h"

#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/control.h"

namespace troupe::internal {
namespace {

struct StopMessage {};

// StopWhen::kDrained takes its turn among the messages.
void DispatchStop(Envelope& base, Delivery& d) {
  auto& envelope = static_cast<EnvelopeOf<StopMessage>&>(base);
  if (d.verb != Delivery::Verb::kHandle) return envelope.Lose(d);
  envelope.Free();
  d.self->Stop();
}

}  // namespace

SendResult PostMessage(const AnyRef& to, Envelope& e, bool may_block) {
  e.sender = ActorCell::CurrentRef();
  if (!to) {
    // Nobody belongs to no system: the sender's counts the letter, if the sender has one.
    if (ActorCell* sender = ActorCell::Current()) {
      sender->space().Lose(e, DeadLetterReason::kNoSuchActor, to);
    } else {
      Discard(e, Lost::kReceiverGone);
    }
    return SendResult::kClosed;
  }
  e.address = ActorCell::IncarnationOf(to);
  return ActorCell::Post(to, e, may_block ? PostMode::kByPolicy : PostMode::kNeverBlock);
}

void StopActor(const AnyRef& who, StopWhen when) {
  if (!who) return;
  if (when == StopWhen::kNow) {
    ActorCell::PostControl(who, Control::Make(Control::Kind::kStop));
    return;
  }
  auto* stop = EnvelopeOf<StopMessage>::Make(&DispatchStop, StopMessage(), std::source_location());
  stop->address = ActorCell::IncarnationOf(who) | kExempt;
  ActorCell::Post(who, *stop, PostMode::kNeverBlock);
}

}  // namespace troupe::internal
