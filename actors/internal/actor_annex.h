// ActorAnnex: the part of an actor's state that most actors never need. Made on first use, so an
// idle actor is one cell. Owned and touched by the running thread of its actor alone, but for
// ended_children.
#ifndef TROUPE_ACTORS_INTERNAL_ACTOR_ANNEX_H_
#define TROUPE_ACTORS_INTERNAL_ACTOR_ANNEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/children.h"
#include "troupe/actors/internal/ended_children.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/ref_set.h"
#include "troupe/actors/internal/supervised.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/core/node_pool.h"

namespace troupe::internal {

class SuspendedHandler;

// Messages taken out of the mailbox before their turn, oldest first. A ring, so that one pointer will
// do.
class DeferredMessages {
 public:
  void Append(Envelope& e) {
    e.next = last_ != nullptr ? std::exchange(last_->next, &e) : &e;
    last_ = &e;
  }
  // The list of all of them and then `rest`; there are none any more.
  Envelope* TakeBefore(Envelope* rest) {
    if (last_ == nullptr) return rest;
    return static_cast<Envelope*>(std::exchange(std::exchange(last_, nullptr)->next, rest));
  }
  // Appends all from `first` to `last`; returns what was behind them.
  Envelope* AppendUpTo(Envelope& first, Envelope& last) {
    MailboxNode* const rest = last.next;
    last.next = last_ != nullptr ? std::exchange(last_->next, &first) : &first;
    last_ = &last;
    return static_cast<Envelope*>(rest);
  }
  Envelope* last() const { return static_cast<Envelope*>(last_); }

 private:
  MailboxNode* last_ = nullptr;  // whose `next` is the first
};

struct ActorAnnex {
  // From the node pool: half of the actors of a tree have an annex.
  static void* operator new(size_t bytes) { return AllocateObject(bytes); }
  static void operator delete(void* annex, size_t bytes) { FreeObject(annex, bytes); }

  Children children;
  EndedChildren ended_children;           // pushed by the children's threads
  RefSet watchers;                        // get a Down when this actor ends
  RefSet watched;                         // whose Down this actor expects; others are not delivered
  PendingReplies replies;                 // asks this actor waits for
  SuspendedHandler* suspended = nullptr;  // the newest
  DeferredMessages deferred;
  // The actor's next messages up to this one have been deferred before, so there is no answer among
  // them: they are deferred again as a whole, however many wait.
  Envelope* last_resumed = nullptr;
  OwnedTimers timers;                      // cancelled when it ends
  std::unique_ptr<Supervised> supervised;  // nullptr: no supervisor's child

  uint32_t spawns = 0;     // of children, ever
  bool defers = false;     // a suspended handler is not reentrant: messages wait in `deferred`
  bool named = false;      // registered with the space's names
  bool dedicated = false;  // has a thread of its own to give back

  bool ending = false;
  bool told_to_end = false;  // the children have been told, and timers and asks cancelled
  bool on_stop_called = false;
  ExitReason reason = ExitReason::kNormal;
  absl::Status status;

  // There is a next life: what comes now is for that one.
  bool AwaitsLife() const {
    return supervised != nullptr && (supervised->vacant || ending) && supervised->comes_back();
  }
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ACTOR_ANNEX_H_
