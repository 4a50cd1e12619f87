// TaskArenaScheduler: actors on a oneTBB task arena, for hosts whose threads live there already.
#ifndef TROUPE_RUNTIME_TASK_ARENA_SCHEDULER_H_
#define TROUPE_RUNTIME_TASK_ARENA_SCHEDULER_H_

#include <memory>

#include "absl/time/time.h"
#include "troupe/core/scheduler.h"

namespace tbb::detail::d1 {
class task_arena;
}

namespace troupe {

// Every turn of an actor is one task enqueued in the arena, so actors and the host's parallel
// algorithms share its threads.
//
//   oneapi::tbb::task_arena arena(4);
//   troupe::TaskArenaScheduler scheduler(arena);
//   troupe::System system({.scheduler = &scheduler});
//
// Not for speed: waking an idle oneTBB pool takes far longer than waking the built-in one, and a
// turn costs an enqueue (ARCHITECTURE.md has the numbers). Context::Blocking holds its arena
// thread; give the arena slots to spare if handlers block.
//
// Ownership: the arena outlives the scheduler, which outlives its System. The destructor waits for
// turns still under way.
class TaskArenaScheduler final : public Scheduler {
 public:
  explicit TaskArenaScheduler(tbb::detail::d1::task_arena& arena,
                              Budget budget = {.messages = 128, .slice = absl::Microseconds(100)});
  ~TaskArenaScheduler() override;

  void Schedule(Runnable& r) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_TASK_ARENA_SCHEDULER_H_
