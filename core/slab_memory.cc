#include "troupe/core/slab_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <new>

namespace troupe {
namespace {

constexpr size_t kCellGranularity = 64;
constexpr size_t kBitsPerWord = 64;

// From the fifth chunk on a slab asks for huge pages. A small program then has no page more than it
// touches, and one of many cells one page fault where it had 512: 7 instead of 20 ns for each 64
// bytes.
constexpr size_t kChunksOfSmallPages = 4;

// nullptr if there is no address space left. mmap aligns to pages only: so more is mapped than
// needed, and what sticks out on either side is unmapped.
void* MapAligned(size_t bytes, size_t alignment) {
  void* const mapped = mmap(nullptr, bytes + alignment, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(mapped);
  const size_t before = -reinterpret_cast<uintptr_t>(begin) % alignment;
  if (before > 0) munmap(begin, before);
  if (alignment > before) munmap(begin + before + bytes, alignment - before);
  return begin + before;
}

// Small pages: most of it is never touched.
char* MapSparse(size_t bytes) {
  void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  madvise(mapped, bytes, MADV_NOHUGEPAGE);  // or not, if this kernel has none
  return static_cast<char*>(mapped);
}

}  // namespace

// What is known about the cells in [begin, begin + cells * cell_bytes_).
struct SlabMemory::Span {
  static constexpr size_t kMaxCells = kSpanBytes / kCellGranularity;

  char* begin;
  uint32_t cells;
  uint32_t used;
  Span* previous;
  Span* next;
  std::array<uint64_t, kMaxCells / kBitsPerWord> used_cells;  // bit b of word w: cell w * 64 + b

