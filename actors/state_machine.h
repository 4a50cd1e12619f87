// StateMachine<States...>: an actor that behaves differently in each of several states.
//
//   struct Locked {};
//   struct Open { int coins; };
//
//   class Turnstile {
//    public:
//     Open On(Locked&, Coin) { return {.coins = 1}; }               // goes to Open
//     void On(Open& now, Coin) { ++now.coins; }                     // stays
//     Locked On(Open&, Push) { ++guests_; return {}; }
//     int On(HowMany) { return guests_; }                           // whatever state it is in
//
//     troupe::StateMachine<Locked, Open> state;                     // begins as the first
//    private:
//     int guests_ = 0;                                              // shared by all states
//   };
//   ...
//   troupe::ActorRef<Turnstile> turnstile = system.Spawn<Turnstile>();
//
// An actor is a state machine if it has a public member `state` of this type. A state is a plain
// class; it holds what is known in that state only. A handler names the state first, and then takes
// what any handler takes: On(S&, M), On(S&, M, Context&), On(S&, M, Reply<T>), On(S&, M, Reply<T>,
// Context&), On(S&, Down). It may be a coroutine, but not a reentrant one.
//
// Take one where the same message means different things at different times. One flag and an `if` is
// no machine yet, and a sequence of steps that wait for each other is a coroutine or a Process.
//
// Going on     A handler goes to another state by returning it, also one for all states; a coroutine
//              by co_returning it. One that returns an answer calls state.Become(S{...}, self), or
//              takes the Reply. Become is also for continuations of Then. Coming back to the same
//              state is a move like any other.
// A move       1. OnExit(S&) of the old state, if there is one; its timeout ends. 2. The old state is
//              destroyed. 3. The new one is moved into place. 4. OnEnter(S&), if there is one; its
//              timeout begins. Both may take a Context& as well, and return nothing. A returned state
//              is gone to when the handler has returned; Become moves at once, and then the S& of
//              the handler that calls it refers to nothing: let it be the last thing it does. Become
//              throws std::logic_error in OnEnter and OnExit (an immediate timeout can do what they
//              cannot), and while a coroutine handler is suspended, whose state must stay.
// Begin, end   The first state is entered when the actor's OnStart has returned (a coroutine: has
//              first been suspended). A Become before that says which state is the first. An actor
//              that ends leaves no state: there is OnStop, and the state's destructor.
// Which one    A message is for the handler of the present state; if that has none, for the one that
//              names no state; if there is none, it is a dead letter (kUnhandled), and who asked is
//              told kFailedPrecondition. That no state handles it is seen by the compiler. A Down
//              that finds no handler ends the actor as if it had none for any state (Context::Watch).
// Later        `troupe::Postponed On(Busy&, const Job&);` declares, without a body, that the message
//              waits: it is handled after the next move to a state of another class, before
//              everything that has come since, in the order of arrival, and perhaps postponed again.
//              The envelope stays closed: an ask keeps its Reply and its deadline. What waits is
//              bounded, see StateMachineOptions; beyond that the newest is a dead letter (kFull),
//              and who asked is told kResourceExhausted. What waits when the actor ends is a dead
//              letter (kStopped). It does not count in ActorOptions::capacity.
// Timeouts     A state with a data member `timeout`, an absl::Duration, has until then:
//
//                struct Green { absl::Duration timeout = absl::Seconds(30); };
//                Amber On(Green&, troupe::StateTimeout) { return {}; }
//
//              It counts from OnEnter, is not put off by messages, and is cancelled when the state is
//              left; none comes late. A full mailbox does not refuse it. SetTimeout sets another.
//              For a time without messages there is Context::SendWhenIdle.
// Cost         A message to a state: 2 ns more than to a plain actor (17 instead of 15, on one thread of
//              an AMD EPYC; tests/bench/micro/machines.cc). A move without a timeout: 10 ns, and no
//              allocation; a timeout: a timer's. A postponed message: O(1) when it comes, and again
//              for each move that it is postponed through. The member: 56 bytes and the largest
//              state.
// Threads      The actor's handlers and continuations.
#ifndef TROUPE_ACTORS_STATE_MACHINE_H_
#define TROUPE_ACTORS_STATE_MACHINE_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/machine_core.h"
#include "troupe/actors/internal/state_dispatch.h"

