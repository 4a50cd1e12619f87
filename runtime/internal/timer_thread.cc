#include "troupe/runtime/internal/timer_thread.h"

#include <sys/prctl.h>

namespace troupe::internal {

void TimerThread::Arm(Timer& timer, absl::Time deadline) {
  bool sleeps_too_long;
  {
    MutexLock lock(mutex_);
    if (!started_ && !stopping_) {
      thread_.Start("troupe-timers", [this] { ThreadMain(); });
      started_ = true;
    }
    timer.deadline = deadline;
    timers_.Push(timer);
    sleeps_too_long = deadline < looks_at_;
  }
  if (sleeps_too_long) parker_.Unpark();
}

bool TimerThread::Cancel(Timer& timer) {
  MutexLock lock(mutex_);
  return timers_.Remove(timer);
}

void TimerThread::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  parker_.Unpark();
  thread_.Join(kNoDeadline);
}

void TimerThread::ThreadMain() {
  prctl(PR_SET_TIMERSLACK, 1);  // nanoseconds: the default lets the kernel be 50 us late
  for (;;) {
    while (Timer* timer = NextDue()) timer->fire(*timer);
    absl::Time next;
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      next = looks_at_ = timers_.NextDeadline();
    }
    parker_.Park(clock_.ToSteady(next));
    MutexLock lock(mutex_);
    looks_at_ = absl::InfinitePast();
  }
}

Timer* TimerThread::NextDue() {
  const absl::Time now = clock_.Now();
  MutexLock lock(mutex_);
  return stopping_ ? nullptr : timers_.PopExpired(now);
}

}  // namespace troupe::internal
