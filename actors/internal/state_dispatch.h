// Which handler of a state machine gets a message: chosen by the compiler for each state, and at run
// time by the state the machine is in. handler.h does the rest, on a view of the machine that has the
// handlers of one state.
#ifndef TROUPE_ACTORS_INTERNAL_STATE_DISPATCH_H_
#define TROUPE_ACTORS_INTERNAL_STATE_DISPATCH_H_

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/actor_type.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/down_message.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/machine_core.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/actors/reply.h"

namespace troupe {

template <class... Ss>
class StateMachine;

// What a handler returns that is declared only: its message waits for another state.
struct Postponed {};

// Sent to a state whose time is over; see StateMachine.
struct StateTimeout {
  uint64_t epoch = 0;  // for the framework: the state's (S1); 0: whatever state it is
};

namespace internal {

template <>
inline constexpr bool kNeedsNoRoom<StateTimeout> = true;

template <class T>
inline constexpr bool kIsStateMachine = false;
template <class... Ss>
inline constexpr bool kIsStateMachine<StateMachine<Ss...>> = true;

template <class A>
concept Machine =
    requires(A& a) { requires kIsStateMachine<std::remove_cvref_t<decltype(a.state)>>; };

template <class A>
using StatesOf = std::remove_cvref_t<decltype(std::declval<A&>().state)>;

template <class A, class S>
constexpr bool IsStateOf() {
  if constexpr (Machine<A>) {
    return StatesOf<A>::template kHas<S>;
  } else {
    return false;
  }
}
template <class A, class S>
inline constexpr bool kIsStateOf = IsStateOf<A, S>();

template <class Actor, class Message>
constexpr void RefuseState() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_NOT_A_STATE);
}

// ---- What the class A has for M. `Now` is a state, or nothing: then these are the handlers for all
// states. The shapes are those of handler.h.

template <class M, class A, class... Now>
concept InOnMessage = requires(A& a, M m, Now&... now) { a.On(now..., std::move(m)); };
template <class M, class A, class... Now>
concept InOnMessageSelf =
    requires(A& a, M m, Context& self, Now&... now) { a.On(now..., std::move(m), self); };
template <class M, class A, class... Now>
concept InOnMessageReply =
    Askable<M> && requires(A& a, M m, Reply<typename M::Reply> r, Now&... now) {
      a.On(now..., std::move(m), std::move(r));
    };
template <class M, class A, class... Now>
concept InOnMessageReplySelf =
    Askable<M> && requires(A& a, M m, Reply<typename M::Reply> r, Context& self, Now&... now) {
      a.On(now..., std::move(m), std::move(r), self);
    };
template <class M, class A, class... Now>
inline constexpr int kShapesIn =
    InOnMessage<M, A, Now...> + InOnMessageSelf<M, A, Now...> + InOnMessageReply<M, A, Now...> +
    InOnMessageReplySelf<M, A, Now...>;

template <class M, class A, class S>
concept PostponedIn = requires(A& a, M m, S& now) {
  { a.On(now, std::move(m)) } -> std::same_as<Postponed>;
};
template <class M, class A, class... Now>
concept HandledIn = kShapesIn<M, A, Now...> >= 1 && !(PostponedIn<M, A, Now> || ...);

// A coroutine that yields a state, as one that goes there: state_coroutine.h.
template <class Returned>
struct MoveAfter;

// Calls a handler, and goes to the state that it returns, if it does.
template <class A, class Call>
auto CallAndMove(A& machine, Context& self, Call call) {
  using Result = decltype(call());
  using Coroutine = CoroutineHandler<Result>;
  if constexpr (kIsStateOf<A, Result>) {
    machine.state.Move(call(), self);
  } else if constexpr (Coroutine::kIs && kIsStateOf<A, typename Coroutine::Value>) {
    return MoveAfter<Result>::Run(&machine.state, &self, call());
  } else {
    return call();
  }
}

// The machine in one state, or whatever state, as handler.h sees an actor.
template <class A, class... Now>
class InState {
 public:
  explicit InState(A& machine) : machine_(machine) {}

  template <class M>
    requires(InOnMessage<M, A, Now...> || InOnMessageSelf<M, A, Now...>)
  auto On(M&& m, Context& self) {
    return CallAndMove(machine_, self, [&]() -> decltype(auto) {
      if constexpr (InOnMessageSelf<M, A, Now...>) {
        return machine_.On(Here<Now>()..., std::move(m), self);
      } else {
        return machine_.On(Here<Now>()..., std::move(m));
      }
    });
  }
  template <class M>
    requires(InOnMessageReply<M, A, Now...> || InOnMessageReplySelf<M, A, Now...>)
  auto On(M&& m, Reply<typename M::Reply> reply, Context& self) {
    return CallAndMove(machine_, self, [&]() -> decltype(auto) {
      if constexpr (InOnMessageReplySelf<M, A, Now...>) {
        return machine_.On(Here<Now>()..., std::move(m), std::move(reply), self);
      } else {
        return machine_.On(Here<Now>()..., std::move(m), std::move(reply));
      }
    });
  }

