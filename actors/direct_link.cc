#include "troupe/actors/direct_link.h"

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/waiting_thread.h"

namespace troupe::internal {

SendResult RefuseStranger(const AnyRef& end, Envelope& e, void* from) {
  e.sender = ActorCell::CurrentRef();
  ActorSpace* const space = SpaceOf(end);
  if (space != nullptr) space->Report(e, DeadLetterReason::kNotAllowed, end);
  Return(e, from);
  return space != nullptr ? SendResult::kNotAllowed : SendResult::kClosed;
}

}  // namespace troupe::internal
