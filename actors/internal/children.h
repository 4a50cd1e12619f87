// Children: whom an actor has spawned and has not yet seen end. Touched by its running thread
// alone.
//
//   Children children;
//   const uint32_t slot = children.Add(child);  // the child keeps it
//   children.Remove(slot);                      // touches no other child
//   children.ForEach([](ActorCell& child) { ... });
//
// Slots of removed children are used again first, last removed first. Memory: 8 to 16 bytes for
// each of the most children there were at once.
#ifndef TROUPE_ACTORS_INTERNAL_CHILDREN_H_
#define TROUPE_ACTORS_INTERNAL_CHILDREN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "troupe/core/node_pool.h"

namespace troupe::internal {

class ActorCell;

class Children {
 public:
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children() {
    if (slots_ != nullptr) FreeObject(slots_, BytesFor(capacity_));
  }

  bool empty() const { return count_ == 0; }
  uint32_t size() const { return count_; }

  // Throws std::bad_alloc.
  uint32_t Add(ActorCell& child) {
    if (first_free_ == capacity_) [[unlikely]]
      Grow();
    const uint32_t slot = first_free_;
    first_free_ = NextFree(slots_[slot]);
    slots_[slot] = reinterpret_cast<uintptr_t>(&child);
    ++count_;
    return slot;
  }

  void Remove(uint32_t slot) {
    slots_[slot] = Free(first_free_);
    first_free_ = slot;
    --count_;
  }

  // Gives back the slots, if there are no children.
  void Compact() {
    if (count_ != 0 || slots_ == nullptr) return;
    FreeObject(std::exchange(slots_, nullptr), BytesFor(std::exchange(capacity_, 0)));
    first_free_ = 0;
  }

  // `fn` must not add or remove.
  template <class Fn>
  void ForEach(Fn fn) const {
    for (uint32_t slot = 0; slot < capacity_; ++slot) {
      if (!IsFree(slots_[slot])) fn(*reinterpret_cast<ActorCell*>(slots_[slot]));
    }
  }

 private:
  static constexpr uint32_t kAtFirst = 4;

  // A slot holds a cell's address, which is even, or twice the next free slot plus one.
  static bool IsFree(uintptr_t content) { return content % 2 != 0; }
  static uintptr_t Free(uint32_t next) { return uintptr_t{next} << 1 | 1; }
  static uint32_t NextFree(uintptr_t content) { return static_cast<uint32_t>(content >> 1); }

  static size_t BytesFor(uint32_t slots) { return sizeof(uintptr_t) * slots; }

  // Out of line: Add is short without it.
  [[gnu::noinline]] void Grow() {
    const uint32_t capacity = capacity_ == 0 ? kAtFirst : 2 * capacity_;
    auto* const slots = static_cast<uintptr_t*>(AllocateObject(BytesFor(capacity)));
    std::copy_n(slots_, capacity_, slots);
    for (uint32_t slot = capacity_; slot < capacity; ++slot) slots[slot] = Free(slot + 1);
    if (slots_ != nullptr) FreeObject(slots_, BytesFor(capacity_));
    slots_ = slots;
    capacity_ = capacity;
  }

  uintptr_t* slots_ = nullptr;  // from the node pool: a parent of few is made often
  uint32_t capacity_ = 0;
  uint32_t first_free_ = 0;  // capacity_: none is free; the last free one leads there
  uint32_t count_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_CHILDREN_H_
