// IdleSet: which workers sleep, how many look for work, and whom to wake. The sleep/submit race is
// argued here, once.
//
//   Operation       Who                         Effect
//   WorkerToWake    whoever made work visible   a sleeping worker, now counted as searching, to be
//   unparked; or none BeginSearch     a worker without work       true: it may search; false:
//   enough others do, go to sleep EndSearch       a searcher that found work  true: it was the last
//   one, and must call WorkerToWake for the others' sake Sleep           a worker about to park
//   true: it was the last searcher, and must look at all queues once more WakeUp          a worker
//   that was not chosen by WorkerToWake but wakes by itself (a deadline)   false: it was chosen
//   after all
//
// At most half of the workers search at a time: more find no more work, and fight over the same
// lines.
//
//   submit                                  going to sleep
//     queue.Push(r);            // S1         last = idle.Sleep(me);        // P1: parked + 1,
//     searching - 1 idle.WorkerToWake();      // S2         if (last && any queue has work)   // P2
//                                               idle.WorkerToWake();
//                                             park
//
// I1  No submitted work is slept on: after S2 some worker is awake that will look at every queue
// after S1.
//     S2 reads the word after S1, P2 reads the queues after P1, all sequentially consistent.
//     - S2 finds searching = 0 and parked > 0: it wakes one, who searches.
//     - S2 finds searching > 0: that searcher has not yet done its P1 (or EndSearch). If it ends by
//     finding other work, EndSearch of the
//       last searcher passes the search on to WorkerToWake. If it ends by sleeping as the last
//       searcher, its P2 comes after P1, which comes after S2 and so after S1: it sees the work. If
//       it is not the last, the argument moves to those who remain.
//     - S2 finds searching = 0 and parked = 0: every worker is awake and not searching, so it is
//     running something. When it runs out
//       it calls BeginSearch after S2 in the order of the word, and searches; or is refused because
//       others search, as above.
// I2  A worker is in sleepers_ iff it is counted as parked; both change under the lock.
//
// After tokio (runtime/scheduler/multi_thread/idle.rs), and through it Go. The model is
// tests/models/idle_set.pml.
#ifndef TROUPE_RUNTIME_INTERNAL_IDLE_SET_H_
#define TROUPE_RUNTIME_INTERNAL_IDLE_SET_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class IdleSet {
 public:
  static constexpr int kNobody = -1;

  explicit IdleSet(int workers) : workers_(workers) { sleepers_.reserve(workers); }

  [[nodiscard]] int WorkerToWake() {
    if (!ShouldWake(word_.load())) return kNobody;
    MutexLock lock(mutex_);
    if (!ShouldWake(word_.load())) return kNobody;
    word_.fetch_add(kSearching - kParked);
    const int worker =
        sleepers_.back();  // the one that has slept least: its caches are the warmest
    sleepers_.pop_back();
    return worker;
  }

  [[nodiscard]] bool BeginSearch() {
    uint32_t word = word_.load();
    do {
      if (2 * Searching(word) >= workers_) return false;
    } while (!word_.compare_exchange_weak(word, word + kSearching));
    return true;
  }

  [[nodiscard]] bool EndSearch() { return Searching(word_.fetch_sub(kSearching)) == 1; }

  [[nodiscard]] bool Sleep(int worker, bool was_searching) {
    MutexLock lock(mutex_);
    sleepers_.push_back(worker);
    const uint32_t before = word_.fetch_add(was_searching ? kParked - kSearching : kParked);
    return was_searching && Searching(before) == 1;
  }

  [[nodiscard]] bool WakeUp(int worker) {
    MutexLock lock(mutex_);
    for (int& sleeper : sleepers_) {
      if (sleeper != worker) continue;
      sleeper = sleepers_.back();
      sleepers_.pop_back();
      word_.fetch_sub(kParked);
      return true;
    }
    return false;
  }

  int parked() const { return Parked(word_.load()); }
  bool all_parked() const { return parked() == workers_; }

 private:
  static constexpr uint32_t kSearching = 1;
  static constexpr uint32_t kParked = 1u << 16;

  static int Searching(uint32_t word) { return static_cast<int>(word & 0xFFFF); }
  static int Parked(uint32_t word) { return static_cast<int>(word >> 16); }
  static bool ShouldWake(uint32_t word) { return Searching(word) == 0 && Parked(word) > 0; }

  const int workers_;
  std::atomic<uint32_t> word_{
      0};  // searching in the low half, parked in the high; sequentially consistent throughout (I1)
  Mutex mutex_;
  std::vector<int> sleepers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_IDLE_SET_H_
