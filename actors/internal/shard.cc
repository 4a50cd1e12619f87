#include "troupe/actors/internal/shard.h"

#include <utility>

#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {

namespace {

// Relaxed: what orders the counts is what follows them, see the header and ActorSpace::Launch.
constexpr auto kRelaxed = std::memory_order_relaxed;

// Goes on to the next before its link may be somebody else's; returns the one it was.
ActorCell* StepFrom(ActorCell*& cell) {
  return std::exchange(cell, static_cast<ActorCell*>(cell->next));
}

}  // namespace

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

void Shard::RetireAll(ActorCell& first) {
  if (!lock_.TryAcquire()) [[unlikely]] {
    for (ActorCell* cell = &first; cell != nullptr;) slab_.Free(StepFrom(cell));
    return;
  }
  const TryLockRelease release(lock_);
  for (ActorCell* cell = &first; cell != nullptr;) cells_.Free(StepFrom(cell));
}

uint64_t Shard::spawned() const {
  return spawned_.load(kRelaxed) + spawned_outside_.load(kRelaxed);
}

}  // namespace troupe::internal
