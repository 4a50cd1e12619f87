// Context: what an actor can do beyond handling the message at hand.
#ifndef TROUPE_ACTORS_CONTEXT_H_
#define TROUPE_ACTORS_CONTEXT_H_

#include <algorithm>
#include <source_location>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/hibernate.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/actors/mailbox_opening.h"
#include "troupe/actors/naming.h"
#include "troupe/actors/spawning.h"
#include "troupe/actors/timer_handle.h"
#include "troupe/actors/timing.h"

namespace troupe {

namespace internal {
class Answering;
class SuspendedHandler;
}  // namespace internal
class EventStream;
class SupervisorTree;

// An actor is a plain class. What the framework looks for in it, all public:
//
//   On(M)                            a handler: M by value, const M& or M&&. For a message with
//   On(M, Context&)                  `using Reply = T;` it answers by what it returns: T,
//   On(M, Reply<T>)                  absl::StatusOr<T> or an error absl::Status (for void: nothing or
//   On(M, Reply<T>, Context&)        absl::Status), or takes a Reply<T> and answers later. Overload
//                                    resolution is C++'s own, so On(int) takes a double, too.
//   On(Down), On(Down, Context&)     told of the end of those it watches
//   OnStart(), OnStart(Context&)     runs first, before any message
//   OnStop(), OnStop(Context&)       runs last, once the children have ended and before the destructor,
//                                    however the actor ends (but not if its constructor threw)
//   OnHibernate(),                   gives back memory while there is nothing to do; see
//   OnHibernate(Context&)            HibernateWhenIdle
//   state                            a data member: a StateMachine (state_machine.h)
//
// One of these runs at a time, on whatever thread. An exception that leaves a handler, a
// continuation or OnStart ends the actor with kFailed; one that leaves OnStop is dropped, and the
// reason for which the actor ended stands. Whatever Then, Watch and timers began ends with it.
//
// A handler that takes `Context& self` as its last parameter gets one. With it the actor spawns
// children (spawning.h), sends messages later (timing.h), uses names (naming.h) and opens mailboxes
// (mailbox_opening.h), besides what stands here. It is the acting actor's and belongs to that call: use
// it inside the handler (or continuation, OnStart, OnStop) that received it, on the same thread, and keep
// no pointer to it.
class Context : public Spawning<Context>,
                public Timing<Context>,
                public Naming<Context>,
                public MailboxOpening<Context> {
 public:
  Context& operator=(const Context&) = delete;

  // ---- who

  // This actor's ref, typed: self.ref(this).
  template <class A>
  ActorRef<A> ref(A* me) const {
    return ActorRef<A>(me == actor() ? self() : AnyRef());  // nobody, if `me` is some other object
  }
  AnyRef self() const;
  // The actor whose handler sent the message at hand; nobody if a plain thread did.
  AnyRef sender() const { return sender_; }
  // Time as the timers of this system tell it.
  absl::Time Now() const;
  // What happens to the actors of this system; see event_stream.h.
  EventStream& events() const;
  // By when the asker of the message at hand wants its answer: asks made in this handler end by
  // then, too. InfiniteFuture, if the message was sent rather than asked, or by an actor of another
  // system. A handler that answers and goes on says DropDeadline().
  absl::Time deadline() const { return deadline_; }
  void DropDeadline() { deadline_ = absl::InfiniteFuture(); }

  // ---- the end

  // Ends this actor with kNormal after the current handler. Messages still queued become dead
  // letters.
  void Stop();
  // Ends this actor with kFailed after the current handler, as an exception that leaves it would.
  // `status` must not be OK.
  void Fail(absl::Status status);

  // Asks for a Down message when `who` ends; at once, with kNoSuchActor, if it already has.
  // Watching twice is watching once. An actor without an On(Down) handler ends together with whom
  // it watches: kNormal ends are ignored, for any other reason it fails too (Erlang's link, in one
  // direction).
  void Watch(const AnyRef& who);
  // No Down from `who` is delivered after this returns.
  void Unwatch(const AnyRef& who);

  // Links this actor and `who`, as Erlang does: if either ends for any other reason than kNormal, the
  // other one fails, too, unless it has an On(Down) handler (a process: lists Down). That one is told
  // instead, of ordinary ends as well; whoever links to it need not ask it. If `who` has ended already
  // this actor learns of it at once, with kNoSuchActor.
  //
  // Linking twice is linking once, and a link is beside a watch: who has both gets one Down. When
  // either is made anew by a supervisor the link has ended, and the other one is told of that end.
  // Links and Unlinks of both sides may cross; in the end both agree.
  void Link(const AnyRef& who);
  // Ends the link, on both sides. No Down from `who` for it is delivered after this returns.
  void Unlink(const AnyRef& who);

  // ---- being idle

  // A copy of `message` to `to`, often self.ref(this), when this actor has been idle for `idle` (at
  // least 1 ms, and to the millisecond): whatever wakes it counts, messages, answers and timers, and
  // also an end that it watches or waits for; and it is not idle while a handler is suspended that keeps
  // messages waiting. Once for each such time, however long; again when it
  // has been busy since. Until cancelled, and so on as SendEvery. It costs a look each `idle` by the
  // timers, and nothing in a handler. A message that comes at that moment may be handled before.
  template <class To, class M>
  TimerHandle SendWhenIdle(absl::Duration idle, const To& to, M message,
                           std::source_location where = std::source_location::current()) {
    auto* timed = new internal::RepeatedMessage<M, internal::WhenIdle>(internal::ThunkTo<M>(to),
                                                                       std::move(message), where);
    idle = std::max(idle, internal::kShortestPeriod);
    return StartTimer(timed, idle, idle, to);
  }
  // Gives back memory when this actor has been idle for so long: calls its OnHibernate() or
  // OnHibernate(Context&), if it has one, which frees what it can make again; then what the framework
  // keeps for it and does not need (room for children, timers, watchers, the cells of children that
  // have ended). The next message wakes it as ever. For `me` say `this`.
  template <class A>
  TimerHandle HibernateWhenIdle(absl::Duration idle, A* me) {
    using Hibernate = internal::Hibernate;
    auto* timed = new internal::RepeatedMessage<Hibernate, internal::WhenIdle>(
        &internal::DispatchHibernate<A>, Hibernate{}, std::source_location());
    idle = std::max(idle, internal::kShortestPeriod);
    return StartTimer(timed, idle, idle, ref(me));
  }

  // ---- blocking

  // Runs `work` here and returns what it returns, after lending this worker's place to another
  // thread: so it may wait for a disk, a lock or a library without holding up other actors. This
  // actor handles nothing else meanwhile. Costs a thread wake-up; up to
  // Options::max_blocking_threads at once, beyond which the worker's place is held. Not for asks: their
  // Wait() is refused in here as in any handler.
  template <class Work>
  auto Blocking(Work work) -> decltype(work()) {
    BeginBlocking();
    return work();
  }

 private:
  friend class internal::ActorCell;         // makes one per activation
  friend class internal::SuspendedHandler;  // keeps one per coroutine
  friend class internal::Answering;         // sets the deadline
  friend class Naming<Context>;             // these need the space, who is the parent, and
  friend class Spawning<Context>;           // StartTimer
  friend class Timing<Context>;
  friend class MailboxOpening<Context>;
  friend class SupervisorTree;  // spawns as Spawn does
  explicit Context(internal::ActorCell& cell) : cell_(cell) {}
  Context(const Context&) = default;

  void* actor() const;
  internal::ActorCell* parent() const { return &cell_; }  // of whom it spawns
  internal::ActorSpace& space() const;
  TimerHandle StartTimer(internal::TimedMessage* timed, absl::Duration delay, absl::Duration period,
                         const AnyRef& to);
  void BeginBlocking();

  internal::ActorCell& cell_;
  AnyRef sender_;
  absl::Time deadline_ = absl::InfiniteFuture();
};

namespace internal {
inline Answering::Answering(Context& self, absl::Time deadline) : self_(self) {
  self.deadline_ = deadline;
}
inline Answering::~Answering() { self_.deadline_ = absl::InfiniteFuture(); }
}  // namespace internal

}  // namespace troupe

#endif  // TROUPE_ACTORS_CONTEXT_H_