  bool full() const { return used == cells; }
};

// The head of a chunk. It takes the place of the first cells of the first span.
struct SlabMemory::Chunk {
  Head head;  // first, where HeadOf looks
  std::array<Span, kSpansPerChunk> spans;
};

void SlabMemory::SpanList::Add(Span& span) {
  span.previous = nullptr;
  span.next = first_;
  if (first_ != nullptr) first_->previous = &span;
  first_ = &span;
  ++size_;
}

void SlabMemory::SpanList::Remove(Span& span) {
  (span.previous != nullptr ? span.previous->next : first_) = span.next;
  if (span.next != nullptr) span.next->previous = span.previous;
  --size_;
}

SlabMemory::SlabMemory(size_t cell_bytes, void* owner, size_t beside_bytes)
    : cell_bytes_(cell_bytes),
      beside_bytes_(beside_bytes),
      reciprocal_(((uint64_t{1} << 32) + cell_bytes - 1) / cell_bytes),
      owner_(owner) {
  assert(cell_bytes % kCellGranularity == 0 && cell_bytes > 0 && cell_bytes <= kSpanBytes / 2);
}

SlabMemory::~SlabMemory() {
  for (Chunk* chunk : chunks_) {
    if (chunk->head.beside != nullptr) munmap(chunk->head.beside, BesideBytes());
    munmap(chunk, kChunkBytes);
  }
}

size_t SlabMemory::Allocate(std::span<void*> cells) {
  MutexLock lock(mutex_);
  size_t taken = 0;
  while (taken < cells.size()) {
    Span* const span = SpanWithRoom();
    if (span == nullptr) break;
    taken += TakeFrom(*span, cells.subspan(taken));
  }
  if (taken == 0) throw std::bad_alloc();
  return taken;
}

void SlabMemory::Free(std::span<void* const> cells) {
  MutexLock lock(mutex_);
  for (void* cell : cells) FreeOne(cell);
}

void SlabMemory::ForEach(void (*fn)(void* cell, void* argument), void* argument) {
  std::array<void*, Span::kMaxCells> cells;
  size_t count = 0;
  for (size_t span = 0; CellsInUse(span, cells, count); ++span) {
    for (size_t i = 0; i < count; ++i) fn(cells[i], argument);
  }
}

SlabMemory::Stats SlabMemory::stats() const {
  MutexLock lock(mutex_);
  const size_t spans = chunks_.size() * kSpansPerChunk;
  return {.cells_in_use = cells_in_use_,
          .resident_bytes = (spans - clean_.size()) * kSpanBytes,
          .mapped_bytes = chunks_.size() * kChunkBytes};
}

// Spans in use first, then those that still have their pages.
SlabMemory::Span* SlabMemory::SpanWithRoom() {
  if (partial_.first() != nullptr) return partial_.first();
  SpanList& list = free_.first() != nullptr ? free_ : clean_;
  if (list.first() == nullptr && !AddChunk()) return nullptr;
  Span* const span = list.first();
  list.Remove(*span);
  partial_.Add(*span);
  return span;
}

bool SlabMemory::AddChunk() try {
  chunks_.push_back(nullptr);  // first, so that nothing can throw once there is memory to lose
  void* const memory = MapAligned(kChunkBytes, kChunkBytes);
  char* const beside = memory != nullptr && beside_bytes_ > 0 ? MapSparse(BesideBytes()) : nullptr;
  if (memory == nullptr || (beside_bytes_ > 0 && beside == nullptr)) {
    if (memory != nullptr) munmap(memory, kChunkBytes);
    chunks_.pop_back();
    return false;
  }
  if (chunks_.size() > kChunksOfSmallPages) {
    madvise(memory, kChunkBytes, MADV_HUGEPAGE);  // or not, if this kernel has none
  }
  static_assert(sizeof(Chunk) <= kHeadBytes);
  Chunk* const chunk = ::new (memory) Chunk{.head = {owner_, beside}, .spans = {}};
  chunks_.back() = chunk;
  for (size_t i = kSpansPerChunk; i-- > 0;) {  // backwards: SpanList is last in, first out
    char* const start = static_cast<char*>(memory) + i * kSpanBytes;
    Span& span = chunk->spans[i];
    span.begin = i == 0 ? start + kHeadBytes : start;
    span.cells = static_cast<uint32_t>((start + kSpanBytes - span.begin) / cell_bytes_);
    clean_.Add(span);
  }
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

size_t SlabMemory::TakeFrom(Span& span, std::span<void*> cells) {
  size_t taken = 0;
  for (size_t word = 0; taken < cells.size() && !span.full();) {
    // The lowest free bit lies below span.cells, because the span is not full.
    const size_t bit = static_cast<size_t>(std::countr_one(span.used_cells[word]));
    if (bit == kBitsPerWord) {
      ++word;
      continue;
    }
    span.used_cells[word] |= uint64_t{1} << bit;
    ++span.used;
    cells[taken++] = span.begin + (word * kBitsPerWord + bit) * cell_bytes_;
  }
  cells_in_use_ += taken;
  if (span.full()) partial_.Remove(span);
  return taken;
}

void SlabMemory::FreeOne(void* cell) {
  Span& span = SpanOf(cell);
  const size_t index = IndexIn(span, cell);
  uint64_t& word = span.used_cells[index / kBitsPerWord];
  const uint64_t bit = uint64_t{1} << index % kBitsPerWord;
  assert((word & bit) != 0 && "this cell is free already");
  word &= ~bit;
  --cells_in_use_;
  if (span.full()) partial_.Add(span);
  if (--span.used > 0) return;
  partial_.Remove(span);
  KeepOrGiveBack(span);
}

void SlabMemory::KeepOrGiveBack(Span& span) {
  if (free_.size() < kMaxFreeSpans) return free_.Add(span);
  // From the first whole page to the end of the span. (Behind the head of a chunk there may be less
  // than a page before that, if pages are large: it stays as it is, as S1 allows.)
  const auto page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(span.begin);
  const uintptr_t first_page = (begin + page_bytes - 1) / page_bytes * page_bytes;
  const uintptr_t end = (begin / kSpanBytes + 1) * kSpanBytes;
  if (first_page < end) {
    madvise(reinterpret_cast<void*>(first_page), end - first_page, MADV_DONTNEED);
  }
  clean_.Add(span);
}

// The cells in use of the index-th span. False: there are not that many spans.
bool SlabMemory::CellsInUse(size_t index, std::span<void*> cells, size_t& count) const {
  MutexLock lock(mutex_);
  if (index / kSpansPerChunk >= chunks_.size()) return false;
  const Span& span = chunks_[index / kSpansPerChunk]->spans[index % kSpansPerChunk];
  count = 0;
  for (size_t word = 0; count < span.used; ++word) {
    for (uint64_t bits = span.used_cells[word]; bits != 0; bits &= bits - 1) {
      const size_t bit = static_cast<size_t>(std::countr_zero(bits));
      cells[count++] = span.begin + (word * kBitsPerWord + bit) * cell_bytes_;
    }
  }
  return true;
}

// Multiplied instead of divided: exact, since the offset is a multiple of cell_bytes_ and so small
// that the rounding of the reciprocal does not add up to one.
size_t SlabMemory::IndexIn(const Span& span, const void* cell) const {
  const auto offset = static_cast<uint64_t>(static_cast<const char*>(cell) - span.begin);
  return static_cast<size_t>((offset * reciprocal_) >> 32);
}

SlabMemory::Span& SlabMemory::SpanOf(const void* cell) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(cell);
  auto* const chunk = reinterpret_cast<Chunk*>(address & ~(kChunkBytes - 1));
  return chunk->spans[address % kChunkBytes / kSpanBytes];
}

}  // namespace troupe
