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
  ActorCell::Current()->ObeyOrder(Control(Control::Kind::kStop), *d.self);
}

}  // namespace

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
