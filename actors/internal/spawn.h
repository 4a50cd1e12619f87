// SpawnActor: construct the user's object, then let the space give it a cell.
#ifndef TROUPE_ACTORS_INTERNAL_SPAWN_H_
#define TROUPE_ACTORS_INTERNAL_SPAWN_H_

#include <new>
#include <type_traits>
#include <utility>

#include "troupe/actors/actor_options.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/actor_memory.h"
#include "troupe/actors/internal/actor_type.h"
#include "troupe/actors/internal/compile_error.h"

namespace troupe::internal {

class ActorCell;
class ActorSpace;

// Takes over `actor`: destroys it at once if the space takes no more actors (the ref is then
// nobody) or if it throws. No `options`, the usual case, says all the defaults in one word.
AnyRef LaunchActor(ActorSpace& space, ActorCell* parent, const ActorOptions* options, void* actor,
                   const ActorType& type);

template <class Actor>
constexpr void RefuseToConstruct() {
  static_assert(kActor<Actor>, TROUPE_ERROR_NOT_CONSTRUCTIBLE);
}

// `type`: of A.
template <class A, class... Args>
AnyRef SpawnActorAs(const ActorType& type, ActorSpace& space, ActorCell* parent,
                    const ActorOptions* options, Args&&... args) {
  if constexpr (!std::is_constructible_v<A, Args...>) {
    RefuseToConstruct<A>();
    return AnyRef();
  } else {
    void* memory = AllocateActorMemory(sizeof(A), alignof(A));
    try {
      new (memory) A(std::forward<Args>(args)...);
    } catch (...) {
      FreeActorMemory(memory, sizeof(A), alignof(A));
      throw;
    }
    return LaunchActor(space, parent, options, memory, type);
  }
}
template <class A, class... Args>
AnyRef SpawnActor(ActorSpace& space, ActorCell* parent, const ActorOptions* options,
                  Args&&... args) {
  return SpawnActorAs<A>(kActorType<A>, space, parent, options, std::forward<Args>(args)...);
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SPAWN_H_
