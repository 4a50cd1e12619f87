// DedicatedThreads: schedulers of one thread each, for actors that want a thread of their own. A
// thread whose actor has ended waits for the next one, so schedulers live as long as the system and
// a late Schedule finds one.
#ifndef TROUPE_RUNTIME_INTERNAL_DEDICATED_THREADS_H_
#define TROUPE_RUNTIME_INTERNAL_DEDICATED_THREADS_H_

#include <atomic>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/core/futex.h"
#include "troupe/core/mutex.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/internal/injector.h"
#include "troupe/runtime/internal/parker.h"
#include "troupe/runtime/internal/thread_group.h"

namespace troupe::internal {

class DedicatedThreads final : public DedicatedSchedulers {
 public:
  explicit DedicatedThreads(const Budget& budget);
  ~DedicatedThreads() override;

  void SetKeepAlive(std::weak_ptr<void> keep_alive) { keep_alive_ = std::move(keep_alive); }

  Scheduler& Acquire() override;  // throws std::system_error if no thread can be had
  void Release(Scheduler& scheduler) override;

  // As WorkStealingScheduler::Stop.
  bool Stop(SteadyTime deadline);

 private:
  class OneThread;

  const Budget budget_;
  std::weak_ptr<void> keep_alive_;
  std::atomic<bool> stopping_{false};
  ThreadGroup threads_;
  Mutex mutex_;
  std::vector<std::unique_ptr<OneThread>> all_ ABSL_GUARDED_BY(mutex_);
  std::vector<OneThread*> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_DEDICATED_THREADS_H_
