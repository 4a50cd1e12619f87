#include "troupe/runtime/manual_scheduler.h"

#include <algorithm>
#include <utility>

namespace troupe {

ManualScheduler::ManualScheduler() : ManualScheduler(Options()) {}
ManualScheduler::ManualScheduler(Options options)
    : options_(std::move(options)), clock_(options_.start), random_(options_.seed.value_or(0)) {}
ManualScheduler::~ManualScheduler() = default;

void ManualScheduler::Schedule(Runnable& r) {
  bool was_empty;
  {
    MutexLock lock(mutex_);
    was_empty = waiting_.empty();
    waiting_.push_back(&r);
  }
  if (was_empty) Ready();
}

void ManualScheduler::Ready() {
  if (on_ready_) on_ready_();
}

Runnable* ManualScheduler::Next() {
  MutexLock lock(mutex_);
  if (waiting_.empty()) return nullptr;
  if (options_.seed.has_value()) {
    std::swap(waiting_.front(), waiting_[random_() % waiting_.size()]);
  }
  Runnable* r = waiting_.front();
  waiting_.pop_front();
  return r;
}

bool ManualScheduler::RunOne() {
  Runnable* r = Next();
  if (r == nullptr) return false;
  if (r->Run(options_.budget) == Outcome::kAgain) Schedule(*r);
  return true;
}

int ManualScheduler::RunUntilIdle(int max_turns) {
  int turns = 0;
  while (turns < max_turns && RunOne()) ++turns;
  return turns;
}

int ManualScheduler::Advance(absl::Duration by, int max_turns) {
  return AdvanceTo(clock_.Now() + by, max_turns);
}

int ManualScheduler::AdvanceTo(absl::Time to, int max_turns) {
  int turns = RunUntilIdle(max_turns);
  while (turns < max_turns) {
    Timer* timer = NextDue(to);
    if (timer == nullptr) {
      clock_.AdvanceTo(to);
      break;
    }
    timer->fire(*timer);
    turns += RunUntilIdle(max_turns - turns);
  }
  return turns;
}

bool ManualScheduler::Turn() {
  if (RunOne()) return true;
  Timer* timer = NextDue(absl::InfiniteFuture());
  if (timer == nullptr) return false;
  timer->fire(*timer);
  return true;
}

// Moves the clock to the deadline of the timer it returns, so that a timer never sees a time before
// its own.
Timer* ManualScheduler::NextDue(absl::Time until) {
  MutexLock lock(mutex_);
  const absl::Time deadline = timers_.NextDeadline();
  if (deadline > until || deadline == absl::InfiniteFuture()) return nullptr;
  clock_.AdvanceTo(deadline);
  return timers_.PopExpired(deadline);
}

absl::Time ManualScheduler::next_deadline() const {
  MutexLock lock(mutex_);
  return timers_.NextDeadline();
}

bool ManualScheduler::idle() const {
  MutexLock lock(mutex_);
  return waiting_.empty();
}

void ManualScheduler::Arm(Timer& timer, absl::Time deadline) {
  bool is_next;
  {
    MutexLock lock(mutex_);
    is_next = deadline < timers_.NextDeadline();
    timer.deadline = deadline;
    timers_.Push(timer);
  }
  if (is_next) Ready();
}

bool ManualScheduler::Cancel(Timer& timer) {
  MutexLock lock(mutex_);
  return timers_.Remove(timer);
}

}  // namespace troupe
