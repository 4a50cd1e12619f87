// AskCycle: the actors that await each other in a circle, as an error. wait_edge.h says why there is
// no false alarm and none is missed.
#ifndef TROUPE_ACTORS_INTERNAL_ASK_CYCLE_H_
#define TROUPE_ACTORS_INTERNAL_ASK_CYCLE_H_

#include "absl/status/status.h"

namespace troupe::internal {

class ActorCell;

// Longer ones are ended by a deadline.
inline constexpr int kLongestAskCycle = 64;

// By the running thread of `asker`, after Enter. kFailedPrecondition, with all of them by class and
// name, if `asker` is in a cycle.
absl::Status CheckAskCycle(ActorCell& asker);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ASK_CYCLE_H_
