// Runnable: something a scheduler can run. The seam up: core and the thread pool see nothing else
// of an actor.
//
// Life of an activation
//   Scheduler::Schedule(r)   hands the one right to run `r` to the scheduler
//   r.Run(budget)            uses it, on one thread; returns
//     kDone                  the right is gone. `r` may already be scheduled again elsewhere, or
//                            its memory reused: the scheduler must not touch it any more.
//     kAgain                 the right is still here. The scheduler runs `r` again later, behind
//                            whatever else waits.
//
// R1  At most one right to run exists for a Runnable at any time; whoever schedules it owns that
//     right (a mailbox grants it: see mailbox_queue.h).
// R2  `next` belongs to the holder of the right: the run queue that stores `r`, or nobody.
//
// Intrusive and without a vtable, because Runnables live in type-stable memory that starts as zero
// bytes, is never destroyed, and is reused while stale threads may still look at it (slab.h).

#ifndef TROUPE_CORE_RUNNABLE_H_
#define TROUPE_CORE_RUNNABLE_H_

#include "absl/time/time.h"

namespace troupe {

// What one activation may use up, whichever ends first. Fairness is by count and by time: many
// short messages or a few long ones must not keep the others waiting.
struct Budget {
  int messages;          // at most this many
  absl::Duration slice;  // no new message is begun after this long
};

enum class Outcome {
  kDone,   // nothing left to do; do not touch the Runnable again
  kAgain,  // budget used up; run it again later
};

class Runnable {
 public:
  using RunFunction = Outcome (*)(Runnable&, const Budget&);

  // By the thread that holds the right to run this (R1).
  Outcome Run(const Budget& budget) { return run_(*this, budget); }

  Runnable* next = nullptr;  // R2: link for whichever run queue holds this

 protected:
  Runnable() = default;
  explicit Runnable(RunFunction run) : run_(run) {}
  ~Runnable() = default;
  Runnable(const Runnable&) = delete;
  Runnable& operator=(const Runnable&) = delete;

  RunFunction run_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_CORE_RUNNABLE_H_
