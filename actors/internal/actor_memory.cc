#include "troupe/actors/internal/actor_memory.h"

#include <new>

#include "oneapi/tbb/scalable_allocator.h"
#include "troupe/core/node_pool.h"

namespace troupe::internal {

#ifdef TROUPE_SANITIZER  // so that the sanitizers see every object

void* AllocateActorMemory(size_t bytes, size_t alignment) {
  return ::operator new(bytes, std::align_val_t{alignment});
}
void FreeActorMemory(void* memory, size_t bytes, size_t alignment) {
  ::operator delete(memory, bytes, std::align_val_t{alignment});
}

#else

void* AllocateActorMemory(size_t bytes, size_t alignment) {
  void* memory =
      alignment <= 8 ? scalable_malloc(bytes) : scalable_aligned_malloc(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void FreeActorMemory(void* memory, size_t, size_t alignment) {
  alignment <= 8 ? scalable_free(memory) : scalable_aligned_free(memory);
}

#endif

}  // namespace troupe::internal
