// Memory for actor objects: oneTBB's scalable allocator, which has no 32-byte minimum and gives
// memory back.
#ifndef TROUPE_ACTORS_INTERNAL_ACTOR_MEMORY_H_
#define TROUPE_ACTORS_INTERNAL_ACTOR_MEMORY_H_

#include <cstddef>

namespace troupe::internal {

// Any thread. Throws std::bad_alloc. `bytes` and `alignment` of the free are those of the
// allocation.
void* AllocateActorMemory(size_t bytes, size_t alignment);
void FreeActorMemory(void* memory, size_t bytes, size_t alignment);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ACTOR_MEMORY_H_
