// Node pool: the blocks that messages travel in, and the memory of actors. A message is allocated
// by its sender and freed by its receiver, usually on another thread, some ten million times a
// second; this is what an allocator for exactly that looks like.
//
//   Operation               Who         Effect
//   AllocateNode            any thread  a block of at least `bytes`, 64-byte aligned
//   FreeNode                any thread  gives it back, also another thread's; `bytes` as allocated
//   AllocateObject          any thread  the same, but up to 48 bytes are 16-byte aligned only and
//   FreeObject              any thread  take no more than the next multiple of 16
//   FlushThreadNodes        any thread  gives the caller's own stock back to the central one
//   TrimNodePool            any thread  gives the central stock back to the slab
//   OutstandingNodeBlocks   any thread  for tests: blocks held from slab and allocator
//
// Sizes       Classes of 64, 128, 192 and 256 bytes, for objects also of 16, 32 and 48; larger
//             blocks go straight to an allocator (oneTBB's scalable_aligned_malloc).
// Cost        Usually one load, one store and a counter, in line. A lock every 64 blocks if threads
//             only send or only receive; if the stock has run out, a slab (slab_memory.h), or for
//             the three small classes oneTBB's scalable_malloc, which adds nothing to a block.
// Memory      A thread keeps at most 128 free blocks of each class, the centre at most 4 MiB of
//             each (1 to 3 MiB of the small ones); beyond that the slab gets them back, and from it
//             the kernel. A thread that ends gives back its own.
// Errors      Allocating throws std::bad_alloc.
// Visibility  A block's content is for its users to pass on. What its last user did before FreeNode
//             happens before the next AllocateNode that returns the same block.
//
// One pool for the whole process, as with malloc: blocks belong to no system, and a message may
// outlive the system it was sent in. Nothing runs before main, and nothing is left to be destroyed
// after it.
//
// Under a sanitizer each block is its own ::operator new of `bytes`, so that it sees every use
// after free and beyond the end.
// Only node_pool.cc knows: there the lists stay empty and the code in this header always takes the
// slow way. So programs and libraries may be built with different flags.

#ifndef TROUPE_CORE_NODE_POOL_H_
#define TROUPE_CORE_NODE_POOL_H_

#include <cstddef>
#include <cstdint>

namespace troupe {

void* AllocateNode(size_t bytes);
void FreeNode(void* node, size_t bytes);
void* AllocateObject(size_t bytes);
void FreeObject(void* object, size_t bytes);

void FlushThreadNodes();
void TrimNodePool();

// Blocks that came from slab or allocator and have not gone back there. Under a sanitizer: exactly
// those in use. Otherwise also those in stock; exact again for a test whose other threads have
// ended, after FlushThreadNodes and TrimNodePool.
int64_t OutstandingNodeBlocks();

// -------------------------------------------------------------------------------------------------
// The fast path. Everything below is for the four functions above alone.

namespace node_pool_internal {

inline constexpr size_t kSmallStep = 16;
inline constexpr size_t kSmallClasses = 3;
inline constexpr size_t kStep = 64;
inline constexpr size_t kClasses = kSmallClasses + 4;
inline constexpr uint32_t kBatch = 64;
inline constexpr uint32_t kMostKept = 2 * kBatch;

// The free blocks of one class that one thread has at hand, as pointers beside the blocks: taking
// one out or putting one back touches no block. A block that another core has just freed would
// answer with a cache miss, and a list through the blocks with one miss after the other.
// Twice a batch, so that a thread which allocates and frees in turn at a batch's edge does not move
// one each time. (Bonwick's and Adams's magazines, "Magazines and Vmem", USENIX 2001.)
struct Stock {
  uint32_t count;
  uint32_t limit;  // how many it takes; 0 at first: the first free is slow
  void* blocks[kMostKept];
};

struct ThreadStocks {
  Stock of_class[kClasses];
};

// How many allocations ahead a block is fetched into this core's cache.
inline constexpr uint32_t kAhead = 4;

// thread_local: no thread has to be told about the pool, and the fast path needs no lock. constinit
// and without a destructor: an access is a few instructions, with no check whether it has been
// initialised. (At the thread's exit it is emptied by another variable, see node_pool.cc.)
extern constinit thread_local ThreadStocks thread_stocks;

void* AllocateSlow(size_t size_class, size_t bytes);
void FreeSlow(void* block, size_t size_class);

// kClasses or more: too large for a class.
constexpr size_t ClassOfNode(size_t bytes) {
  return kSmallClasses + (bytes == 0 ? 0 : (bytes - 1) / kStep);
}
constexpr size_t ClassOfObject(size_t bytes) {
  if (bytes > kSmallClasses * kSmallStep) return ClassOfNode(bytes);
  return bytes == 0 ? 0 : (bytes - 1) / kSmallStep;
}

inline void* Allocate(size_t size_class, size_t bytes) {
  if (size_class < kClasses) {
    Stock& stock = thread_stocks.of_class[size_class];
    if (stock.count != 0) [[likely]] {
      void* const block = stock.blocks[--stock.count];
      // Any of the old pointers will do near the bottom: it is but a hint.
      __builtin_prefetch(stock.blocks[(stock.count - kAhead) % kMostKept], 1);
      return block;
    }
  }
  return AllocateSlow(size_class, bytes);
}

inline void Free(void* block, size_t size_class) {
  if (size_class < kClasses) {
    Stock& stock = thread_stocks.of_class[size_class];
    if (stock.count < stock.limit) [[likely]] {
      stock.blocks[stock.count++] = block;
      return;
    }
  }
  FreeSlow(block, size_class);
}

}  // namespace node_pool_internal

inline void* AllocateNode(size_t bytes) {
  return node_pool_internal::Allocate(node_pool_internal::ClassOfNode(bytes), bytes);
}
inline void FreeNode(void* node, size_t bytes) {
  node_pool_internal::Free(node, node_pool_internal::ClassOfNode(bytes));
}
inline void* AllocateObject(size_t bytes) {
  return node_pool_internal::Allocate(node_pool_internal::ClassOfObject(bytes), bytes);
}
inline void FreeObject(void* object, size_t bytes) {
  node_pool_internal::Free(object, node_pool_internal::ClassOfObject(bytes));
}

}  // namespace troupe

#endif  // TROUPE_CORE_NODE_POOL_H_
