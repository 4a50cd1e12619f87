// Dispatchers: the schedulers that Options::dispatchers names, each with its threads.
#ifndef TROUPE_RUNTIME_INTERNAL_DISPATCHERS_H_
#define TROUPE_RUNTIME_INTERNAL_DISPATCHERS_H_

#include <memory>
#include <string>
#include <vector>

#include "troupe/actors/internal/actor_space.h"
#include "troupe/core/clock.h"
#include "troupe/core/coarse_clock.h"
#include "troupe/core/futex.h"
#include "troupe/core/runnable.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/internal/blocking_pool.h"
#include "troupe/runtime/internal/work_stealing_scheduler.h"
#include "troupe/runtime/options.h"
#include "troupe/runtime/stats.h"

namespace troupe::internal {

// Throws std::invalid_argument. CPUs matter only where threads are to be started.
void ValidateDispatchers(const Options& options);

class Dispatchers {
 public:
  Dispatchers(const Options& options, const Budget& budget, const Clock& clock,
              CoarseClock& coarse_clock);

  // Where `host` is set all names stand for it.
  std::vector<NamedScheduler> named(Scheduler* host);
  void Start(const std::weak_ptr<void>& keep_alive);  // throws std::system_error
  bool Stop(SteadyTime deadline);                     // as WorkStealingScheduler::Stop
  std::vector<DispatcherStats> stats() const;

 private:
  struct Dispatcher {
    std::string name;
    std::unique_ptr<WorkStealingScheduler> pool;  // one of the two; none with a host's scheduler
    std::unique_ptr<BlockingPool> blocking;
  };
  std::vector<Dispatcher> dispatchers_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_DISPATCHERS_H_
