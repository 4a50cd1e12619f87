// Timers: "call me at that time", behind a seam. A thread that sleeps until the next deadline
// implements it, and so does a simulation that jumps there.
//
//   Operation   Who         Effect
//   Arm         any thread  `timer.fire(timer)` runs once, at `deadline` or later
//   Cancel      any thread  takes it back, or says that it is too late
//   clock       any thread  the clock that deadlines are told by
//
// T1  Between Arm and (fire, or a Cancel that returned true) the Timer belongs to Timers: it must
//     not move or die.
// T2  `fire` is called with no lock held and after the timer has been disarmed, so it may arm the
//     same timer again, or free the memory it lives in.
// T3  Exactly one of these happens to an armed timer: it fires, or one Cancel returns true. (Or
//     neither, because its Timers were destroyed first; what that means is for the owner of both.)
//
// A fire function is short: it runs on a thread that the implementation chooses, and everybody
// else's timers wait behind it. Timers that are due at the same time fire in the order they were
// armed.

#ifndef TROUPE_CORE_TIMERS_H_
#define TROUPE_CORE_TIMERS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "troupe/core/clock.h"

namespace troupe {

// Intrusive: whoever wants to be called embeds or derives from it, so arming allocates nothing.
struct Timer {
  using FireFunction = void (*)(Timer&);
  static constexpr size_t kNotArmed = static_cast<size_t>(-1);

  Timer() = default;
  explicit Timer(FireFunction f) : fire(f) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  FireFunction fire = nullptr;

  // Written by Timers only (T1), the deadline by Arm on its caller's thread; read under its own lock.
  absl::Time deadline = absl::InfiniteFuture();
  size_t heap_index = kNotArmed;
};

class Timers {
 public:
  virtual ~Timers() = default;

  // `timer` must not be armed. A deadline in the past fires as soon as possible; InfiniteFuture
  // never does. Throws std::bad_alloc, and then has done nothing.
  virtual void Arm(Timer& timer, absl::Time deadline) = 0;

  // True: it was armed and will now never fire; it is the caller's again.
  // False: it has fired, is firing right now on another thread, or was never armed. Does not wait
  // for a fire function that is running: whoever shares the timer with it must settle between the
  // two who frees it.
  virtual bool Cancel(Timer& timer) = 0;

  virtual const Clock& clock() const = 0;
};

}  // namespace troupe

#endif  // TROUPE_CORE_TIMERS_H_
