// Slab<T>: type-stable memory for cells that others may still point to after they were freed.
// Slab<T, Beside>: the same, with a Beside for each of them that lies elsewhere.
//
//   Operation         Who                 Effect
//   Allocate          any thread          a cell: all zero bytes, or as its last user left it
//   Free              any thread          gives it back
//   ForEach           any thread          calls fn with each cell in use, while others come and go
//   OwnerOf           any thread          the owner of the slab that a cell lies in; costs one load
//   BesideOf          any thread          what lies beside a cell; costs one load
//   stats             any thread          a snapshot
//   Cache::Allocate   the cache's thread  the same, with a lock only once every 32 cells
//   Cache::Free       the cache's thread  the same
//
// Type-stable means: an address that was a cell stays one, readable and writable, until the slab is
// destroyed. What a stale pointer may touch in it must be atomic, and must tell it that the cell is
// no longer its own. The slab never constructs or destroys a T.
//
// S1  A cell is handed out as zero bytes or as its last user left it. So that user must leave a
//     state that says "closed", and all-zero must say the same: free pages go back to the kernel at
//     any time, and read zero from then on.
// S2  Addresses are unmapped by the destructor only.
// S3  The slab reads and writes nothing in a cell, free or not; what it knows about cells lies
//     elsewhere.
//
// Layout   Chunks of 2 MiB from mmap, 2 MiB aligned, so that a cell's address leads to the head of
//          its chunk; a chunk is 32 spans of 64 KiB; a span has a bitmap of its cells in the
//          chunk's head.
// Memory   A span whose cells are all free keeps its pages while few such spans exist (16, 1 MiB),
//          and gives them back to the kernel with MADV_DONTNEED beyond that. New cells come from
//          spans in use first, so load that has shrunk leaves free spans behind.
//          What lies beside the cells of a chunk is a mapping of its own, whose pages take memory once
//          they are written: nothing, for cells that do not use it.
// Cost     Allocate and Free: a short lock and a look at the bitmap; a page fault for a cell on a
//          fresh page.
// Errors   std::bad_alloc if the kernel gives no more address space.
//
// The idea is Bonwick's ("The Slab Allocator", USENIX 1994); type-stable memory under a state word
// is Greenwald's and Cheriton's (OSDI 1996) and SLAB_TYPESAFE_BY_RCU in Linux.

#ifndef TROUPE_CORE_SLAB_H_
#define TROUPE_CORE_SLAB_H_

#include <array>
#include <cstddef>
#include <type_traits>

#include "troupe/core/slab_memory.h"

namespace troupe {

struct NothingBeside {};

template <typename T, typename Beside = NothingBeside>
class Slab {
  static_assert(sizeof(T) % 64 == 0 && alignof(T) <= 64,
                "Slab<T>: declare T alignas(64), so that its size is a multiple of a cache line");

 public:
  using Stats = SlabMemory::Stats;
  class Cache;

  // `owner` is what OwnerOf answers for every cell of this slab.
  explicit Slab(void* owner) : memory_(sizeof(T), owner, kBesideBytes) {}

  // S2: nobody may look at a cell any more. Every Cache must be gone.
  ~Slab() = default;

  T* Allocate() {
    void* cell;
    memory_.Allocate({&cell, 1});
    return static_cast<T*>(cell);
  }

  void Free(T* cell) {
    void* const freed = cell;
    memory_.Free({&freed, 1});
  }

  // Calls fn(T&) for each cell handed out and not given back: at least those that are so during the
  // whole call. Cells in a Cache count as handed out, and a cell may be freed and even be reused
  // while fn looks at it: fn decides by the cell's own state. Holds no lock while it calls fn.
  template <typename Fn>
  void ForEach(Fn&& fn) {
    using Function = std::remove_reference_t<Fn>;
    memory_.ForEach(
        [](void* cell, void* function) {
          (*static_cast<Function*>(function))(*static_cast<T*>(cell));
        },
        const_cast<void*>(static_cast<const void*>(&fn)));
  }

  static void* OwnerOf(const T* cell) { return SlabMemory::OwnerOf(cell); }

  // Type-stable as the cell itself. A Beside is never constructed or destroyed.
  static Beside& BesideOf(const T* cell)
    requires(!std::is_empty_v<Beside>)
  {
    return *static_cast<Beside*>(SlabMemory::BesideOf(cell, sizeof(T), kBesideBytes));
  }

  Stats stats() const { return memory_.stats(); }

 private:
  static constexpr size_t kBesideBytes = std::is_empty_v<Beside> ? 0 : sizeof(Beside);

  SlabMemory memory_;
};

// Some free cells in the hand of one thread. The destructor gives them back.
template <typename T, typename Beside>
class Slab<T, Beside>::Cache {
 public:
  explicit Cache(Slab& slab) : slab_(slab) {}
  ~Cache() { Flush(); }
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  T* Allocate() {
    if (count_ == 0) count_ = slab_.memory_.Allocate({cells_.data(), kBatch});
    return static_cast<T*>(cells_[--count_]);
  }

  void Free(T* cell) {
    if (count_ == cells_.size()) GiveBack(kBatch);
    cells_[count_++] = cell;
  }

  void Flush() { GiveBack(count_); }

 private:
  static constexpr size_t kBatch = 32;

  // The newest: of two batches either will do, and this needs no moving.
  void GiveBack(size_t n) {
    count_ -= n;
    slab_.memory_.Free({cells_.data() + count_, n});
  }

  Slab& slab_;
  std::array<void*, 2 * kBatch> cells_;
  size_t count_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_CORE_SLAB_H_
