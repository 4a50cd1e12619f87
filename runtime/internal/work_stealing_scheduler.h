// WorkStealingScheduler: the thread pool. It knows Runnables, never the words actor or message.
//
// Every worker is a place with a run queue; a thread holds the place and runs what it finds: its
// slot, its queue, the injector, and what is overdue with other workers. Without work it looks
// around for some microseconds, then sleeps in the kernel (idle_set.h).
//
//   Schedule from a worker's thread   into its slot; what was there goes to the queue. It stays with
//                                     that worker unless it becomes overdue (worker.h, L2 and L3)
//   Schedule from elsewhere           into the injector
//   BeginBlocking                     the thread's place goes to a spare thread (a new one if none
//                                     is spare). The thread finishes its activation without a
//                                     place, then becomes spare
//
// W1  A place is held by at most one thread; only that thread touches the owner's side of its
//     queue.
// W2  What goes into the injector is followed by WakeOne, and never slept through (idle_set.h, I1).
// W3  What a worker has of its own it runs itself at the latest; if it cannot keep up, others help.
//     While somebody is active and others sleep, one sleeper has the watch: it wakes by itself
//     after kWatchShortest, then less and less often down to every kWatchLongest, and takes over
//     what is overdue, or queued behind turns of some 5 us and more. So handlers of nanoseconds stay on
//     one core, where they are fastest, at no cost to that core; longer ones are spread. A worker
//     that schedules something and finds nobody on the watch wakes a sleeper, who takes it. When
//     all sleep nobody watches, and nothing runs; but if somebody is wanted again soon after, the next
//     one stays on the watch until nothing has run for kWatchLongest.
//     No fence stands between filling a slot and the look at watched_. So whoever gives up the
//     watch to run something, and looks whether another must take it, may miss what was scheduled
//     within the same few nanoseconds. Then nobody watches until one of these two workers schedules
//     again or runs out of work.
// W4  One of those that sleep without the watch does so in the IoDriver, if there is one, and is the last to
//     be woken for something else. When something comes in it is awake as if its deadline had passed, before
//     what has come in is scheduled: to its own slot and queue.
//
// Stop: no thread takes new work; a thread in an activation finishes it. Threads keep the
// scheduler's owner alive (`keep_alive`), so one that never comes back can be left behind without
// leaving it a dangling pool.
#ifndef TROUPE_RUNTIME_INTERNAL_WORK_STEALING_SCHEDULER_H_
#define TROUPE_RUNTIME_INTERNAL_WORK_STEALING_SCHEDULER_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "troupe/core/clock.h"
#include "troupe/core/coarse_clock.h"
#include "troupe/core/futex.h"
#include "troupe/core/mutex.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/internal/driver_seat.h"
#include "troupe/runtime/internal/idle_set.h"
#include "troupe/runtime/internal/injector.h"
#include "troupe/runtime/internal/thread_group.h"
#include "troupe/runtime/internal/worker.h"
#include "troupe/runtime/worker_stats.h"

namespace troupe::internal {

class WorkStealingScheduler final : public Scheduler {
 public:
  struct Settings {
    int workers = 1;
    Budget budget;
    int max_blocking_threads = 0;
    const Clock* clock = nullptr;  // for refreshing coarse_clock
    CoarseClock* coarse_clock = nullptr;
    std::string name = "troupe";  // of its threads, with a number
    std::vector<int> cpus = {};   // on which these run; empty: all
  };

  explicit WorkStealingScheduler(const Settings& settings);
  ~WorkStealingScheduler() override;

  // Starts the threads. Throws std::system_error if there are not enough to be had; then none is
  // left running.
  void Start(std::weak_ptr<void> keep_alive);
  // Returns by the deadline. False: some thread was still in an activation then, and has been left
  // behind.
  bool Stop(SteadyTime deadline);

  void Schedule(Runnable& r) override;
  void BeginBlocking() override;
  void Attach(IoDriver& driver) override { seat_.Attach(driver); }
  void Detach(IoDriver& driver) override { seat_.Detach(driver); }

  std::vector<WorkerStats> stats() const;

 private:
  struct ThisThread;

  static constexpr std::chrono::microseconds kWatchShortest{50};
  static constexpr std::chrono::microseconds kWatchLongest{1000};

  void ThreadMain(Worker* place);
  static bool TakePlace(ThisThread& here, Worker* place);  // nullptr: give it up
  void RunOne(ThisThread& here, Runnable& r);
  void RunLater(ThisThread& here, Runnable& r);
  Runnable* FindWork(ThisThread& here);
  Runnable* LookAround(ThisThread& here);
  Runnable* FindElsewhere(ThisThread& here);
  void StopSearching(ThisThread& here);
  Runnable* Search(ThisThread& here);
  Runnable* StealOverdue(ThisThread& here);
  bool AnyOverdue(const ThisThread& here) const;
  bool AnyBehindWithLongTurns(ThisThread& here);
  void TakeSightings(ThisThread& here);
  bool Unwatched() const;
  void Sleep(ThisThread& here);
  void Park(ThisThread& here);
  bool ServeDriver(ThisThread& here);
  void Unpark(Worker& worker);
  void Watch(ThisThread& here);
  bool GiveUpWatch();
  bool IsWatchWantedOften() const;
  uint64_t TurnsSoFar() const;
  void WakeOne();
  void SeeThatSomebodyWatches();
  void Enqueue(Worker& place, Runnable& r);

  Worker* BecomeSpare();
  bool HandOver(Worker& place);

  const Settings settings_;
  const int search_rounds_;
  std::weak_ptr<void> keep_alive_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Injector injector_;
  IdleSet idle_;
  DriverSeat seat_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> watched_{false};  // W3: somebody has the watch
  std::atomic<SteadyTime> watch_given_up_at_{SteadyTime()};
  ThreadGroup threads_;

  struct Spare {
    Parker parker;
    Worker* place = nullptr;
  };
  Mutex spares_mutex_;
  std::vector<Spare*> spares_
      ABSL_GUARDED_BY(spares_mutex_);  // on their threads' stacks, while these are parked
  int extra_threads_ ABSL_GUARDED_BY(spares_mutex_) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_WORK_STEALING_SCHEDULER_H_
