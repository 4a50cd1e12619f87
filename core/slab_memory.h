// SlabMemory: what a Slab<T> is made of, for cells of any size. See slab.h; nobody else needs this.

#ifndef TROUPE_CORE_SLAB_MEMORY_H_
#define TROUPE_CORE_SLAB_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "troupe/core/mutex.h"

namespace troupe {

class SlabMemory {
 public:
  struct Stats {
    size_t cells_in_use;  // handed out and not given back; those in a Slab::Cache among them
    size_t
        resident_bytes;  // whole spans touched and not given back to the kernel; huge pages may add some
    size_t mapped_bytes;  // address space of the cells
  };

  // `cell_bytes` is a multiple of 64 and at most 32 KiB. `beside_bytes`: what each cell has beside it.
  SlabMemory(size_t cell_bytes, void* owner, size_t beside_bytes = 0);
  ~SlabMemory();
  SlabMemory(const SlabMemory&) = delete;
  SlabMemory& operator=(const SlabMemory&) = delete;

  // Fills `cells` from the front and returns how many; at least one. Throws std::bad_alloc.
  size_t Allocate(std::span<void*> cells);
  void Free(std::span<void* const> cells);

  void ForEach(void (*fn)(void* cell, void* argument), void* argument);

  Stats stats() const;

  static void* OwnerOf(const void* cell) { return HeadOf(cell).owner; }
  // In line: the sizes are known where it is called.
  static void* BesideOf(const void* cell, size_t cell_bytes, size_t beside_bytes) {
    const size_t offset = reinterpret_cast<uintptr_t>(cell) % kChunkBytes;
    return HeadOf(cell).beside + offset / cell_bytes * beside_bytes;
  }

 private:
  static constexpr size_t kChunkBytes = size_t{2} << 20;
  static constexpr size_t kSpanBytes = size_t{64} << 10;
  static constexpr size_t kSpansPerChunk = kChunkBytes / kSpanBytes;
  static constexpr size_t kHeadBytes = size_t{8} << 10;  // of a chunk, in its first span
  static constexpr size_t kMaxFreeSpans = 16;

  struct Span;
  struct Chunk;
  // How a chunk begins; never changes.
  struct Head {
    void* owner;
    char* beside;  // nullptr: nothing is
  };

  static const Head& HeadOf(const void* cell) {
    return *reinterpret_cast<const Head*>(reinterpret_cast<uintptr_t>(cell) & ~(kChunkBytes - 1));
  }

  // Spans with the same amount of use, linked through themselves. The last one added comes first.
  class SpanList {
   public:
    Span* first() const { return first_; }
    size_t size() const { return size_; }
    void Add(Span& span);
    void Remove(Span& span);

   private:
    Span* first_ = nullptr;
    size_t size_ = 0;
  };

  static Span& SpanOf(const void* cell);
  size_t IndexIn(const Span& span, const void* cell) const;

  Span* SpanWithRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AddChunk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t TakeFrom(Span& span, std::span<void*> cells) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FreeOne(void* cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepOrGiveBack(Span& span) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool CellsInUse(size_t index, std::span<void*> cells, size_t& count) const;

  size_t BesideBytes() const { return kChunkBytes / cell_bytes_ * beside_bytes_; }  // of a chunk

  const size_t cell_bytes_;
  const size_t beside_bytes_;
  const uint64_t reciprocal_;  // 2^32 / cell_bytes_, rounded up
  void* const owner_;

  mutable Mutex mutex_;  // mutable: stats() is const and takes it
  std::vector<Chunk*> chunks_ ABSL_GUARDED_BY(mutex_);
  // Every span is in one of these, or full and in none.
  SpanList partial_ ABSL_GUARDED_BY(mutex_);  // some cells in use
  SpanList free_ ABSL_GUARDED_BY(mutex_);     // none in use, pages kept; at most kMaxFreeSpans
  SpanList clean_ ABSL_GUARDED_BY(mutex_);    // none in use, no pages: never touched, or given back
  size_t cells_in_use_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace troupe

#endif  // TROUPE_CORE_SLAB_MEMORY_H_