namespace troupe {

struct StateMachineOptions {
  // How many messages may be postponed; at least 1, else the constructor throws
  // std::invalid_argument.
  uint32_t postponed = 1000;
};

template <class... Ss>
class StateMachine : private internal::MachineCore {
  static_assert(sizeof...(Ss) > 0 && (std::same_as<Ss, std::decay_t<Ss>> && ...),
                "Troupe: a StateMachine lists its states, each a class and by value.");

 public:
  template <class S>
  static constexpr bool kHas = internal::kIsOneOf<S, Ss...>;

  // Begins as the first of the states, which must be default-constructible, or as `first`.
  explicit StateMachine(StateMachineOptions options = {}) : MachineCore(options.postponed) {
    Construct<First>();
  }
  template <class S>
    requires kHas<S>
  explicit StateMachine(S first, StateMachineOptions options = {})
      : MachineCore(options.postponed) {
    Construct<S>(std::move(first));
  }
  // Of an actor that has not been spawned yet.
  StateMachine(StateMachine&& other) : MachineCore(std::move(other)) {
    other.Visit([this]<class S>(S& state) { this->template Construct<S>(std::move(state)); });
  }
  StateMachine& operator=(StateMachine&&) = delete;
  ~StateMachine() { Destroy(); }

  template <class S>
  bool Is() const {
    return index_ == IndexOf<S>();
  }
  // The present state, or nullptr if it is another.
  template <class S>
  S* If() {
    return Is<S>() ? std::launder(reinterpret_cast<S*>(room_)) : nullptr;
  }

  template <class S>
  void Become(S next, Context& self) {
    CheckMayMove(self);
    Move(std::move(next), self);
  }
  // The present state has until `after` from now, instead of what it had. Infinite: for ever.
  void SetTimeout(absl::Duration after, Context& self) { StartTimeout(after, self); }
  // How many messages wait for another state.
  uint32_t postponed() const { return const_cast<StateMachine*>(this)->core().postponed().size(); }

  // ---- for the framework

  internal::MachineCore& core() { return *this; }
  uint32_t index() const { return index_; }  // in the list

  void BeginIn(void* machine, const internal::MachineHooks& hooks, Context& self) {
    Begin(machine, hooks);
    Enter(index_, self);
  }

  template <class S>
  void Move(S next, Context& self) {
    const uint32_t from = index_;
    Exit(from, self);
    Destroy();
    Construct<S>(std::move(next));  // throws nothing
    if (from != index_) core().postponed().PutBack();
    if (begun()) Enter(index_, self);
  }

 private:
  using First = std::tuple_element_t<0, std::tuple<Ss...>>;

  template <class S>
  static constexpr uint32_t IndexOf() {
    if constexpr (kHas<S>) {
      return internal::IndexOf<S, Ss...>();
    } else {
      internal::RefuseState<StateMachine, S>();
      return sizeof...(Ss);
    }
  }

  template <class S, class... Args>
  void Construct(Args&&... args) {
    static_assert(std::is_nothrow_move_constructible_v<S>,
                  "Troupe: a state must be movable without throwing; declare its move constructor "
                  "noexcept, or keep a std::unique_ptr in it.");
    index_ = IndexOf<S>();
    if constexpr (kHas<S>) new (room_) S(std::forward<Args>(args)...);
  }
  void Destroy() {
    Visit([]<class S>(S& state) { std::destroy_at(&state); });
  }
  template <class F>
  void Visit(F visit) {
    (void)((Is<Ss>() ? (visit(*If<Ss>()), true) : false) || ...);
  }

  alignas(Ss...) std::byte room_[std::max({sizeof(Ss)...})];
  uint32_t index_;
};

}  // namespace troupe

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h
#include "troupe/actors/internal/state_coroutine.h"
#endif

#endif  // TROUPE_ACTORS_STATE_MACHINE_H_
