// Stash<Actor>: messages that an actor puts off until it can handle them.
//
//   class Printer {
//    public:
//     void On(Print job, troupe::Context& self) {
//       if (!ready_) return (void)stash_.Add(std::move(job), self);     // later
//       ...
//     }
//     void On(Ready, troupe::Context& self) {
//       ready_ = true;
//       stash_.PutBack(self);                                           // now
//     }
//
//    private:
//     bool ready_ = false;
//     troupe::Stash<Printer> stash_{100};
//   };
//
// Take one where it depends on the message, or on data, whether it can be handled now. Where it
// depends on the state the actor is in and the type of the message, see StateMachine, which puts
// messages off unopened. A handler that waits for an answer needs neither: a coroutine
// (troupe/actors/coroutine.h) has the messages wait by itself.
//
// Order      PutBack puts all of them in front of the mailbox, in the order of the Adds: they are
//            handled before anything that has not been. One that is stashed again waits for the next
//            PutBack.
// Asks       Add takes the Reply along, and with it the deadline and the asker. If that passes
//            first, the ask is a dead letter (kExpired) when its turn comes.
// Capacity   As said to the constructor; 0 throws std::invalid_argument. If it is full the message is
//            a dead letter (kFull), its asker is told kResourceExhausted, and Add says false. It does
//            not count in ActorOptions::capacity, but in ActorStats::queued.
// The end    What is stashed when the actor ends is a dead letter (kStopped), and who asked is told
//            kUnavailable; so also after Stop(kDrained). For a supervised actor it is what its next
//            life begins with, if that keeps the mailbox.
// Cost       Add makes an envelope, as a Send does. PutBack is O(1).
// Threads    The handlers and continuations of its actor, of which it is a member.
#ifndef TROUPE_ACTORS_STASH_H_
#define TROUPE_ACTORS_STASH_H_

#include <cstdint>
#include <source_location>
#include <type_traits>
#include <utility>

#include "troupe/actors/actor_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/set_aside.h"
#include "troupe/actors/reply.h"

namespace troupe {

template <class Actor>
class Stash {
 public:
  explicit Stash(uint32_t capacity) : messages_(capacity) {}

  // What the handler has been given: the message, the Reply if it has taken one, and the Context. The
  // sender is kept as well. A question that is stashed without its Reply is answered by nobody.
  template <class M>
  bool Add(M&& message, Context& self,
           std::source_location where = std::source_location::current()) {
    auto* envelope = Enclose(std::forward<M>(message), where);
    return messages_.AddNew(*envelope, self.sender());
  }
  template <class M>
  bool Add(M&& message, Reply<typename std::decay_t<M>::Reply> reply, Context& self,
           std::source_location where = std::source_location::current()) {
    auto* envelope = Enclose(std::forward<M>(message), where);
    envelope->reply = std::move(reply);
    return messages_.AddNew(*envelope, self.sender());
  }

  void PutBack(Context&) { messages_.PutBack(); }

  uint32_t size() const { return messages_.size(); }
  uint32_t capacity() const { return messages_.capacity(); }

 private:
  template <class M>
  static auto* Enclose(M&& message, std::source_location where) {
    return internal::Pack<Actor>(internal::ThunkFor<Actor, std::decay_t<M>>(),
                                 std::forward<M>(message), where);
  }

  internal::SetAside messages_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_STASH_H_
