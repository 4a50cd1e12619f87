#include "troupe/runtime/internal/worker.h"

namespace troupe::internal {

void Worker::PushBack(Runnable& r, Injector& overflow) {
  while (!queue_.PushBack(r)) {
    StealDeque<kQueueCapacity>::Half half;
    const size_t n = queue_.TakeHalf(half);
    overflow.PushAll(half.begin(), half.begin() + n);
  }
}

Runnable* Worker::Next(Injector& injector) {
  if (++tick_ % kInjectorInterval == 0) {
    if (Runnable* r = injector.Pop()) return r;
  }
  if (streak_ < kLifoStreak) {
    if (Runnable* r = TakeLifo()) {
      ++streak_;
      return r;
    }
  }
  streak_ = 0;
  if (Runnable* r = queue_.PopFront()) return r;
  if (Runnable* r = TakeLifo()) return r;
  return injector.Pop();
}

Runnable* Worker::TakeLifo() {
  if (lifo_.load(std::memory_order_relaxed) == nullptr)
    return nullptr;  // relaxed: only this thread fills it
  // Acquire is not needed for what this thread put there, but costs nothing beside the exchange;
  // L2's thief may have been faster.
  return lifo_.exchange(nullptr, std::memory_order_acq_rel);
}

Runnable* Worker::StealFrom(Worker& victim) {
  Runnable* r = victim.queue_.StealHalfInto(queue_);
  if (r != nullptr) Count(steals_);
  return r;
}

bool Worker::IsStale(const Sighting& sighting) const {
  const Sighting now = Sight();
  return sighting.runnable != nullptr && now.runnable == sighting.runnable &&
         now.turns == sighting.turns;
}

Runnable* Worker::StealStale(const Sighting& sighting) {
  if (!IsStale(sighting)) return nullptr;
  Runnable* expected = sighting.runnable;
  // Acquire: pairs with the release in PushLifo. The same pointer may have been put there anew
  // meanwhile; then it is as good to take.
  return lifo_.compare_exchange_strong(expected, nullptr, std::memory_order_acquire,
                                       std::memory_order_relaxed)
             ? sighting.runnable
             : nullptr;
}

uint32_t Worker::Random() {  // xorshift32 (Marsaglia 2003): where to begin to steal needs no more
  random_ ^= random_ << 13;
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  return random_;
}

WorkerStats Worker::stats() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // a picture for people
  const bool slot = lifo_.load(kRelaxed) != nullptr;
  return {turns_.load(kRelaxed), steals_.load(kRelaxed), parks_.load(kRelaxed),
          queue_.size() + (slot ? 1 : 0)};
}

}  // namespace troupe::internal
