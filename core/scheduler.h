// Scheduler: where runnables go to be run. The seam down: actors call this, thread pools and hosts
// implement it.
//
//   Operation      Who                           Effect
//   Schedule       any thread, also inside Run   `r` is run once, later, on one of its threads
//   BeginBlocking  a thread inside Run           it is about to block: another may take its place
//   Attach         any thread                    its threads wait in an IoDriver (io_driver.h) when idle
//   Detach         whoever attached              they do not any more
//   timers         any thread                    the timers of this scheduler's own time, if any
//   host_driven    any thread                    whether it runs nothing unless it is turned
//   Turn           the thread that turns it      host-driven schedulers: run one thing here and now
//
// Visibility  All a thread did before Schedule(r) is visible to the Run of `r` that follows.
// Order       None is promised between runnables.
// Life        A Runnable handed over must stay valid until its Run has returned kDone. A scheduler
//             outlives everything that was scheduled on it.

#ifndef TROUPE_CORE_SCHEDULER_H_
#define TROUPE_CORE_SCHEDULER_H_

#include "troupe/core/runnable.h"

namespace troupe {

class IoDriver;
class Timers;

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Never blocks and never runs `r` before it returns. The caller gives up its right to run `r`
  // (runnable.h, R1).
  virtual void Schedule(Runnable& r) = 0;

  // The calling thread is inside Run and is about to wait for something. A pool may start or wake
  // another thread, so that its other work goes on. Holds until that Run returns; calling it twice
  // is the same as once.
  virtual void BeginBlocking() {}

  // A pool's threads may, one at a time in the first that is there; others do nothing. After Detach, which is not
  // called in Serve, none is in it.
  virtual void Attach(IoDriver& /*driver*/) {}
  virtual void Detach(IoDriver& /*driver*/) {}

  // A scheduler that turns its own time (simulation, a host's event loop) brings its own timers and
  // clock; nullptr = use whatever timers the system has.
  virtual Timers* timers() { return nullptr; }

  // True: it has no thread of its own; runnables run when somebody calls Turn. Whoever waits for
  // one should turn it meanwhile.
  virtual bool host_driven() const { return false; }

  // Host-driven: whether the calling thread is the one that may call Turn.
  virtual bool TurnsHere() const { return false; }

  // Runs one runnable on the calling thread if there is one. True if it did. A scheduler with its
  // own threads has nothing to turn and says false.
  virtual bool Turn() { return false; }
};

}  // namespace troupe

#endif  // TROUPE_CORE_SCHEDULER_H_
