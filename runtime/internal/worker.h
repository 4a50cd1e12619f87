// Worker: one place at the work: a run queue, a LIFO slot and the counters that go with them. A
// thread holds the place while it runs actors; when it is about to block it hands the place to
// another thread (work_stealing_scheduler.h).
//
//   Operation    Who                  Effect
//   PushNext     the place's thread   make r the next to run; returns who has to queue instead
//   PushBack     the place's thread   append to the run queue; half of a full one goes to the
//                                     injector
//   Next         the place's thread   what to run now: from the own slot or the own queue
//   IsTimeToLookAround   likewise     true every 61st time, or earlier: look at the injector first
//   Sight        any thread           look at the slot, the queue and the turn count
//   StealOverdue a place's thread     take what has waited since a Sight of another worker
//
// The slot (next_slot.h) holds the actor that was last sent a message by the one running: its
// message is still in this core's cache, and it runs next. That is what makes a ping-pong cheap;
// and as nobody else may take it as long as this worker makes progress, it does not bounce between
// cores. Two limits keep it fair:
// L1  After kLifoStreak turns from the slot the queue has precedence, if it is not empty.
// L2  If the worker's turn count has not moved between two looks of an idle worker (a long
//     handler), the slot may be taken.
// And the queue is left to its owner as long as it keeps up with it:
// L3  What has been in the queue for as long as an idle worker watched is overdue, and half of the
//     queue may be taken. Moving an actor costs some 200 ns of cache misses here and there, and
//     again when it is sent to from where it was; it pays only for who would have waited longer.
#ifndef TROUPE_RUNTIME_INTERNAL_WORKER_H_
#define TROUPE_RUNTIME_INTERNAL_WORKER_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "troupe/core/next_slot.h"
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
  static constexpr std::chrono::microseconds kLookAroundEvery{100};

  explicit Worker(int index) : index_(index), random_(0x9E3779B9u * (index + 1)) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int index() const { return index_; }
  Parker& parker() { return parker_; }

  // ---- the place's thread
  [[nodiscard]] Runnable* PushNext(Runnable& r) { return next_.Put(r); }
  NextSlot& next() { return next_; }
  // True: some of the queue went to the injector; the caller sees that somebody comes for it.
  [[nodiscard]] bool PushBack(Runnable& r, Injector& overflow);
  [[gnu::always_inline]] Runnable* Next() {  // on every turn
    if (streak_ < kLifoStreak) {             // L1
      if (Runnable* r = next_.Take()) {
        ++streak_;
        return r;
      }
    }
    streak_ = 0;
    if (Runnable* r = queue_.PopFront()) return r;
    return next_.Take();
  }
  bool IsTimeToLookAround() {
    if (--until_look_around_ != 0) [[likely]]
      return false;
    until_look_around_ = look_interval_;
    return true;
  }
  // Long turns make it look after fewer of them, about every kLookAroundEvery: a message from
  // outside does not wait for 61 handlers of a millisecond.
  void LookedAround(std::chrono::steady_clock::time_point now);
  void BeginTurn() {
    Count(turns_);
    next_.NewTurn();
  }
  void CountPark() { Count(parks_); }
  uint32_t Random();

  // ---- any thread
  struct Sighting {
    Runnable* next = nullptr;
    uint64_t turns = 0;
    uint64_t queued_up_to = 0;
  };
  Sighting Sight() const {
    // Relaxed: a guess. The turns first: if they have moved, so may have the slot.
    const uint64_t turns = turns_.load(std::memory_order_relaxed);
    return {next_.Peek(), turns, queue_.put()};
  }
  bool IsOverdue(const Sighting& sighting) const { return IsStale(sighting) || IsBehind(sighting); }
  uint64_t TurnsSince(const Sighting& sighting) const {
    return turns_.load(std::memory_order_relaxed) - sighting.turns;  // relaxed: a statistic
  }
  Runnable* StealOverdue(Worker& victim, const Sighting& sighting);
  bool HasWork() const { return !queue_.empty() || !next_.empty(); }
  WorkerStats stats() const;

 private:
  static void Count(std::atomic<uint64_t>& counter) {
    // Relaxed, and no read-modify-write: one writer; others only look.
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  bool IsStale(const Sighting& sighting) const;    // L2
  bool IsBehind(const Sighting& sighting) const {  // L3
    return queue_.taken() < sighting.queued_up_to;
  }

  // Fixed.
  const int index_;
  // The place's thread only.
  uint32_t random_;
  uint32_t look_interval_ = kInjectorInterval;
  uint32_t until_look_around_ = kInjectorInterval;
  std::chrono::steady_clock::time_point looked_around_at_;
  int streak_ = 0;
  // Written by the place's thread, read by any.
  std::atomic<uint64_t> turns_{0};
  std::atomic<uint64_t> steals_{0};
  std::atomic<uint64_t> parks_{0};
  // Written by the place's thread on almost every turn, by thieves rarely (L2).
  alignas(64) NextSlot next_;
  // Shared with thieves and wakers.
  alignas(64) StealDeque<kQueueCapacity> queue_;
  alignas(64) Parker parker_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_WORKER_H_
