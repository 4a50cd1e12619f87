// ManualScheduler: a System without threads and with its own time, turned by its host.
#ifndef TROUPE_RUNTIME_MANUAL_SCHEDULER_H_
#define TROUPE_RUNTIME_MANUAL_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "troupe/core/clock.h"
#include "troupe/core/mutex.h"
#include "troupe/core/scheduler.h"
#include "troupe/core/timer_queue.h"
#include "troupe/core/timers.h"

namespace troupe {

// For tests, simulations, and hosts that own the event loop:
//
//   troupe::ManualScheduler loop;
//   troupe::System system({.scheduler = &loop});
//   ...
//   loop.RunUntilIdle();                 // everything there is to do, on this thread
//   loop.Advance(absl::Seconds(30));     // half a minute of timers, at once
//
// In a test nothing depends on the machine: same program, same seed, same order. In a host's own
// loop (examples/manual_loop.cc) use set_on_ready to wake the loop, AdvanceTo(absl::Now()) to let
// time pass, and next_deadline() to know how long it may sleep.
//
// Thread safety  Sends, spawns and timers come from any thread. The host is the thread that made the
//                scheduler: it alone calls Turn, RunUntilIdle, Advance and AdvanceTo; from inside a
//                handler too (that actor waits until the handler is done).
// Ownership      Outlives its System. Serves one System at a time.
// Ask            PendingAsk::Wait() on the host's thread turns this scheduler until the answer is
//                there, letting its time jump to the next timer when nothing else is left to do:
//                right for a test, wrong in a loop that follows the wall clock, where Then() is the
//                way. On another thread it sleeps, in real time, until the host has turned far
//                enough.
// Blocking       Nothing lends a thread: Context::Blocking runs in place. A Send to a full kBlock
//                mailbox turns the scheduler until there is room, or returns kFull if nothing can
//                make any, or too many such Sends are waiting for each other already.
class ManualScheduler final : public Scheduler, private Timers {
 public:
  struct Options {
    absl::Time start = absl::UnixEpoch();
    // Set: who runs next is drawn at random from this seed, to find orderings that first-come would
    // never show.
    std::optional<uint64_t> seed = std::nullopt;
    Budget budget = {.messages = 128, .slice = absl::InfiniteDuration()};
  };

  ManualScheduler();
  explicit ManualScheduler(Options options);
  ~ManualScheduler() override;

  // Gives one actor a turn. False if none is waiting for one.
  bool RunOne();
  // Turns until nobody waits for a turn, or `max_turns` have been given, so that actors which keep each
  // other busy leave the host's loop some time. Returns how many turns that took. Fires no timer.
  int RunUntilIdle(int max_turns = std::numeric_limits<int>::max());
  // Moves time forward, stopping at each timer on the way: fires it and runs until idle before the
  // next.
  // After `max_turns` it stops short, with time where it then is; call again to go on.
  int Advance(absl::Duration by, int max_turns = std::numeric_limits<int>::max());
  int AdvanceTo(absl::Time to, int max_turns = std::numeric_limits<int>::max());

  absl::Time Now() const { return clock_.Now(); }
  absl::Time next_deadline() const;  // InfiniteFuture if no timer is armed
  bool idle() const;                 // nobody waits for a turn

  // Called, on whatever thread, when there is something to do after there was nothing: somebody
  // waits for a turn, or a timer became the next. Must not call back into the scheduler. Set it
  // before the System is made.
  void set_on_ready(std::function<void()> on_ready) { on_ready_ = std::move(on_ready); }

  // For the framework.
  void Schedule(Runnable& r) override;
  Timers* timers() override { return this; }
  bool host_driven() const override { return true; }
  bool TurnsHere() const override { return std::this_thread::get_id() == host_; }
  bool Turn() override;  // RunOne, or else time jumps to the next timer

 private:
  void Arm(Timer& timer, absl::Time deadline) override;
  bool Cancel(Timer& timer) override;
  const Clock& clock() const override { return clock_; }

  Runnable* Next();
  Timer* NextDue(absl::Time until);
  void Ready();

  const Options options_;
  const std::thread::id host_ = std::this_thread::get_id();
  std::function<void()> on_ready_;
  ManualClock clock_;
  mutable Mutex mutex_;  // mutable: idle() and next_deadline() take it
  std::deque<Runnable*> waiting_ ABSL_GUARDED_BY(mutex_);
  TimerQueue timers_ ABSL_GUARDED_BY(mutex_);
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_MANUAL_SCHEDULER_H_
