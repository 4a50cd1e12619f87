// FunctionActor<F>: an actor made of one function object; its parameters say what it handles. An
// object that is an actor already stays one, and the body of a process is one of its own.
#ifndef TROUPE_ACTORS_INTERNAL_FUNCTION_ACTOR_H_
#define TROUPE_ACTORS_INTERNAL_FUNCTION_ACTOR_H_

#include <type_traits>
#include <utility>

#include "troupe/actors/internal/compile_error.h"

namespace troupe::internal {

template <class F, class M, class... Rest>
class FunctionActor {
 public:
  explicit FunctionActor(F function) : function_(std::move(function)) {}

  auto On(M message, Rest... rest) {
    return function_(std::forward<M>(message), std::forward<Rest>(rest)...);
  }

 private:
  F function_;
};

// The actor class for a call operator `R (M, Rest...)`, const, mutable or noexcept.
template <class F, class Call>
struct FunctionActorFor;
template <class F, class R, class M, class... Rest>
struct FunctionActorFor<F, R (F::*)(M, Rest...)>
    : std::type_identity<FunctionActor<F, M, Rest...>> {};
template <class F, class R, class M, class... Rest>
struct FunctionActorFor<F, R (F::*)(M, Rest...) const>
    : std::type_identity<FunctionActor<F, M, Rest...>> {};
template <class F, class R, class M, class... Rest>
struct FunctionActorFor<F, R (F::*)(M, Rest...) noexcept>
    : std::type_identity<FunctionActor<F, M, Rest...>> {};
template <class F, class R, class M, class... Rest>
struct FunctionActorFor<F, R (F::*)(M, Rest...) const noexcept>
    : std::type_identity<FunctionActor<F, M, Rest...>> {};

template <class F>
concept FunctionOfOneMessage =
    requires { typename FunctionActorFor<F, decltype(&F::operator())>::type; };

template <class Actor>
constexpr void RefuseFunction() {
  static_assert(kActor<Actor>, TROUPE_ERROR_NOT_A_FUNCTION);
}

// Whether F has a member of that name: then it is an actor itself (actor_type.h has the trick).
struct HasOn {
  int On;
};
template <class F>
struct WithOn : F, HasOn {};
template <class F>
concept NamesOn = std::is_class_v<F> && !std::is_final_v<F> && !requires { &WithOn<F>::On; };

// For the body of a process, `type` is the Process. process.h says which functions are one; it is
// not included here: GCC 12 has no coroutines for us.
template <class F>
struct ProcessFor {};
template <class F>
concept ProcessBody = requires { typename ProcessFor<F>::type; };

template <class F>
constexpr auto FunctionActorType() {
  if constexpr (NamesOn<F>) {
    return std::type_identity<F>();
  } else if constexpr (ProcessBody<F>) {
    return ProcessFor<F>();
  } else if constexpr (FunctionOfOneMessage<F>) {
    return FunctionActorFor<F, decltype(&F::operator())>();
  } else {
    RefuseFunction<F>();
    return std::type_identity<Anything>();
  }
}
template <class F>
using FunctionActorOf = typename decltype(FunctionActorType<F>())::type;

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_FUNCTION_ACTOR_H_