 private:
  template <class S>
  S& Here() {
    return *machine_.state.template If<S>();
  }

  A& machine_;
};

// ---- The checks.

template <class View, class M>
constexpr bool IsReentrant() {
  using Coroutine = CoroutineHandler<HandlerResultOf<View, M>>;
  if constexpr (Coroutine::kIs) {
    return HandlerResultOf<View, M>::kReentrant;
  } else {
    return false;
  }
}

// Nothing is wrong with M in this state: there is no handler, or a right one.
template <class A, class M, class... Now>
constexpr bool IsRightIn() {
  if constexpr (!HandledIn<M, A, Now...>) {
    return true;
  } else if constexpr (kShapesIn<M, A, Now...> > 1) {
    return false;
  } else {
    using View = InState<A, Now...>;
    if constexpr (!Accepts<View, M>) return false;
    return sizeof...(Now) == 0 || !IsReentrant<View, M>();
  }
}

template <class Actor, class Message, class... Now>
constexpr void RefuseIn() {
  if constexpr (IsRightIn<Actor, Message, Now...>()) {
    return;
  } else if constexpr (kShapesIn<Message, Actor, Now...> > 1) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_AMBIGUOUS_HANDLER);
  } else if constexpr (Accepts<InState<Actor, Now...>, Message>) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_REENTRANT_STATE_HANDLER);
  } else if constexpr (Askable<Message>) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_WRONG_RESULT);
  } else {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_RETURNS_NO_STATE);
  }
}

template <class Actor, class Message>
constexpr void RefuseUnhandled() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_NO_STATE_HANDLES);
}
template <class Actor, class Message>
constexpr void RefuseTimeout() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_TIMEOUT_WITHOUT_HANDLER);
}
template <class Actor, class Message>
constexpr void RefuseStateHook() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_STATE_HOOK);
}
template <class Actor, class Message>
constexpr void RefusePostponedDown() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_POSTPONED_DOWN);
}

// ---- The thunks.

// No handler in this state: a dead letter.
void LoseUnhandled(Envelope& e);

template <class View, class A, class M>
void DispatchTo(Envelope& e, Delivery& d) {
  View view(*static_cast<A*>(d.actor));
  Delivery there;
  there.actor = &view;
  there.self = d.self;
  Dispatch<View, M>(e, there);
}

template <class A, class M>
void Postpone(Envelope& e, Delivery& d) {
  if constexpr (Askable<M>) {
    if (static_cast<EnvelopeOf<M>&>(e).reply.expired()) return LoseExpired(e);
  }
  static_cast<A*>(d.actor)->state.core().postponed().Add(e);
}

inline void DispatchUnhandled(Envelope& e, Delivery&) { LoseUnhandled(e); }

// What happens to M in S.
template <class A, class M, class S>
constexpr Thunk ThunkIn() {
  if constexpr (PostponedIn<M, A, S>) {
    return &Postpone<A, M>;
  } else if constexpr (HandledIn<M, A, S>) {
    return &DispatchTo<InState<A, S>, A, M>;
  } else if constexpr (HandledIn<M, A>) {
    return &DispatchTo<InState<A>, A, M>;
  } else {
    return &DispatchUnhandled;
  }
}

template <class A, class States = StatesOf<A>>
struct MachineThunks;
template <class A, class... Ss>
struct MachineThunks<A, StateMachine<Ss...>> {
  template <class M>
  static constexpr bool kHandles = (HandledIn<M, A> || ... || HandledIn<M, A, Ss>);
  template <class M>
  static constexpr bool kIsRight = IsRightIn<A, M>() && (IsRightIn<A, M, Ss>() && ...);

  template <class M>
  static constexpr void Refuse() {
    if constexpr (!kHandles<M>) {
      RefuseUnhandled<A, M>();
    } else {
      RefuseIn<A, M>();
      (RefuseIn<A, M, Ss>(), ...);
    }
  }

  // By the state's place in the list.
  template <class M>
  static constexpr Thunk kIn[] = {ThunkIn<A, M, Ss>()...};

  template <class M>
  static void Dispatch(Envelope& e, Delivery& d) {
    auto& envelope = static_cast<EnvelopeOf<M>&>(e);
    if (d.verb != Delivery::Verb::kHandle) [[unlikely]]
      return envelope.Lose(d);
    auto& state = static_cast<A*>(d.actor)->state;
    if constexpr (std::same_as<M, StateTimeout>) {
      const uint64_t epoch = envelope.message.epoch;
      if (epoch != 0 && epoch != state.core().epoch()) return envelope.Free();  // S1
    }
    kIn<M>[state.index()](e, d);
  }

  // ---- Down, which comes opened

  static constexpr bool kTakesDown = kHandles<Down>;

