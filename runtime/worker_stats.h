// WorkerStats: what one worker of the built-in scheduler has done so far.
#ifndef TROUPE_RUNTIME_WORKER_STATS_H_
#define TROUPE_RUNTIME_WORKER_STATS_H_

#include <cstdint>

namespace troupe {

struct WorkerStats {
  uint64_t turns = 0;   // activations it gave to actors
  uint64_t steals = 0;  // times it took work from another worker
  uint64_t parks = 0;   // times it went to sleep
  uint64_t queued = 0;  // actors waiting in its run queue now
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_WORKER_STATS_H_
