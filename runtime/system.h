// System: a set of actors and what runs them. The one object an application makes.
#ifndef TROUPE_RUNTIME_SYSTEM_H_
#define TROUPE_RUNTIME_SYSTEM_H_

#include <algorithm>
#include <memory>
#include <source_location>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/function_actor.h"
#include "troupe/actors/internal/spawn.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/actors/naming.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/timer_handle.h"
#include "troupe/runtime/options.h"
#include "troupe/runtime/stats.h"

namespace troupe {

class SupervisorTree;

//   int main() {
//     troupe::System system;
//     auto account = system.Spawn<Account>();
//     account.Send(Deposit{100});
//     absl::StatusOr<int64_t> cents = account.Ask(Balance{}).Wait();
//   }                                        // ~System stops every actor and joins every thread
//
// Nothing is global: a process may have several systems, each with its own threads and actors;
// their refs work across, and a ref is valid while its own system lives.
// Where actors of two systems watch each other, let one system end before the other begins to.
//
// Actors may have names, by which others find them: Bind, Find and so on are in naming.h.
//
// Thread safety  All functions but the constructor and destructor may be called from any thread.
//                Shutdown and Join block, so they are for plain threads; handlers use Context.
// The host       A System installs no signal handler and its threads block all signals, so the
//                host's handlers run on the host's threads. It prints nothing, calls neither exit
//                nor abort on what a user or a message can cause, and runs nothing before main.
// fork           A child has none of the threads. There Shutdown and the destructor return at once
//                and leave everything as it is; nothing else may be called. Fork before making
//                systems, or exec right after.
class System : public Naming<System> {
 public:
  // Starts the workers. Throws std::system_error if the machine gives no more threads,
  // std::invalid_argument for options out of range (negative numbers, no messages or no time per
  // turn, a dispatcher that cannot be).
  explicit System(Options options = {});
  System(const System&) = delete;
  System& operator=(const System&) = delete;
  // Shutdown(options.shutdown_timeout). In a handler of this system, where that does not wait, its
  // threads are left to end by themselves.
  ~System();

  // A top-level actor of class A, constructed here and now from `args`; what its constructor throws
  // comes out of Spawn. Its OnStart and handlers run later, on a worker. During and after Shutdown
  // the ref returned is nobody. See Context::Spawn for children.
  template <class A, class... Args>
  ActorRef<A> Spawn(ActorOptions options, Args&&... args) {
    return ActorRef<A>(
        internal::SpawnActor<A>(space(), nullptr, &options, std::forward<Args>(args)...));
  }
  template <class A, class... Args>
  ActorRef<A> Spawn(Args&&... args) {
    return ActorRef<A>(
        internal::SpawnActor<A>(space(), nullptr, nullptr, std::forward<Args>(args)...));
  }
  // An actor made of one function: Spawn([n = 0](Inc m) mutable { n += m.by; }). Or of an object
  // that has handlers, which is moved: Spawn(Account{.cents = 5}).
  template <class F>
  auto Spawn(ActorOptions options, F function) {
    using A = internal::FunctionActorOf<F>;
    return ActorRef<A>(internal::SpawnActor<A>(space(), nullptr, &options, std::move(function)));
  }
  template <class F>
  auto Spawn(F function) {
    using A = internal::FunctionActorOf<F>;
    return ActorRef<A>(internal::SpawnActor<A>(space(), nullptr, nullptr, std::move(function)));
  }
  // A process: Spawn(Clerk, warehouse) runs the coroutine Clerk(self, warehouse). See process.h.
  template <internal::ProcessBody F, class First, class... Rest>
  auto Spawn(ActorOptions options, F body, First&& first, Rest&&... rest) {
    using A = internal::FunctionActorOf<F>;
    return ActorRef<A>(internal::SpawnActor<A>(space(), nullptr, &options, std::move(body),
                                               std::forward<First>(first),
                                               std::forward<Rest>(rest)...));
  }
  template <internal::ProcessBody F, class First, class... Rest>
  auto Spawn(F body, First&& first, Rest&&... rest) {
    using A = internal::FunctionActorOf<F>;
    return ActorRef<A>(internal::SpawnActor<A>(space(), nullptr, nullptr, std::move(body),
                                               std::forward<First>(first),
                                               std::forward<Rest>(rest)...));
  }

  // As the functions of the same name in Context, but the timer belongs to the system and is
  // cancelled by Shutdown.
  template <class To, class M>
  TimerHandle SendAfter(absl::Duration delay, const To& to, M message,
                        std::source_location where = std::source_location::current()) {
    auto* timed = new internal::OneMessage<M>(internal::ThunkTo<M>(to), std::move(message), where);
    return StartTimer(timed, delay, absl::ZeroDuration(), to);
  }
  template <class To, class M>
  TimerHandle SendEvery(absl::Duration period, const To& to, M message,
                        std::source_location where = std::source_location::current()) {
    auto* timed =
        new internal::RepeatedMessage<M>(internal::ThunkTo<M>(to), std::move(message), where);
    period = std::max(period, internal::kShortestPeriod);
    return StartTimer(timed, period, period, to);
  }

  // Waits until `who` has ended and says how. kNoSuchActor in the Down: it had ended before.
  // kDeadlineExceeded: it has not yet. kFailedPrecondition: called in a handler, or the system is
  // shutting down.
  absl::StatusOr<Down> Join(const AnyRef& who, absl::Duration timeout = absl::InfiniteDuration());

  // Ends everything and always returns by the deadline. In this order:
  //   S1  Spawn makes no more top-level actors; system timers are cancelled.
  //   S2  Every top-level actor is told to stop (kShutdown): children first, OnStop, mailbox
  //       closed, watchers told. Messages that arrive before an actor ends are handled or become
  //       dead letters, those after it are refused with kClosed. A Send that waits for room in a
  //       full mailbox waits no longer and says kFull.
  //   S3  Wait for the last actor. At the deadline, those still there are reported, with the
  //       handler that does not return.
  //   S4  Threads are joined. One that is still in a handler is left to itself; what it needs stays
  //       in memory until it returns (with a host's scheduler: for ever).
  // A second call, also by the destructor, only repeats the report; if the first is still at work
  // when the second's deadline comes, the second says who has not ended by then. In a handler it
  // begins S1 and S2 and returns without waiting.
  ShutdownReport Shutdown(absl::Duration timeout);

  SystemStats stats() const;
  // One entry per live actor, in no order. Walks every cell: for people and monitoring, not for
  // logic.
  std::vector<ActorStats> actors() const;

 private:
  friend class Naming<System>;  // needs the space
  friend class SupervisorTree;  // spawns as Spawn does
  struct Core;

  void Leak();
  internal::ActorSpace& space();
  TimerHandle StartTimer(internal::TimedMessage* timed, absl::Duration delay, absl::Duration period,
                         const AnyRef& to);

  std::shared_ptr<Core> core_;  // shared with the threads, see S4
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_SYSTEM_H_
