// ActorAnnex: the part of an actor's state that most actors never need. Made on first use, so an
// idle actor is one cell. Owned and touched by the running thread of its actor alone, but for
// ended_children.
#ifndef TROUPE_ACTORS_INTERNAL_ACTOR_ANNEX_H_
#define TROUPE_ACTORS_INTERNAL_ACTOR_ANNEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/children.h"
#include "troupe/actors/internal/deferred_messages.h"
#include "troupe/actors/internal/ended_children.h"
#include "troupe/actors/internal/links.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/ref_set.h"
#include "troupe/actors/internal/supervised.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/core/node_pool.h"

namespace troupe::internal {

class SuspendedHandler;

struct ActorAnnex {
  // From the node pool: half of the actors of a tree have an annex.
  static void* operator new(size_t bytes) { return AllocateObject(bytes); }
  static void operator delete(void* annex, size_t bytes) { FreeObject(annex, bytes); }

  Children children;
  EndedChildren ended_children;           // pushed by the children's threads
  RefSet watchers;                        // get a Down when this actor ends
  RefSet watched;                         // whose Down this actor expects; others are not delivered
  Links links;                            // both at once
  PendingReplies replies;                 // asks this actor waits for
  SuspendedHandler* suspended = nullptr;  // the newest
  DeferredMessages deferred;
  // The actor's next messages up to this one have been deferred before, so there is no answer among
  // them: they are deferred again as a whole, however many wait.
  Envelope* last_resumed = nullptr;
  OwnedTimers timers;                      // cancelled when it ends
  std::unique_ptr<Supervised> supervised;  // nullptr: no supervisor's child

  uint32_t spawns = 0;  // of children, ever
  // While it defers, for people: the thunk of the message whose handler that is.
  Thunk suspended_in = nullptr;
  bool defers = false;     // a suspended handler is not reentrant: messages wait in `deferred`
  bool named = false;      // registered with the space's names
  bool dedicated = false;  // has a thread of its own to give back

  bool ending = false;
  bool told_to_end = false;  // the children have been told, and timers and asks cancelled
  bool on_stop_called = false;
  ExitReason reason = ExitReason::kNormal;
  absl::Status status;

  // Gives back what its parts hold and do not use.
  void Compact(Timers& timers_of_system) {
    children.Compact();
    watchers.Compact();
    watched.Compact();
    replies.Compact(timers_of_system);
    timers.Compact();
  }

  // There is a next life: what comes now is for that one.
  bool AwaitsLife() const {
    return supervised != nullptr && (supervised->vacant || ending) && supervised->comes_back();
  }
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ACTOR_ANNEX_H_
