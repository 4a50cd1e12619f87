// System: a set of actors and what runs them. The one object an application makes.
#ifndef TROUPE_RUNTIME_SYSTEM_H_
#define TROUPE_RUNTIME_SYSTEM_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/mailbox_opening.h"
#include "troupe/actors/naming.h"
#include "troupe/actors/spawning.h"
#include "troupe/actors/timer_handle.h"
#include "troupe/actors/timing.h"
#include "troupe/runtime/options.h"
#include "troupe/runtime/stats.h"

namespace troupe {

class EventStream;
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
// Spawn is in spawning.h, SendAfter and SendEvery in timing.h. Actors may have names, by which others
// find them: Bind, Find and so on are in naming.h.
//
// Lifetime       Declare it before whatever holds refs or rights of it, so that it ends after them: what
//                outlives it must not be used; but a Receiver, and the end of a channel, may be received from
//                (it is closed) and destroyed.
// Thread safety  All functions but the constructor and destructor may be called from any thread.
//                Shutdown and Join block, so they are for plain threads; handlers use Context.
// The host       A System installs no signal handler and its threads block all signals, so the
//                host's handlers run on the host's threads. It prints nothing, calls neither exit
//                nor abort on what a user or a message can cause, and runs nothing before main.
// fork           A child has none of the threads. There Shutdown and the destructor return at once
//                and leave everything as it is; nothing else may be called. Fork before making
//                systems, or exec right after.
class System : public Spawning<System>,
               public Timing<System>,
               public Naming<System>,
               public MailboxOpening<System> {
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

  // Waits until `who` has ended and says how. kNoSuchActor in the Down, with a status of kNotFound: it
  // had ended before, well or badly.
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

  // What happens to its actors, as messages to whom it may concern; see event_stream.h.
  EventStream& events();

  SystemStats stats() const;
  // One entry per live actor, in no order. Walks every cell: for people and monitoring, not for
  // logic.
  std::vector<ActorStats> actors() const;

 private:
  friend class Naming<System>;  // these need what is private below
  friend class Spawning<System>;
  friend class Timing<System>;
  friend class MailboxOpening<System>;
  friend class SupervisorTree;  // spawns as Spawn does
  struct Core;

  void Leak();
  internal::ActorSpace& space();
  static internal::ActorCell* parent() { return nullptr; }  // of whom it spawns
  TimerHandle StartTimer(internal::TimedMessage* timed, absl::Duration delay, absl::Duration period,
                         const AnyRef& to);

  std::shared_ptr<Core> core_;  // shared with the threads, see S4
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_SYSTEM_H_
