#include "troupe/core/node_pool.h"

#include <atomic>
#include <iterator>
#include <utility>

#include "oneapi/tbb/scalable_allocator.h"
#include "troupe/core/mutex.h"

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

constexpr size_t kMaxCentralBytes = 4 << 20;  // of each class: 65,536 of the smallest blocks
constexpr std::align_val_t kAlignment{kGranularity};

// Relaxed throughout: a number for tests, which have joined the threads they ask about.
constinit std::atomic<int64_t> outstanding_blocks{0};

// ---- the allocator ------------------------------------------------------------------------------

void* AllocateBlock(size_t size_class) {
  const size_t bytes = (size_class + 1) * kGranularity;
  void* const block =
      kPooled ? scalable_aligned_malloc(bytes, kGranularity) : ::operator new(bytes, kAlignment);
  if (block == nullptr) throw std::bad_alloc();
  outstanding_blocks.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void FreeBlockMemory(void* block) {
  outstanding_blocks.fetch_sub(1, std::memory_order_relaxed);
  if (kPooled) {
    scalable_aligned_free(block);
  } else {
    ::operator delete(block, kAlignment);
  }
}

// A full batch, or what can be had of one: at least one block, or std::bad_alloc. Linked in the order
// in which the allocator gave them, which is mostly that of their addresses: messages that are sent
// in a row then lie in a row, and are read back at the speed of the prefetcher.
FreeBlock* AllocateBatch(size_t size_class) {
  FreeBlock* const first = ::new (AllocateBlock(size_class)) FreeBlock{nullptr, nullptr};
  FreeBlock* last = first;
  const size_t bytes = (size_class + 1) * kGranularity;
  int64_t more = 0;
  for (; more < kBatch - 1; ++more) {
    void* const block = scalable_aligned_malloc(bytes, kGranularity);
    if (block == nullptr) break;
    last->next = ::new (block) FreeBlock{nullptr, nullptr};
    last = last->next;
  }
  outstanding_blocks.fetch_add(more, std::memory_order_relaxed);
  return first;
}

void FreeBatchMemory(FreeBlock* batch) {
  while (batch != nullptr) FreeBlockMemory(std::exchange(batch, batch->next));
}

// ---- the central stock --------------------------------------------------------------------------

// Full or partly full batches of one class, which threads leave for each other. A lock, taken once
// a batch; a lock-free stack would have to read the link of a block that another thread may just
// have given back to the allocator.
class alignas(64) CentralStock {
 public:
  explicit constexpr CentralStock(size_t size_class)
      : max_batches_(kMaxCentralBytes / (kBatch * (size_class + 1) * kGranularity)) {}

  // False: full, the batch is still the caller's.
  bool Put(FreeBlock* batch) {
    MutexLock lock(mutex_);
    if (batches_ == max_batches_) return false;
    batch->next_batch = first_;
    first_ = batch;
    ++batches_;
    return true;
  }

  FreeBlock* Take() {
    MutexLock lock(mutex_);
    FreeBlock* const batch = first_;
    if (batch == nullptr) return nullptr;
    first_ = batch->next_batch;
    --batches_;
    return batch;
  }

 private:
  const size_t max_batches_;
  Mutex mutex_;
  FreeBlock* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
  size_t batches_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Global as malloc is: see the header. Neither constructed before main nor destroyed after it.
constinit CentralStock central[] = {CentralStock(0), CentralStock(1), CentralStock(2),
                                    CentralStock(3)};
static_assert(std::size(central) == kClasses);

// ---- the thread's stock -------------------------------------------------------------------------

void GiveAway(FreeBlock* batch, size_t size_class) {
  if (batch != nullptr && !central[size_class].Put(batch)) FreeBatchMemory(batch);
}

// Empties the thread's stocks when the thread ends, and leaves them so that later frees (by
// destructors of other thread_locals) go straight to the allocator.
struct ThreadExit {
  bool armed = false;
  ~ThreadExit();
};

// thread_local for its destructor. Touched on the slow path only, because access to it is checked.
thread_local ThreadExit thread_exit;
constinit thread_local bool thread_ended = false;  // outlives thread_exit: nothing destroys it

ThreadExit::~ThreadExit() {
  FlushThreadNodes();
  for (Stock& stock : thread_stocks.of_class) stock.room = 0;
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

// Called when the batch in use is empty.
void* AllocateSlow(size_t size_class) {
  if (size_class < kClasses && ThreadKeepsBlocks()) {
    Stock& stock = thread_stocks.of_class[size_class];
    FreeBlock* batch = std::exchange(stock.spare, nullptr);
    if (batch == nullptr) batch = central[size_class].Take();
    if (batch == nullptr) batch = AllocateBatch(size_class);
    stock.first = batch->next;
    stock.room = 1;  // that of a full batch; after one with fewer blocks the next is shorter
    return batch;
  }
  return AllocateBlock(size_class);
}

// Called when the batch in use is full, or has not been set up.
void FreeSlow(void* node, size_t size_class) {
  if (size_class >= kClasses || !ThreadKeepsBlocks()) return FreeBlockMemory(node);
  Stock& stock = thread_stocks.of_class[size_class];
  if (stock.first != nullptr) GiveAway(std::exchange(stock.spare, stock.first), size_class);
  stock.first = ::new (node) FreeBlock{nullptr, nullptr};
  stock.room = kBatch - 1;
}

}  // namespace node_pool_internal

void FlushThreadNodes() {
  namespace in = node_pool_internal;
  for (size_t size_class = 0; size_class < in::kClasses; ++size_class) {
    in::Stock& stock = in::thread_stocks.of_class[size_class];
    in::GiveAway(std::exchange(stock.first, nullptr), size_class);
    in::GiveAway(std::exchange(stock.spare, nullptr), size_class);
    stock.room = 0;  // as at the start: the next free or allocation sets it up again
  }
}

void TrimNodePool() {
  for (auto& stock : node_pool_internal::central) {
    while (node_pool_internal::FreeBlock* batch = stock.Take()) {
      node_pool_internal::FreeBatchMemory(batch);
    }
  }
}

int64_t OutstandingNodeBlocks() {
  return node_pool_internal::outstanding_blocks.load(std::memory_order_relaxed);
}

}  // namespace troupe
