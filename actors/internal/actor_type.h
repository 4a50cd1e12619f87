// ActorType: what the framework must know of an actor class at run time, one constant per class, and one more
// for each other place where somebody is for whom its actors stand.
#ifndef TROUPE_ACTORS_INTERNAL_ACTOR_TYPE_H_
#define TROUPE_ACTORS_INTERNAL_ACTOR_TYPE_H_

#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/actors/exit.h"
#include "troupe/actors/internal/actor_memory.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/handler_result.h"
#include "troupe/core/place.h"
#include "troupe/core/type_name.h"

namespace troupe {
class Context;

namespace internal {

struct Control;

struct ActorType {
  std::string_view name;
  void (*destroy)(void* actor);                  // destroys the object and frees its memory
  void (*on_start)(void* actor, Context& self);  // nullptr where the class has none, as below
  void (*on_stop)(void* actor, Context& self);
  void (*on_down)(void* actor, Down down, Context& self);
  // Of a supervisor, which ends its children in order before it ends: told to stop, finish, park or
  // begin.
  void (*on_order)(void* actor, const Control& order, Context& self);
  bool held;  // whoever spawns it has the right to run it, see ActorCell::Birth
  // Whether it does not survive the bad end of one with whom it is linked.
  bool ends_with_links;
  const ActorType* of_class;  // the one that all of the class have in common
  Place place = Place::kThisProcess;
};

// The base of a class whose actors are held.
struct Held {};

template <class A>
void DestroyActor(void* actor) {
  static_cast<A*>(actor)->~A();
  FreeActorMemory(actor, sizeof(A), alignof(A));
}

// Whether A has a member of that name, callable or not, public or not: then the name becomes
// ambiguous in a class that inherits another such member.
struct HasOnStart {
  int OnStart;
};
struct HasOnStop {
  int OnStop;
};
template <class A, class Named>
struct Both : A, Named {};
template <class A>
concept NamesOnStart =
    std::is_class_v<A> && !std::is_final_v<A> && !requires { &Both<A, HasOnStart>::OnStart; };
template <class A>
concept NamesOnStop =
    std::is_class_v<A> && !std::is_final_v<A> && !requires { &Both<A, HasOnStop>::OnStop; };

template <class Actor>
constexpr void RefuseHook() {
  static_assert(kActor<Actor>, TROUPE_ERROR_HOOK_NOT_CALLABLE);
}

template <class Result>
inline constexpr bool kEndsLater = CoroutineHandler<Result>::kIs;
template <class Actor>
constexpr void RefuseLateStop() {
  static_assert(kActor<Actor>, TROUPE_ERROR_COROUTINE_ON_STOP);
}

template <class A>
constexpr auto OnStartOf() -> void (*)(void*, Context&) {
  if constexpr (requires(A& a, Context& self) { a.OnStart(self); }) {
    return [](void* actor, Context& self) {
      CallAndBegin(self, [actor](Context& kept) { return static_cast<A*>(actor)->OnStart(kept); });
    };
  } else if constexpr (requires(A& a) { a.OnStart(); }) {
    return [](void* actor, Context& self) {
      CallAndBegin(self, [actor](Context&) { return static_cast<A*>(actor)->OnStart(); });
    };
  } else {
    if constexpr (NamesOnStart<A>) RefuseHook<A>();
    return nullptr;
  }
}

template <class A>
constexpr auto OnStopOf() -> void (*)(void*, Context&) {
  if constexpr (requires(A& a, Context& self) { a.OnStop(self); }) {
    if constexpr (kEndsLater<decltype(std::declval<A&>().OnStop(std::declval<Context&>()))>) {
      RefuseLateStop<A>();
    }
    return [](void* actor, Context& self) { (void)static_cast<A*>(actor)->OnStop(self); };
  } else if constexpr (requires(A& a) { a.OnStop(); }) {
    if constexpr (kEndsLater<decltype(std::declval<A&>().OnStop())>) RefuseLateStop<A>();
    return [](void* actor, Context&) { (void)static_cast<A*>(actor)->OnStop(); };
  } else {
    if constexpr (NamesOnStop<A>) RefuseHook<A>();
    return nullptr;
  }
}

template <class A>
constexpr auto OnDownOf() -> void (*)(void*, Down, Context&) {
  if constexpr (requires(A& a, Down down, Context& self) { a.On(std::move(down), self); }) {
    return [](void* actor, Down down, Context& self) {
      CallAndBegin(
          self, [&](Context& kept) { return static_cast<A*>(actor)->On(std::move(down), kept); });
    };
  } else if constexpr (requires(A& a, Down down) { a.On(std::move(down)); }) {
    return [](void* actor, Down down, Context& self) {
      CallAndBegin(self, [&](Context&) { return static_cast<A*>(actor)->On(std::move(down)); });
    };
  } else {
    return nullptr;
  }
}

template <class A>
constexpr auto OnOrderOf() -> void (*)(void*, const Control&, Context&) {
  if constexpr (requires(A& a, const Control& order, Context& self) { a.Obey(order, self); }) {
    return [](void* actor, const Control& order, Context& self) {
      static_cast<A*>(actor)->Obey(order, self);
    };
  } else {
    return nullptr;
  }
}

template <class A>
struct HooksOf {  // specialised for an actor that is a state machine: state_dispatch.h
  static constexpr auto OnStart() { return OnStartOf<A>(); }
  static constexpr auto OnDown() { return OnDownOf<A>(); }
};

// A process has an On(Down) in any case, and says for itself whether it is told of them.
template <class A>
constexpr bool EndsWithLinks() {
  if constexpr (requires { A::kEndsWithLinks; }) {
    return A::kEndsWithLinks;
  } else {
    return HooksOf<A>::OnDown() == nullptr;
  }
}

template <class A>
inline constexpr ActorType kActorType{
    TypeName<A>(),        &DestroyActor<A>, HooksOf<A>::OnStart(),      OnStopOf<A>(),
    HooksOf<A>::OnDown(), OnOrderOf<A>(),   std::is_base_of_v<Held, A>, EndsWithLinks<A>(),
    &kActorType<A>};

// Of actors that stand for others there.
template <class A>
constexpr ActorType ActorTypeAt(Place place) {
  ActorType type = kActorType<A>;
  type.place = place;
  return type;
}

template <class A>
const ActorType* ActorTypeOf() {
  return &kActorType<A>;
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_ACTOR_TYPE_H_
