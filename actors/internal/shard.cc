#include "troupe/actors/internal/shard.h"

#include <thread>
#include <utility>

#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {

namespace {

// Relaxed: H3, H4, H5.
constexpr auto kRelaxed = std::memory_order_relaxed;

// Goes on to the next before its link may be somebody else's; returns the one it was.
ActorCell* StepFrom(ActorCell*& cell) {
  return std::exchange(cell, static_cast<ActorCell*>(cell->next));
}

}  // namespace

Shard::Taken Shard::Take() {
  if (!lock_.TryAcquire()) [[unlikely]] {
    const Taken taken{slab_.Allocate(), DrawIncarnation()};
    spawned_outside_.fetch_add(1);  // H5
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

void Shard::Retire(ActorCell& first) {
  if (!lock_.TryAcquire()) [[unlikely]] {
    for (ActorCell* cell = &first; cell != nullptr;) slab_.Free(StepFrom(cell));
    return;
  }
  const TryLockRelease release(lock_);
  for (ActorCell* cell = &first; cell != nullptr;) cells_.Free(StepFrom(cell));
}

void Shard::CountEnd(ActorCell* cell, const std::atomic<bool>& stopping, EventCount& drained) {
  if (!lock_.TryAcquire()) [[unlikely]] {
    if (cell != nullptr) slab_.Free(cell);
    ended_outside_.fetch_add(kInside + 1);
    if (stopping.load()) drained.NotifyAll();
    ended_outside_.fetch_sub(kInside);  // H6
    return;
  }
  const TryLockRelease release(lock_);  // H6
  if (cell != nullptr) cells_.Free(cell);
  // Release: that this thread is inside, H6. Pairs with the acquire in ended().
  ended_.store(ended_.load(kRelaxed) + 1, std::memory_order_release);
  if (stopping.load()) [[unlikely]]
    drained.NotifyAll();
}

uint64_t Shard::spawned() const { return spawned_.load(kRelaxed) + spawned_outside_.load(); }

uint64_t Shard::ended() const {
  // Acquire: pairs with the release in CountEnd.
  return ended_.load(std::memory_order_acquire) + ended_outside_.load() % kInside;
}

void Shard::AwaitLeft() const {
  while (inside()) std::this_thread::yield();  // for an instruction or two
}

}  // namespace troupe::internal
