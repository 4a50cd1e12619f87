// The Down message on its way: addressed to an actor of unknown class, whose ActorType knows if it
// has an On(Down).
#ifndef TROUPE_ACTORS_INTERNAL_DOWN_MESSAGE_H_
#define TROUPE_ACTORS_INTERNAL_DOWN_MESSAGE_H_

#include "troupe/actors/any_ref.h"
#include "troupe/actors/exit.h"

namespace troupe::internal {

// Through the watcher's ordinary mailbox, so that it comes after all the ended actor sent there.
void SendDown(const AnyRef& watcher, Down down);

// What becomes of the acting actor if it has no handler for `down`. Erlang's link, in one direction: it
// does not survive a bad end.
void EndWith(const Down& down);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_DOWN_MESSAGE_H_
