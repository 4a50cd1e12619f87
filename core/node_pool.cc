#include "troupe/core/node_pool.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <new>
#include <span>
#include <utility>

#include "oneapi/tbb/scalable_allocator.h"
#include "troupe/core/mutex.h"
#include "troupe/core/slab_memory.h"

#if defined(__has_feature)
#define TROUPE_HAS_FEATURE(x) __has_feature(x)
#else
#define TROUPE_HAS_FEATURE(x) 0  // GCC before 14 has no __has_feature, but says __SANITIZE_...__
#endif

namespace troupe {
namespace node_pool_internal {
namespace {

#if defined(TROUPE_SANITIZER) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    TROUPE_HAS_FEATURE(address_sanitizer) || TROUPE_HAS_FEATURE(thread_sanitizer) ||              \
    TROUPE_HAS_FEATURE(memory_sanitizer)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

constexpr size_t kMaxCentralBytes = 4 << 20;  // of each class: 65,536 of 64 bytes and of fewer
constexpr std::align_val_t kAlignment{kStep};

constexpr size_t BytesOf(size_t size_class) {
  return size_class < kSmallClasses ? (size_class + 1) * kSmallStep
                                    : (size_class - kSmallClasses + 1) * kStep;
}

// Relaxed throughout: a number for tests, which have joined the threads they ask about.
constinit std::atomic<int64_t> outstanding_blocks{0};

void CountOutstanding(int64_t blocks) {
  outstanding_blocks.fetch_add(blocks, std::memory_order_relaxed);
}

// ---- where blocks come from ---------------------------------------------------------------------

// Never destroyed: a block may be freed by whatever runs last.
SlabMemory& SlabOf(size_t size_class) {
  constexpr auto kNew = [](size_t node_class) {
    return new SlabMemory(BytesOf(kSmallClasses + node_class), nullptr);
  };
  static SlabMemory* const slabs[] = {kNew(0), kNew(1), kNew(2), kNew(3)};
  static_assert(kSmallClasses + std::size(slabs) == kClasses);
  return *slabs[size_class - kSmallClasses];
}

bool FromSlab(size_t size_class) {
  return kPooled && size_class >= kSmallClasses && size_class < kClasses;
}

void* FromAllocator(size_t size_class, size_t bytes) {
  void* const block = !kPooled                     ? ::operator new(bytes, kAlignment)
                      : size_class < kSmallClasses ? scalable_malloc(BytesOf(size_class))
                                                   : scalable_aligned_malloc(bytes, kStep);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void ToAllocator(void* block, size_t size_class) {
  if (!kPooled) {
    ::operator delete(block, kAlignment);
  } else if (size_class < kSmallClasses) {
    scalable_free(block);
  } else {
    scalable_aligned_free(block);
  }
}

void* AllocateBlock(size_t size_class, size_t bytes) {
  void* block = nullptr;
  if (FromSlab(size_class)) {
    SlabOf(size_class).Allocate({&block, 1});
  } else {
    block = FromAllocator(size_class, bytes);
  }
  CountOutstanding(1);
  return block;
}

void FreeBlock(void* block, size_t size_class) {
  CountOutstanding(-1);
  if (FromSlab(size_class)) {
    SlabOf(size_class).Free({&block, 1});
  } else {
    ToAllocator(block, size_class);
  }
}

// ---- the central stock --------------------------------------------------------------------------

struct Batch {
  Batch* next;
  uint32_t count;
  void* blocks[kBatch];
};

// Batches of one class, which threads leave for each other. A lock, taken once a batch; each batch
// is copied in and out, which costs less than a tenth of a nanosecond a block.
class alignas(64) CentralStock {
 public:
  explicit constexpr CentralStock(size_t size_class)
      : max_batches_(kMaxCentralBytes / (kBatch * std::max(kStep, BytesOf(size_class)))) {}

  // False: full, or out of memory; the blocks are still the caller's.
  bool Put(std::span<void* const> blocks) {
    MutexLock lock(mutex_);
    if (batches_ == max_batches_) return false;
    Batch* const batch =
        unused_ != nullptr ? std::exchange(unused_, unused_->next) : new (std::nothrow) Batch;
    if (batch == nullptr) return false;
    batch->count = static_cast<uint32_t>(blocks.size());
    std::copy(blocks.begin(), blocks.end(), batch->blocks);
    batch->next = std::exchange(first_, batch);
    ++batches_;
    return true;
  }

  // How many of at most kBatch it has copied to `blocks`.
  uint32_t Take(void** blocks) {
    MutexLock lock(mutex_);
    if (first_ == nullptr) return 0;
    Batch* const batch = std::exchange(first_, first_->next);
    std::copy_n(batch->blocks, batch->count, blocks);
    batch->next = std::exchange(unused_, batch);
    --batches_;
    return batch->count;
  }

  void FreeUnused() {
    MutexLock lock(mutex_);
    while (unused_ != nullptr) delete std::exchange(unused_, unused_->next);
  }

 private:
  const size_t max_batches_;
  Mutex mutex_;
  Batch* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Batch* unused_ ABSL_GUARDED_BY(mutex_) = nullptr;  // without blocks
  size_t batches_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Global as malloc is: see the header. Neither constructed before main nor destroyed after it.
constinit CentralStock central[] = {CentralStock(0), CentralStock(1), CentralStock(2),
                                    CentralStock(3), CentralStock(4), CentralStock(5),
                                    CentralStock(6)};
static_assert(std::size(central) == kClasses);

// ---- the thread's stock -------------------------------------------------------------------------

void GiveBack(std::span<void* const> blocks, size_t size_class) {
  CountOutstanding(-static_cast<int64_t>(blocks.size()));
  if (FromSlab(size_class)) return SlabOf(size_class).Free(blocks);
  for (void* block : blocks) ToAllocator(block, size_class);
}

void GiveAway(std::span<void* const> blocks, size_t size_class) {
  if (!blocks.empty() && !central[size_class].Put(blocks)) GiveBack(blocks, size_class);
}

// At most a batch; at least one block, or std::bad_alloc. Turned round, so that they are handed out
// in the order of their addresses: messages that are sent in a row then lie in a row, and are read
// back at the speed of the prefetcher.
uint32_t TakeFresh(size_t size_class, void** blocks) {
  size_t count = 0;
  if (FromSlab(size_class)) {
    count = SlabOf(size_class).Allocate({blocks, kBatch});
  } else {
    while (count < kBatch && (blocks[count] = scalable_malloc(BytesOf(size_class))) != nullptr) {
      ++count;
    }
    if (count == 0) throw std::bad_alloc();
  }
  std::reverse(blocks, blocks + count);
  CountOutstanding(static_cast<int64_t>(count));
  return static_cast<uint32_t>(count);
}

// Empties the thread's stocks when the thread ends, and leaves them so that later frees (by
// destructors of other thread_locals) go straight to the slab.
struct ThreadExit {
  bool armed = false;
  ~ThreadExit();
};

// thread_local for its destructor. Touched on the slow path only, because access to it is checked.
thread_local ThreadExit thread_exit;
constinit thread_local bool thread_ended = false;  // outlives thread_exit: nothing destroys it

ThreadExit::~ThreadExit() {
  FlushThreadNodes();
  thread_ended = true;
}

// Whether this thread may keep blocks. Makes sure that it gives them back when it ends.
bool ThreadKeepsBlocks() {
  if (!kPooled || thread_ended) return false;
  thread_exit.armed = true;  // the first access arranges for the destructor
  return true;
}

}  // namespace

constinit thread_local ThreadStocks thread_stocks{};

// Called when the thread has no block at hand.
void* AllocateSlow(size_t size_class, size_t bytes) {
  if (size_class >= kClasses || !ThreadKeepsBlocks()) return AllocateBlock(size_class, bytes);
  Stock& stock = thread_stocks.of_class[size_class];
  uint32_t count = central[size_class].Take(stock.blocks);
  if (count == 0) count = TakeFresh(size_class, stock.blocks);
  stock.count = count - 1;
  return stock.blocks[stock.count];
}

// Called when the thread has as many as it may keep, or has not been set up.
void FreeSlow(void* block, size_t size_class) {
  if (size_class >= kClasses || !ThreadKeepsBlocks()) return FreeBlock(block, size_class);
  Stock& stock = thread_stocks.of_class[size_class];
  if (stock.count >= kMostKept) {  // the older half goes
    GiveAway({stock.blocks, kBatch}, size_class);
    std::copy(stock.blocks + kBatch, stock.blocks + kMostKept, stock.blocks);
    stock.count = kMostKept - kBatch;
  }
  stock.limit = kMostKept;
  stock.blocks[stock.count++] = block;
}

}  // namespace node_pool_internal

void FlushThreadNodes() {
  namespace in = node_pool_internal;
  for (size_t size_class = 0; size_class < in::kClasses; ++size_class) {
    in::Stock& stock = in::thread_stocks.of_class[size_class];
    for (uint32_t begin = 0; begin < stock.count; begin += in::kBatch) {
      const uint32_t count = std::min(stock.count - begin, in::kBatch);
      in::GiveAway({stock.blocks + begin, count}, size_class);
    }
    stock.count = stock.limit = 0;  // as at the start: the next free sets it up again
  }
}

void TrimNodePool() {
  namespace in = node_pool_internal;
  for (size_t size_class = 0; size_class < in::kClasses; ++size_class) {
    void* blocks[in::kBatch];
    while (const uint32_t count = in::central[size_class].Take(blocks)) {
      in::GiveBack({blocks, count}, size_class);
    }
    in::central[size_class].FreeUnused();
  }
}

int64_t OutstandingNodeBlocks() {
  // Relaxed: see there.
  return node_pool_internal::outstanding_blocks.load(std::memory_order_relaxed);
}

}  // namespace troupe
