// What a handler or hook gives back: a value, or a coroutine that is yet to run.
#ifndef TROUPE_ACTORS_INTERNAL_HANDLER_RESULT_H_
#define TROUPE_ACTORS_INTERNAL_HANDLER_RESULT_H_

#include <type_traits>
#include <utility>

#include "troupe/actors/internal/compile_error.h"

namespace troupe {
class Context;

namespace internal {

// For the types that a coroutine returns coroutine_handler.h says how they are run. It is not
// included here: GCC 12 has no coroutines for us.
template <class Result>
struct CoroutineHandler {
  static constexpr bool kIs = false;
  using Value = Result;  // what it yields in the end
};

// A continuation is not awaited by anybody, so it cannot be a coroutine. False: has said so.
template <class F, class Result>
constexpr bool MayContinue() {
  using Returned = typename decltype([] {
    if constexpr (std::is_invocable_v<F&, Result, Context&>) {
      return std::type_identity<std::invoke_result_t<F&, Result, Context&>>();
    } else {
      return std::type_identity<std::invoke_result_t<F&, Result>>();
    }
  }())::type;
  static_assert(!CoroutineHandler<Returned>::kIs, TROUPE_ERROR_COROUTINE_CONTINUATION);
  return !CoroutineHandler<Returned>::kIs;
}

template <class Call>
using ResultOfCall = std::invoke_result_t<Call&, Context&>;

// Calls, and begins what is a coroutine. That has a Context of its own, which lives as long as it.
template <class Call>
void CallAndBegin(Context& self, Call call) {
  using Coroutine = CoroutineHandler<ResultOfCall<Call>>;
  if constexpr (Coroutine::kIs) {
    Coroutine::Run(self, std::move(call));
  } else {
    call(self);
  }
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_HANDLER_RESULT_H_
