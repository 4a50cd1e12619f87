// Memory for actor objects: the node pool's (node_pool.h). An actor is often made by one thread and
// ended by another, as a message is.
#ifndef TROUPE_ACTORS_INTERNAL_ACTOR_MEMORY_H_
#define TROUPE_ACTORS_INTERNAL_ACTOR_MEMORY_H_

#include <cstddef>
#include <new>

#include "troupe/core/node_pool.h"

namespace troupe::internal {

inline constexpr size_t kMostPooledAlignment = 64;

// What AllocateObject aligns to 16 only is taken as a node by what needs more.
constexpr bool IsNode(size_t alignment) { return alignment > 16; }

// Any thread. Throws std::bad_alloc. `bytes` and `alignment` of the free are those of the
// allocation.
inline void* AllocateActorMemory(size_t bytes, size_t alignment) {
  if (alignment > kMostPooledAlignment) return ::operator new(bytes, std::align_val_t{alignment});
  return IsNode(alignment) ? AllocateNode(bytes) : AllocateObject(bytes);
}
inline void FreeActorMemory(void* memory, size_t bytes, size_t alignment) {
  if (alignment > kMostPooledAlignment) {
    return ::operator delete(memory, std::align_val_t{alignment});
  }
  return IsNode(alignment) ? FreeNode(memory, bytes) : FreeObject(memory, bytes);
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ACTOR_MEMORY_H_
