#include "troupe/runtime/task_arena_scheduler.h"

#include <atomic>

#include "oneapi/tbb/task_arena.h"
#include "troupe/core/event_count.h"

namespace troupe {

// Shared with the tasks, so that the last one may still notify while the scheduler is being
// destroyed.
struct TaskArenaScheduler::Impl : std::enable_shared_from_this<Impl> {
  Impl(oneapi::tbb::task_arena& a, const Budget& b) : arena(a), budget(b) {}

  oneapi::tbb::task_arena& arena;
  const Budget budget;
  std::atomic<size_t> under_way{0};
  EventCount changed;

  void Enqueue(Runnable& r) {
    arena.enqueue([this, keep = shared_from_this(), &r] {
      if (r.Run(budget) == Outcome::kAgain) {
        Enqueue(r);
      } else if (under_way.fetch_sub(1) == 1) {
        changed.NotifyAll();
      }
    });
  }

  void AwaitNone() {
    changed.Await([this] { return under_way.load() == 0; });
  }
};

TaskArenaScheduler::TaskArenaScheduler(oneapi::tbb::task_arena& arena, Budget budget)
    : impl_(std::make_shared<Impl>(arena, budget)) {}

TaskArenaScheduler::~TaskArenaScheduler() { impl_->AwaitNone(); }

void TaskArenaScheduler::Schedule(Runnable& r) {
  impl_->under_way.fetch_add(1);
  impl_->Enqueue(r);
}

}  // namespace troupe
