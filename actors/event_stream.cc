#include "troupe/actors/event_stream.h"

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/core/type_name.h"

namespace troupe::internal {

bool IsEventName(std::string_view message_type) {
  for (const std::string_view name :
       {TypeName<ActorStarted>(), TypeName<ActorRestarted>(), TypeName<ActorEnded>(),
        TypeName<ChildStarted>(), TypeName<ChildEnded>(), TypeName<DeadLetter>()}) {
    if (name == message_type) return true;
  }
  return false;
}

bool IsLive(const AnyRef& who) {
  return who && ActorCell::Of(who)->IsLive(ActorCell::IncarnationOf(who));
}

void PostEvent(const AnyRef& to, Envelope& event) {
  event.address = ActorCell::IncarnationOf(to);
  ActorCell::Post(to, event, PostMode::kNeverBlock);
}

}  // namespace troupe::internal
