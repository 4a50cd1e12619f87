// BlockingPool: threads for runnables that block: one for each that has something to do, up to a
// limit, and beyond it a queue. It knows Runnables, never the words actor or message.
//
//   Schedule   to the thread that fell idle last; or to a new one; or, at the limit, into the queue
//
// G1  Somebody is idle only when the queue is empty. So what is scheduled waits for nobody as long as
//     a thread is idle or may be started.
//     A thread that has been started takes one from the queue; so many more are not started for it.
// G2  A thread that is idle is in idle_, and is given at most one runnable, which takes it out.
//
// A lock for each activation: these are long. Stop and keep_alive: work_stealing_scheduler.h.
#ifndef TROUPE_RUNTIME_INTERNAL_BLOCKING_POOL_H_
#define TROUPE_RUNTIME_INTERNAL_BLOCKING_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/core/futex.h"
#include "troupe/core/mutex.h"
#include "troupe/core/runnable.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/internal/injector.h"
#include "troupe/runtime/internal/parker.h"
#include "troupe/runtime/internal/thread_group.h"
#include "troupe/runtime/worker_stats.h"

namespace troupe::internal {

class BlockingPool final : public Scheduler {
 public:
  struct Settings {
    std::string name;  // of its threads
    int max_threads = 1;
    std::vector<int> cpus;  // empty: all
    Budget budget;
  };

  explicit BlockingPool(Settings settings);
  ~BlockingPool() override;

  // Starts the first thread, so that there is one. Throws std::system_error.
  void Start(std::weak_ptr<void> keep_alive);
  bool Stop(SteadyTime deadline);

  void Schedule(Runnable& r) override;

  std::vector<WorkerStats> stats() const;  // of each thread so far

 private:
  struct Member {
    Parker parker;
    Runnable* given = nullptr;  // this and the next two: under mutex_
    bool idle = false;
    bool starting = true;
    std::atomic<uint64_t> turns{0};
    std::atomic<uint64_t> parks{0};
  };

  void AddThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ThreadMain(Member& me);
  Runnable* Next(Member& me);
  Runnable* TakeOrBecomeIdle(Member& me);

  const Settings settings_;
  std::weak_ptr<void> keep_alive_;
  ThreadGroup threads_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;  // mutable: for stats
  std::vector<std::unique_ptr<Member>> members_ ABSL_GUARDED_BY(mutex_);
  std::vector<Member*> idle_ ABSL_GUARDED_BY(mutex_);
  size_t starting_ ABSL_GUARDED_BY(mutex_) = 0;  // threads that have not come to the queue yet
  Injector queue_;                               // pushed to and popped from under mutex_, for G1
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_BLOCKING_POOL_H_
