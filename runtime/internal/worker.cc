#include "troupe/runtime/internal/worker.h"

#include <algorithm>
#include <utility>

namespace troupe::internal {

bool Worker::PushBack(Runnable& r, Injector& overflow) {
  bool overflowed = false;
  while (!queue_.PushBack(r)) {
    overflowed = true;
    StealDeque<kQueueCapacity>::Half half;
    const size_t n = queue_.TakeHalf(half);
    overflow.PushAll(half.begin(), half.begin() + n);
  }
  return overflowed;
}

void Worker::LookedAround(std::chrono::steady_clock::time_point now) {
  const auto passed = now - std::exchange(looked_around_at_, now);
  if (passed > 2 * kLookAroundEvery) {
    // At least every other turn is left to what is here already.
    look_interval_ = std::max(look_interval_ / 2, 2u);
  } else if (passed < kLookAroundEvery) {
    look_interval_ = std::min(2 * look_interval_, kInjectorInterval);
  }
}

bool Worker::IsStale(const Sighting& sighting) const {
  const Sighting now = Sight();
  return sighting.next != nullptr && now.next == sighting.next && now.turns == sighting.turns;
}

Runnable* Worker::StealOverdue(Worker& victim, const Sighting& sighting) {
  Runnable* r = nullptr;
  if (victim.IsBehind(sighting)) r = victim.queue_.StealHalfInto(queue_);
  if (r == nullptr && victim.IsStale(sighting)) {
    // The same pointer may have been put there anew meanwhile; then it is as good to take.
    r = victim.next_.Steal(sighting.next, [&] { return victim.IsStale(sighting); });
  }
  if (r != nullptr) Count(steals_);
  return r;
}

uint32_t Worker::Random() {  // xorshift32 (Marsaglia 2003): where to begin to steal needs no more
  random_ ^= random_ << 13;
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  return random_;
}

WorkerStats Worker::stats() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // a picture for people
  return {turns_.load(kRelaxed), steals_.load(kRelaxed), parks_.load(kRelaxed),
          queue_.size() + (next_.empty() ? 0 : 1)};
}

}  // namespace troupe::internal
