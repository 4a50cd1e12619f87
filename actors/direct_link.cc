#include "troupe/actors/direct_link.h"

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/waiting_thread.h"

namespace troupe::internal {

SendResult RefuseStranger(const AnyRef& end, Envelope& e) {
  e.sender = ActorCell::CurrentRef();
  if (ActorSpace* const space = SpaceOf(end)) {
    space->Lose(e, DeadLetterReason::kNotAllowed, end);
    return SendResult::kNotAllowed;
  }
  Discard(e, Lost::kReceiverGone);
  return SendResult::kClosed;
}

}  // namespace troupe::internal