  template <class S>
  static void TakeDownIn(A& machine, Down& down, Context& self) {
    if constexpr (PostponedIn<Down, A, S>) {
      RefusePostponedDown<A, S>();
    } else if constexpr (HandledIn<Down, A, S>) {
      InState<A, S> view(machine);
      CallTelling(view, std::move(down), self);
    } else if constexpr (HandledIn<Down, A>) {
      InState<A> view(machine);
      CallTelling(view, std::move(down), self);
    } else {
      EndWith(down);
    }
  }
  static void TakeDown(void* actor, Down down, Context& self) {
    using Take = void (*)(A&, Down&, Context&);
    static constexpr Take kTakeIn[] = {&TakeDownIn<Ss>...};
    A& machine = *static_cast<A*>(actor);
    kTakeIn[machine.state.index()](machine, down, self);
  }

  // ---- entering and leaving

  template <class S>
  static constexpr bool kHasTimeout = requires(const S& now) {
    { now.timeout } -> std::convertible_to<absl::Duration>;
  };

  template <class S, class Result>
  static constexpr void CheckHook() {
    if constexpr (!std::is_void_v<Result>) RefuseStateHook<A, S>();
  }

  template <class S>
  static constexpr MachineHooks::Hook EnterOf() {
    constexpr bool with_self = requires(A& a, S& now, Context& self) { a.OnEnter(now, self); };
    constexpr bool without = requires(A& a, S& now) { a.OnEnter(now); };
    if constexpr (kHasTimeout<S> && !HandledIn<StateTimeout, A, S> && !HandledIn<StateTimeout, A>) {
      RefuseTimeout<A, S>();
    }
    if constexpr (!with_self && !without && !kHasTimeout<S>) {
      return nullptr;
    } else {
      return [](void* actor, Context& self) {
        A& machine = *static_cast<A*>(actor);
        S& now = *machine.state.template If<S>();
        if constexpr (kHasTimeout<S>) machine.state.SetTimeout(now.timeout, self);
        if constexpr (with_self) {
          CheckHook<S, decltype(machine.OnEnter(now, self))>();
          (void)machine.OnEnter(now, self);
        } else if constexpr (without) {
          CheckHook<S, decltype(machine.OnEnter(now))>();
          (void)machine.OnEnter(now);
        }
      };
    }
  }
  template <class S>
  static constexpr MachineHooks::Hook ExitOf() {
    if constexpr (requires(A& a, S& now, Context& self) { a.OnExit(now, self); }) {
      return [](void* actor, Context& self) {
        A& machine = *static_cast<A*>(actor);
        S& now = *machine.state.template If<S>();
        CheckHook<S, decltype(machine.OnExit(now, self))>();
        (void)machine.OnExit(now, self);
      };
    } else if constexpr (requires(A& a, S& now) { a.OnExit(now); }) {
      return [](void* actor, Context&) {
        A& machine = *static_cast<A*>(actor);
        S& now = *machine.state.template If<S>();
        CheckHook<S, decltype(machine.OnExit(now))>();
        (void)machine.OnExit(now);
      };
    } else {
      return nullptr;
    }
  }

  static TimerHandle StartTimeout(void* actor, Context& self, absl::Duration after,
                                  uint64_t epoch) {
    if (after == absl::InfiniteDuration()) return {};
    return self.SendAfter(after, self.ref(static_cast<A*>(actor)), StateTimeout{epoch});
  }

  static constexpr MachineHooks::Hook kEnter[] = {EnterOf<Ss>()...};
  static constexpr MachineHooks::Hook kExit[] = {ExitOf<Ss>()...};
  static constexpr MachineHooks kHooks{kEnter, kExit, &StartTimeout};
};

template <Machine A>
struct ThunksOf<A> {
  template <class M>
  static constexpr Thunk For() {
    using Thunks = MachineThunks<A>;
    if constexpr (!Movable<M>) {
      Refuse<A, M>();
    } else if constexpr (std::same_as<M, StateTimeout> && !Thunks::template kHandles<M>) {
      return &Thunks::template Dispatch<M>;  // of SetTimeout, in whatever machine
    } else if constexpr (Thunks::template kHandles<M> && Thunks::template kIsRight<M>) {
      return &Thunks::template Dispatch<M>;
    } else {
      Thunks::template Refuse<M>();
    }
    return nullptr;
  }
};

template <Machine A>
struct HooksOf<A> {
  static constexpr auto OnStart() -> void (*)(void*, Context&) {
    return [](void* actor, Context& self) {
      if constexpr (OnStartOf<A>() != nullptr) OnStartOf<A>()(actor, self);
      static_cast<A*>(actor)->state.BeginIn(actor, MachineThunks<A>::kHooks, self);
    };
  }
  static constexpr auto OnDown() -> void (*)(void*, Down, Context&) {
    if constexpr (MachineThunks<A>::kTakesDown) {
      return &MachineThunks<A>::TakeDown;
    } else {
      return nullptr;
    }
  }
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_STATE_DISPATCH_H_
