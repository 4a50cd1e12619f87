// Supervisor: an actor that starts its children, makes those anew that fail, and ends them in order.
// SupervisorTree: how one is set up.
#ifndef TROUPE_ACTORS_SUPERVISOR_H_
#define TROUPE_ACTORS_SUPERVISOR_H_

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/child_spec.h"
#include "troupe/actors/internal/function_actor.h"
#include "troupe/actors/reply.h"
#include "troupe/actors/supervisor_options.h"

namespace troupe {

namespace internal {
class Supervision;
class SupervisorRecipe;
struct SupervisorWake {};
}  // namespace internal

// ---- what a supervisor can be asked: by ask, from anywhere

// The name of a child, or its ref.
using ChildKey = std::variant<std::string, AnyRef>;

// Adds a child behind the others and starts it; answers with its ref when its OnStart has returned.
// kAlreadyExists: the name is taken. If it does not start: what its constructor or OnStart threw, and
// the supervisor does not keep the child. Such a child is gone when its supervisor is itself made
// anew.
//
//   supervisor.Ask(StartChild<Worker>({.name = "worker"}, 5))
template <class A>
class StartChild {
 public:
  using Reply = ActorRef<A>;
  template <class... Args>
  explicit StartChild(ChildOptions options, Args&&... args)
      : spec(internal::SpecOf<A>(std::move(options), std::forward<Args>(args)...)) {}

  internal::ChildSpec spec;  // for the framework
};

// Ends a child for good; answers when it has. The supervisor remembers how to make it (but not a
// temporary one). kNotFound: there is no such child.
struct TerminateChild {
  using Reply = void;
  ChildKey child;
};

// Starts a child that has ended for good, and answers with its ref, a new one. kNotFound: there is
// none by that name. kFailedPrecondition: it has not ended, or is being made anew. Or what its
// constructor or OnStart threw.
struct RestartChild {
  using Reply = AnyRef;
  std::string name;
};

// Forgets a child that has ended for good; as long as the supervisor lives, for when that is itself
// made anew it has again all children of its tree, and no others. kNotFound, kFailedPrecondition: as above.
struct DeleteChild {
  using Reply = void;
  std::string name;
};

enum class ChildState : uint8_t {
  kStarting,  // or waits for its turn to
  kRunning,
  kRestarting,  // waits for its next life
  kStopping,
  kEnded,  // for good; see RestartChild
};

struct ChildInfo {
  std::string name;
  AnyRef ref;             // nobody, if it has ended
  std::string_view type;  // the class of the actor
  ChildState state;
  bool is_supervisor;
};

// All children, in the order in which they are started.
struct WhichChildren {
  using Reply = std::vector<ChildInfo>;
};

// What was chosen for a child (OTP's get_childspec). kNotFound: there is no such child.
struct GetChildOptions {
  using Reply = ChildOptions;
  ChildKey child;
};

struct ChildCounts {
  size_t specs = 0;        // children, whether they have ended or not
  size_t active = 0;       // those that live
  size_t supervisors = 0;  // of the children, whether they live or not
  size_t workers = 0;
};
struct CountChildren {
  using Reply = ChildCounts;
};

// Whether a supervisor with these options takes such children, in one tree: what SupervisorTree::Add
// would throw and StartChild would answer (OTP's check_childspecs). Starts nothing.
// kInvalidArgument, kAlreadyExists (the same name twice); the message says which of them and why.
absl::Status CheckChildOptions(const std::vector<ChildOptions>& children,
                               const SupervisorOptions& supervisor = {});

// A child may fail, is made anew, and those who hold its ref need not know: the ref stays valid,
// what waits in the mailbox waits on, and messages sent meanwhile join the queue. Only the message
// that was being handled is lost, and who asked is told kInternal (kUnavailable, if a suspended
// handler had it).
//
// A child's life ends when it stops, is stopped or fails, and ChildOptions::restart says whether
// there is another. Each life has its own object, made from copies of the same arguments, and its
// own OnStart, OnStop and destructor; timers, asks, watches, suspended handlers and children of the
// child end with it. Its watchers are told of the last end only: a restart is no end, so there is no
// Down. A watch by the child is over; OnStart is the place to watch again.
//
// Children start one after the other, the next when the OnStart of the one before has returned (if
// that is a coroutine: or has suspended itself), and they end in reverse order, each within its
// `shutdown`, whatever ends the supervisor: Stop, its parent, System::Shutdown.
//
// A supervisor that gives up (more than `intensity` restarts in `period`, or a child that cannot be
// started in the first place) ends its children and fails, with a status that names the child. If it
// is itself a supervisor's child, that one decides; refs of its children then survive, too, but for
// those that were added by StartChild.
//
// Where this differs from OTP: nobody can be killed (ChildOptions::shutdown); a supervisor that gives
// up fails (OTP: shutdown), so a transient one is made anew; children that are ended have the reason
// kNormal, or kShutdown with the system (OTP: shutdown). There is no simple_one_for_one: StartChild adds
// any number of one kind, and a pool (pool.h) keeps a number of them. A child cannot be ignored: one
// that does not want to start throws. SupervisorTree::Start does not wait for the children, nor return
// why one did not start (OTP's start_link does both): a child that is added last starts when all others
// have started, and the status of the Down of a supervisor that is watched says who did not, and why.
//
// Thread safety  An actor: its ref is used from anywhere.
// Not for        work: a supervisor has no state but its children. Not for many short-lived actors
//                that need no restart, which are cheaper as plain children (Context::Spawn).
// Cost           A child: its cell, an annex of 192 bytes, its arguments. A start or an end of
//                one: a message each way, and a look at every sibling. A message to a child costs what
//                it costs to an actor with a watcher.
class Supervisor {
 public:
  // system.Spawn<Supervisor>(options): without children yet. Throws std::invalid_argument for a
  // negative intensity and a period that is not positive.
  explicit Supervisor(SupervisorOptions options = {});
  ~Supervisor();

