// TimerThread: the system's timers: a queue, and a thread that sleeps until the next one is due.
// Started by the first Arm, so a system without timers has no such thread. Own thread rather than a
// worker's: a deadline fires also when every worker is busy.
#ifndef TROUPE_RUNTIME_INTERNAL_TIMER_THREAD_H_
#define TROUPE_RUNTIME_INTERNAL_TIMER_THREAD_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "troupe/core/clock.h"
#include "troupe/core/mutex.h"
#include "troupe/core/timer_queue.h"
#include "troupe/core/timers.h"
#include "troupe/runtime/internal/parker.h"
#include "troupe/runtime/internal/thread_group.h"

namespace troupe::internal {

class TimerThread final : public Timers {
 public:
  TimerThread() = default;
  ~TimerThread() override { Stop(); }

  void Arm(Timer& timer,
           absl::Time deadline) override;  // after Stop: does nothing that will ever fire
  bool Cancel(Timer& timer) override;
  const Clock& clock() const override { return clock_; }

  // Waits for a fire function that is running. Timers still armed stay so and never fire.
  void Stop();

 private:
  void ThreadMain();
  Timer* NextDue();

  SystemClock clock_;
  Parker parker_;
  ThreadGroup thread_;
  Mutex mutex_;
  TimerQueue timers_ ABSL_GUARDED_BY(mutex_);
  // When the thread will look again; the past while it is awake, since it looks before it sleeps. A
  // timer for later need not wake it. So it may wake for one that has been cancelled, and most
  // asks, which cancel theirs, never cause a system call.
  absl::Time looks_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_TIMER_THREAD_H_
