#include "troupe/actors/internal/shard.h"

#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {

// Relaxed: what orders the counts is what follows them, see the header and ActorSpace::Launch.
constexpr auto kRelaxed = std::memory_order_relaxed;

Shard::Taken Shard::Take() {
  if (!lock_.TryAcquire()) [[unlikely]] {
    const Taken taken{slab_.Allocate(), DrawIncarnation()};
    spawned_outside_.fetch_add(1, kRelaxed);
    return taken;
  }
  const TryLockRelease release(lock_);
  ActorCell* const cell = cells_.Allocate();
  spawned_.store(spawned_.load(kRelaxed) + 1, kRelaxed);  // H3
  return {cell, NextIncarnation()};
}

uint64_t Shard::NextIncarnation() {
  if (incarnations_left_ == 0) {
    DrawIncarnations(incarnations_);
    incarnations_left_ = kIncarnationBatch;
  }
  return incarnations_[--incarnations_left_];
}

void Shard::Retire(ActorCell& cell) {
  if (!lock_.TryAcquire()) [[unlikely]]
    return slab_.Free(&cell);
  const TryLockRelease release(lock_);
  cells_.Free(&cell);
}

uint64_t Shard::spawned() const {
  return spawned_.load(kRelaxed) + spawned_outside_.load(kRelaxed);
}

}  // namespace troupe::internal