  template <class A>
  void On(StartChild<A> start, Reply<ActorRef<A>> reply, Context& self) {
    auto shared = std::make_shared<Reply<ActorRef<A>>>(std::move(reply));
    Start(
        std::move(start.spec),
        [shared](absl::StatusOr<AnyRef> started) {
          if (!started.ok()) return shared->Send(started.status());
          shared->Send(ActorRef<A>(*started));
        },
        self);
  }
  void On(TerminateChild m, Reply<void> reply, Context& self);
  void On(RestartChild m, Reply<AnyRef> reply, Context& self);
  absl::Status On(DeleteChild m);
  std::vector<ChildInfo> On(WhichChildren);
  ChildCounts On(CountChildren);
  absl::StatusOr<ChildOptions> On(const GetChildOptions& m);

  // For the framework.
  void On(internal::ChildReport report, Context& self);
  void On(internal::SupervisorWake, Context& self);
  void Obey(const internal::Control& order, Context& self);
  internal::Supervision& supervision() { return *supervision_; }

 private:
  using OnStarted = std::function<void(absl::StatusOr<AnyRef>)>;
  void Start(internal::ChildSpec spec, OnStarted on_started, Context& self);

  const std::unique_ptr<internal::Supervision> supervision_;
};

// Sets up a supervisor and its children, and hands out their refs before they run:
//
//   troupe::SupervisorTree tree(system, {.strategy = troupe::Strategy::kRestForOne});
//   auto store = tree.Add<Store>({.name = "store"}, "data.db");
//   auto front = tree.Add<Front>({.name = "front"}, store);     // started after the store
//   auto root = tree.Start();
//
// In a handler, SupervisorTree tree(self, ...) makes the supervisor a child of the actor.
//
// Start starts the children, in this order, on the system's threads. What is sent to them before
// waits. A tree that is not started is ended by its destructor.
//
// Lifetime       Start it or destroy it before its System: nobody else can end what is held here.
// Thread safety  None: one thread sets it up.
// Errors         Throws std::invalid_argument for options out of range, a name that is taken, and a
//                significant permanent child; std::logic_error when it has been started. While the
//                system shuts down all refs are nobody.
class SupervisorTree {
 public:
  template <class System>
    requires(!std::same_as<System, Context>)
  explicit SupervisorTree(System& system, SupervisorOptions options = {})
      : SupervisorTree(system.space(), nullptr, std::move(options)) {}
  explicit SupervisorTree(Context& self, SupervisorOptions options = {});
  SupervisorTree(SupervisorTree&&) noexcept;
  SupervisorTree& operator=(SupervisorTree&&) = delete;
  ~SupervisorTree();

  // A child of class A, which is constructed from copies of `args` for each of its lives. The copies
  // are destroyed with the supervisor. Pass std::ref(x) where a constructor takes a reference.
  template <class A, class... Args>
  ActorRef<A> Add(ChildOptions options, Args&&... args) {
    return ActorRef<A>(
        AddChild(internal::SpecOf<A>(std::move(options), std::forward<Args>(args)...)));
  }
  // A child made of a function or of an object with handlers: a copy of it for each life.
  template <class F>
  auto Add(ChildOptions options, F function) {
    using A = internal::FunctionActorOf<F>;
    return ActorRef<A>(AddChild(internal::SpecOf<A>(std::move(options), std::move(function))));
  }
  // A supervisor as a child. What it returns adds children to that one until the whole is started.
  SupervisorTree AddSupervisor(ChildOptions child, SupervisorOptions options = {});

  // Of the whole tree. Call it once, on the tree that was constructed first.
  ActorRef<Supervisor> Start();
  // Of this supervisor. To be watched, asked and stopped as soon as the tree is started.
  ActorRef<Supervisor> ref() const { return ref_; }

 private:
  struct Building;

  SupervisorTree(internal::ActorSpace& space, internal::ActorCell* parent,
                 SupervisorOptions options);
  SupervisorTree(std::shared_ptr<Building> building, ActorRef<Supervisor> ref,
                 std::shared_ptr<internal::SupervisorRecipe> recipe);
  AnyRef AddChild(internal::ChildSpec spec);

  std::shared_ptr<Building> building_;
  ActorRef<Supervisor> ref_;
  std::shared_ptr<internal::SupervisorRecipe> recipe_;
  bool is_root_ = false;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_SUPERVISOR_H_
