// The Down message on its way: addressed to an actor of unknown class, whose ActorType knows if it
// has an On(Down).
#ifndef TROUPE_ACTORS_INTERNAL_DOWN_MESSAGE_H_
#define TROUPE_ACTORS_INTERNAL_DOWN_MESSAGE_H_

#include <string_view>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/links.h"

namespace troupe::internal {

// Through the watcher's ordinary mailbox, so that it comes after all the ended actor sent there.
void SendDown(const AnyRef& watcher, Down down);

// Likewise, to one with whom it was linked.
struct LinkEnd {
  Down down;
  Links::Known known = {};
  bool for_good;  // or a life of it
};
void SendLinkEnd(const Links::Link& link, LinkEnd end);

// What becomes of the acting actor if it has no handler for `down`. It does not
// survive a bad end.
void EndWith(const Down& down, std::string_view bond = ", which it watched: ");

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_DOWN_MESSAGE_H_
