// What state_dispatch.h needs to know of handlers that are coroutines. Not for GCC 12 (core/task.h).
#ifndef TROUPE_ACTORS_INTERNAL_STATE_COROUTINE_H_
#define TROUPE_ACTORS_INTERNAL_STATE_COROUTINE_H_

#include <utility>

#include "troupe/actors/context.h"
#include "troupe/actors/coroutine.h"
#include "troupe/actors/internal/state_dispatch.h"
#include "troupe/core/task.h"

namespace troupe {

// The state stays while one of its handlers is suspended (machine_core.h, S3).
template <class A, class S>
  requires internal::kIsStateOf<A, S>
inline constexpr bool kOutlivesTaskOf<A&, S&> = true;
template <class A, class S>
  requires internal::kIsStateOf<A, S>
inline constexpr bool kOutlivesTaskOf<A&, const S&> = true;

namespace internal {

template <class S>
struct MoveAfter<Task<S>> {
  // `self` is the handler's own.
  template <class States>
  static Task<> Run(States* states, Context* self, Task<S> handler) {
    states->Move(co_await std::move(handler), *self);
  }
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_STATE_COROUTINE_H_
