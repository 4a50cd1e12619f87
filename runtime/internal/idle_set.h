// IdleSet: which workers sleep, how many look for work, and whom to wake. The sleep/submit race is
// argued here, once.
//
//   Operation       Who                         Effect
//   WorkerToWake    whoever made work visible   a sleeping worker, now counted as searching, to be
//                                               unparked; or none
//   BeginSearch     a worker without work       true: it may search; false: enough others do, sleep
//   EndSearch       a searcher that found work  true: nobody searches now, and the caller must look
//                                               at the injector once more on behalf of the sleepers
//   Sleep           a worker about to park      true: same
//   WakeUp          a worker that wakes by itself   false: it was chosen after all
//   PreferOthers    a worker about to park          WorkerToWake chooses it last
//
// At most half of the workers search at a time: more find no more work, and fight over the same
// lines.
//
//   submit                             going to sleep, or back to work
//     injector.Push(r);       // S1      nobody = idle.Sleep(me); or EndSearch  // P1
//     idle.WorkerToWake();    // S2      if (nobody && the injector has work)   // P2
//                                          idle.WorkerToWake();
//
// I1  Work that was submitted is seen, by a worker that looks at the injector after S1, before all
//     who could run it sleep or run something else. (What workers schedule themselves they run at
//     the latest: work_stealing_scheduler.h, W3.) A fence between S1 and S2 and one between P1 and
//     P2 see to it that of a submitter and a worker at least one sees the other, whatever memory
//     order the queues use. S2 finds
//     - nobody searching, somebody parked: it wakes one, who searches.
//     - somebody searching: that worker has yet to do its P1, after S2 and so after S1. If nobody
//       searches then, its P2 sees the work (or somebody has taken it already). If others do, the
//       argument moves on to them.
//     - nobody searching, nobody parked: the first worker that goes to sleep after S2 does its P1
//       after S2. Nobody searching then: its P2 sees the work. Somebody searching: as above.
// I2  A worker is in sleepers_ iff it is counted as parked; both change under the lock.
//
// After tokio (runtime/scheduler/multi_thread/idle.rs), and through it Go; but there the last
// searcher that finds work always wakes another, which costs a lone request a second wake-up, and a
// worker that was refused to search parks without P2. The model is tests/models/idle_set.pml.
#ifndef TROUPE_RUNTIME_INTERNAL_IDLE_SET_H_
#define TROUPE_RUNTIME_INTERNAL_IDLE_SET_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/core/asymmetric_fence.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class IdleSet {
 public:
  static constexpr int kNobody = -1;

  explicit IdleSet(int workers) : workers_(workers) { sleepers_.reserve(workers); }

  [[nodiscard]] int WorkerToWake() {
    FullFence();  // I1: between S1 and S2
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

  [[nodiscard]] bool EndSearch() {
    const uint32_t before = word_.fetch_sub(kSearching);
    FullFence();  // I1: between P1 and P2
    return Searching(before) == 1;
  }

  [[nodiscard]] bool Sleep(int worker, bool was_searching) {
    MutexLock lock(mutex_);
    sleepers_.push_back(worker);
    const uint32_t before = word_.fetch_add(was_searching ? kParked - kSearching : kParked);
    FullFence();  // I1: between P1 and P2
    return Searching(before) == (was_searching ? 1 : 0);
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

  void PreferOthers(int worker) {
    MutexLock lock(mutex_);
    for (size_t i = sleepers_.size(); i-- > 0;) {
      if (sleepers_[i] != worker) continue;
      for (; i > 0; --i) sleepers_[i] = sleepers_[i - 1];
      sleepers_[0] = worker;
    }
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
