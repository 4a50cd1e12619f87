// IoDriver: where a thread of a scheduler waits for the outside, rather than sleep, when it has nothing to run.
// So what comes in is handled by the thread that has read it, and nobody has to be woken.
//
//   Operation   Who                                   Effect
//   Serve       one thread of the scheduler's         waits for something to do and does it, once; or
//                                                     returns since it was interrupted
//   Interrupt   any thread, once `begin` was called   that Serve returns soon, unless it does anyway
//
// The scheduler keeps it from being called by two threads at once (driver_seat.h); who else sees to the outside
// is the driver's affair. After tokio, whose workers park on the driver of their sockets
// (runtime/scheduler/multi_thread/park.rs), and Go's netpoller.
#ifndef TROUPE_CORE_IO_DRIVER_H_
#define TROUPE_CORE_IO_DRIVER_H_

#include "absl/functional/function_ref.h"

namespace troupe {

class IoDriver {
 public:
  // Calls nothing if it would rather not be served by this thread now. Otherwise calls `begin`, whose false says
  // that there is no time to wait any more; then waits; and calls `woken` before anything is done that may call
  // Schedule: never, if it was interrupted first.
  virtual void Serve(absl::FunctionRef<bool()> begin, absl::FunctionRef<void()> woken) = 0;
  virtual void Interrupt() = 0;

  IoDriver* next = nullptr;  // for the scheduler that it is attached to

 protected:
  ~IoDriver() = default;
};

}  // namespace troupe

#endif  // TROUPE_CORE_IO_DRIVER_H_
