// Worker: one place at the work: a run queue, a LIFO slot and the counters that go with them. A
// thread holds the place while it runs actors; when it is about to block it hands the place to
// another thread (work_stealing_scheduler.h).
//
//   Operation    Who                  Effect
//   PushLifo     the place's thread   make r the next to run; returns the one that was to be next
//   PushBack     the place's thread   append to the run queue; half of a full one goes to the
//                                     injector
//   Next         the place's thread   what to run now: from the own slot, the own queue and, last
//                                     or every 61st time first, the injector
//   StealFrom    the place's thread   take half of another worker's queue
//   Sight        any thread           look at the slot and the turn count
//   StealStale   any thread           take what has not moved since a Sight
//
// The LIFO slot holds the actor that was last sent a message by the one running: its message is
// still in this core's cache, and it runs next. That is what makes a ping-pong cheap; and as nobody
// else may take it as long as this worker makes progress, it does not bounce between cores. Two
// limits keep it fair:
// L1  After kLifoStreak turns from the slot the queue has precedence, if it is not empty.
// L2  If the worker's turn count has not moved between two looks of an idle worker (a long handler),
//     the slot may be taken.
#ifndef TROUPE_RUNTIME_INTERNAL_WORKER_H_
#define TROUPE_RUNTIME_INTERNAL_WORKER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "troupe/core/runnable.h"
#include "troupe/core/steal_deque.h"
#include "troupe/runtime/internal/injector.h"
#include "troupe/runtime/internal/parker.h"
#include "troupe/runtime/worker_stats.h"

namespace troupe::internal {

class Worker {
 public:
  static constexpr size_t kQueueCapacity = 256;
  static constexpr int kLifoStreak = 16;
  // How often the injector goes before the own queue, so that its work is not starved by actors
  // that keep each other busy. A prime, as in Go and tokio, so that it falls in step with nothing.
  static constexpr uint32_t kInjectorInterval = 61;

  explicit Worker(int index) : index_(index), random_(0x9E3779B9u * (index + 1)) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int index() const { return index_; }
  Parker& parker() { return parker_; }

  // ---- the place's thread
  Runnable* PushLifo(Runnable& r) {
    // Release: r's state, for L2's thief. Acquire: that of the one before. Sequentially consistent,
    // because Schedule then looks at watched_, and whoever clears that looks at the slots.
    return lifo_.exchange(&r);
  }
  void PushBack(Runnable& r, Injector& overflow);
  Runnable* Next(Injector& injector);
  Runnable* StealFrom(Worker& victim);
  void CountTurn() { Count(turns_); }
  void CountPark() { Count(parks_); }
  uint32_t Random();
  bool HasMore() const {
    return !queue_.empty() || lifo_.load(std::memory_order_relaxed) != nullptr;
  }  // relaxed: own

  // ---- any thread
  struct Sighting {
    Runnable* runnable = nullptr;
    uint64_t turns = 0;
  };
  Sighting Sight() const {
    // Relaxed: a guess, which StealStale's compare-and-swap confirms. The turns first: if they have
    // moved, so may have the slot.
    const uint64_t turns = turns_.load(std::memory_order_relaxed);
    return {lifo_.load(), turns};  // sequentially consistent: see PushLifo
  }
  bool IsStale(const Sighting& sighting) const;
  Runnable* StealStale(const Sighting& sighting);
  bool HasStealable() const { return !queue_.empty(); }
  WorkerStats stats() const;

 private:
  static void Count(std::atomic<uint64_t>& counter) {
    // Relaxed, and no read-modify-write: one writer; others only look.
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  Runnable* TakeLifo();

  // Fixed.
  const int index_;
  // The place's thread only.
  uint32_t random_;
  uint32_t tick_ = 0;
  int streak_ = 0;
  // Written by the place's thread, read by any.
  std::atomic<uint64_t> turns_{0};
  std::atomic<uint64_t> steals_{0};
  std::atomic<uint64_t> parks_{0};
  // Written by the place's thread on almost every turn, by thieves rarely (L2).
  alignas(64) std::atomic<Runnable*> lifo_{nullptr};
  // Shared with thieves and wakers.
  alignas(64) StealDeque<kQueueCapacity> queue_;
  alignas(64) Parker parker_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_WORKER_H_
