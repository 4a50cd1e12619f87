// What every Scheduler promises (core/scheduler.h, core/runnable.h), on bare Runnables, for each
// implementation. A new one is added to the list at the end; a host's own one likewise.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "oneapi/tbb/task_arena.h"
#include "troupe/core/clock.h"
#include "troupe/core/coarse_clock.h"
#include "troupe/core/futex.h"
#include "troupe/core/runnable.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/internal/blocking_pool.h"
#include "troupe/runtime/internal/work_stealing_scheduler.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/runtime/task_arena_scheduler.h"

#if defined(__SANITIZE_THREAD__)
#define TROUPE_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TROUPE_THREAD_SANITIZER
#endif
#endif

namespace troupe {
namespace {

constexpr Budget kBudget{.messages = 32, .slice = absl::Microseconds(100)};

// A scheduler under test, and the way to let it get somewhere.
class Host {
 public:
  virtual ~Host() = default;
  virtual Scheduler& scheduler() = 0;
  // Returns when `done` has become zero.
  virtual void Await(std::latch& done) { done.wait(); }
};

class WorkStealingHost final : public Host {
 public:
  explicit WorkStealingHost(int workers)
      : coarse_(clock_),
        alive_(std::make_shared<int>(0)),
        scheduler_({.workers = workers,
                    .budget = kBudget,
                    .max_blocking_threads = 4,
                    .clock = &clock_,
                    .coarse_clock = &coarse_}) {
    scheduler_.Start(alive_);
  }
  ~WorkStealingHost() override { EXPECT_TRUE(scheduler_.Stop(kNoDeadline)); }
  Scheduler& scheduler() override { return scheduler_; }

 private:
  SystemClock clock_;
  CoarseClock coarse_;
  std::shared_ptr<int> alive_;
  internal::WorkStealingScheduler scheduler_;
};

class BlockingHost final : public Host {
 public:
  explicit BlockingHost(int max_threads)
      : alive_(std::make_shared<int>(0)),
        scheduler_(
            {.name = "blocking", .max_threads = max_threads, .cpus = {}, .budget = kBudget}) {
    scheduler_.Start(alive_);
  }
  ~BlockingHost() override { EXPECT_TRUE(scheduler_.Stop(kNoDeadline)); }
  Scheduler& scheduler() override { return scheduler_; }

 private:
  std::shared_ptr<int> alive_;
  internal::BlockingPool scheduler_;
};

class ManualHost final : public Host {
 public:
  explicit ManualHost(bool seeded)
      : scheduler_(seeded ? ManualScheduler::Options{.seed = 7} : ManualScheduler::Options()) {}
  Scheduler& scheduler() override { return scheduler_; }
  void Await(std::latch& done) override {
    while (!done.try_wait()) {
      if (!scheduler_.Turn()) std::this_thread::yield();  // other threads may still schedule
    }
  }

 private:
  ManualScheduler scheduler_;
};

class TaskArenaHost final : public Host {
 public:
  TaskArenaHost() : arena_(2, 0), scheduler_(arena_, kBudget) {}
  Scheduler& scheduler() override { return scheduler_; }

 private:
  oneapi::tbb::task_arena arena_;
  TaskArenaScheduler scheduler_;
};

// Does what the test says, and counts its runs.
class Task : public Runnable {
 public:
  using Body = std::function<Outcome(const Budget&)>;
  explicit Task(Body body) : Runnable(&RunTask), body_(std::move(body)) {}
  int runs() const { return runs_.load(); }

 private:
  static Outcome RunTask(Runnable& r, const Budget& budget) {
    auto& task = static_cast<Task&>(r);
    EXPECT_EQ(task.inside_.fetch_add(1), 0) << "one thread at a time";
    task.runs_.fetch_add(1);
    task.inside_.fetch_sub(1);
    return task.body_(budget);  // the last touch: it may be gone when this returns kDone
  }

  Body body_;
  std::atomic<int> runs_{0};
  std::atomic<int> inside_{0};
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Host>()> make;
};

class SchedulerConformanceTest : public testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override {
#ifdef TROUPE_THREAD_SANITIZER
    // libtbb is not instrumented, so what it hands from thread to thread looks like a race.
    if (GetParam().name == "TaskArena") GTEST_SKIP() << "oneTBB under ThreadSanitizer";
#endif
    host_ = GetParam().make();
  }
  Scheduler& scheduler() { return host_->scheduler(); }
  void Await(std::latch& done) { host_->Await(done); }

  std::vector<std::unique_ptr<Task>> tasks_;  // outlive the scheduler
  Task& Make(Task::Body body) {
    tasks_.push_back(std::make_unique<Task>(std::move(body)));
    return *tasks_.back();
  }
  void TearDown() override { host_.reset(); }

 private:
  std::unique_ptr<Host> host_;
};

TEST_P(SchedulerConformanceTest, EveryScheduledRunnableRunsOnce) {
  constexpr int kTasks = 1000;
  std::latch done(kTasks);
  for (int i = 0; i < kTasks; ++i) {
    scheduler().Schedule(Make([&](const Budget&) {
      done.count_down();
      return Outcome::kDone;
    }));
  }
  Await(done);
  for (const auto& task : tasks_) EXPECT_EQ(task->runs(), 1);
}

TEST_P(SchedulerConformanceTest, TheBudgetIsTheOneItWasGiven) {
  std::latch done(1);
  int messages = 0;
  scheduler().Schedule(Make([&](const Budget& budget) {
    messages = budget.messages;
    done.count_down();
    return Outcome::kDone;
  }));
  Await(done);
  EXPECT_GE(messages, 1);
}

TEST_P(SchedulerConformanceTest, AgainMeansOnceMore) {
  std::latch done(1);
  int left = 100;
  Task& task = Make([&](const Budget&) {
    if (--left > 0) return Outcome::kAgain;
    done.count_down();
    return Outcome::kDone;
  });
  scheduler().Schedule(task);
  Await(done);
  EXPECT_EQ(task.runs(), 100);
}

TEST_P(SchedulerConformanceTest, WhoRunsAgainDoesNotStarveTheOthers) {
  std::atomic<bool> other_ran{false};
  std::latch done(2);
  scheduler().Schedule(Make([&](const Budget&) {
    if (!other_ran.load()) return Outcome::kAgain;  // for ever, if the other never gets a turn
    done.count_down();
    return Outcome::kDone;
  }));
  scheduler().Schedule(Make([&](const Budget&) {
    other_ran.store(true);
    done.count_down();
    return Outcome::kDone;
  }));
  Await(done);
  EXPECT_TRUE(other_ran.load());
}

TEST_P(SchedulerConformanceTest, WhoRunsAgainDoesNotStarveWhatWasScheduledFromOutside) {
  std::atomic<bool> other_ran{false};
  std::latch spinning(1);
  std::latch done(9);
  for (int i = 0; i < 8; ++i) {  // as many as any of the pools has threads
    scheduler().Schedule(Make([&, first = i == 0](const Budget&) mutable {
      if (std::exchange(first, false)) spinning.count_down();
      if (!other_ran.load()) return Outcome::kAgain;
      done.count_down();
      return Outcome::kDone;
    }));
  }
  Await(spinning);
  scheduler().Schedule(Make([&](const Budget&) {
    other_ran.store(true);
    done.count_down();
    return Outcome::kDone;
  }));
  Await(done);
  EXPECT_TRUE(other_ran.load());
}

TEST_P(SchedulerConformanceTest, ARunnableMayBeScheduledFromInsideARun) {
  constexpr int kDepth = 500;
  std::latch done(kDepth);
  std::vector<Task*> chain(kDepth);
  for (int i = kDepth - 1; i >= 0; --i) {
    Task* next = i + 1 < kDepth ? chain[i + 1] : nullptr;
    chain[i] = &Make([&, next](const Budget&) {
      if (next != nullptr) scheduler().Schedule(*next);
      done.count_down();
      return Outcome::kDone;
    });
  }
  scheduler().Schedule(*chain[0]);
  Await(done);
  for (const Task* task : chain) EXPECT_EQ(task->runs(), 1);
}

TEST_P(SchedulerConformanceTest, ManyMayBeScheduledFromInsideOneRun) {
  constexpr int kChildren = 2000;  // more than a worker's queue holds
  std::latch done(kChildren);
  std::vector<Task*> children;
  for (int i = 0; i < kChildren; ++i) {
    children.push_back(&Make([&](const Budget&) {
      done.count_down();
      return Outcome::kDone;
    }));
  }
  scheduler().Schedule(Make([&](const Budget&) {
    for (Task* child : children) scheduler().Schedule(*child);
    return Outcome::kDone;
  }));
  Await(done);
  for (const Task* child : children) EXPECT_EQ(child->runs(), 1);
}

TEST_P(SchedulerConformanceTest, ARunnableMayBeScheduledAgainBeforeItsRunReturnsDone) {
  // The right to run is handed on from inside, as an actor's is when a message comes in while it
  // parks: the other one runs, gives it back, and so on.
  constexpr int kRounds = 1000;
  std::latch done(1);
  std::atomic<int> rounds{0};
  Task* one = nullptr;
  Task* two = nullptr;
  const auto bounce = [&](Task*& other) {
    return [&](const Budget&) {
      if (rounds.fetch_add(1) + 1 == kRounds) {
        done.count_down();
      } else {
        scheduler().Schedule(*other);
      }
      return Outcome::kDone;
    };
  };
  one = &Make(bounce(two));
  two = &Make(bounce(one));
  scheduler().Schedule(*one);
  Await(done);
  EXPECT_EQ(rounds.load(), kRounds);
}

TEST_P(SchedulerConformanceTest, ScheduleMayBeCalledFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::latch done(kThreads * kEach);
  for (int i = 0; i < kThreads * kEach; ++i) {
    Make([&](const Budget&) {
      done.count_down();
      return Outcome::kDone;
    });
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) scheduler().Schedule(*tasks_[t * kEach + i]);
    });
  }
  Await(done);
  for (std::thread& thread : threads) thread.join();
  for (const auto& task : tasks_) EXPECT_EQ(task->runs(), 1);
}

TEST_P(SchedulerConformanceTest, WhatWasDoneBeforeScheduleIsVisibleToTheRun) {
  constexpr int kTasks = 500;
  std::latch done(kTasks);
  std::vector<int> plain(kTasks, 0);
  std::atomic<int> seen{0};
  for (int i = 0; i < kTasks; ++i) {
    plain[i] = i + 1;  // not atomic: ordered by Schedule alone
    scheduler().Schedule(Make([&, i](const Budget&) {
      seen.fetch_add(plain[i] == i + 1 ? 1 : 0);
      done.count_down();
      return Outcome::kDone;
    }));
  }
  Await(done);
  EXPECT_EQ(seen.load(), kTasks);
}

TEST_P(SchedulerConformanceTest, WhatOneRunDidIsVisibleToTheNextRunOfTheSame) {
  std::latch done(1);
  int plain = 0;  // not atomic: runs of one Runnable follow each other
  scheduler().Schedule(Make([&](const Budget&) {
    if (++plain < 1000) return Outcome::kAgain;
    done.count_down();
    return Outcome::kDone;
  }));
  Await(done);
  EXPECT_EQ(plain, 1000);
}

TEST_P(SchedulerConformanceTest, ARunnableMayBeFreedInItsLastRun) {
  constexpr int kTasks = 200;
  std::latch done(kTasks);
  class Suicidal : public Runnable {
   public:
    explicit Suicidal(std::latch& done) : Runnable(&Die), done_(done) {}

   private:
    static Outcome Die(Runnable& r, const Budget&) {
      auto* me = static_cast<Suicidal*>(&r);
      std::latch& done = me->done_;
      delete me;
      done.count_down();
      return Outcome::kDone;
    }
    std::latch& done_;
  };
  for (int i = 0; i < kTasks; ++i) scheduler().Schedule(*new Suicidal(done));
  Await(done);
  EXPECT_TRUE(done.try_wait());
}

TEST_P(SchedulerConformanceTest, BeginBlockingOutsideOfARunIsHarmless) {
  scheduler().BeginBlocking();
  std::latch done(1);
  scheduler().Schedule(Make([&](const Budget&) {
    scheduler().BeginBlocking();
    scheduler().BeginBlocking();  // twice is once
    done.count_down();
    return Outcome::kDone;
  }));
  Await(done);
  EXPECT_EQ(tasks_[0]->runs(), 1);
}

TEST_P(SchedulerConformanceTest, ARunThatBlockedMayRunAgain) {
  std::latch done(1);
  int left = 20;
  scheduler().Schedule(Make([&](const Budget&) {
    scheduler().BeginBlocking();
    if (--left > 0) return Outcome::kAgain;
    done.count_down();
    return Outcome::kDone;
  }));
  Await(done);
  EXPECT_EQ(tasks_[0]->runs(), 20);
}

TEST_P(SchedulerConformanceTest, OnlyAHostDrivenSchedulerIsTurned) {
  EXPECT_FALSE(scheduler().Turn()) << "there is nothing to run";
  if (!scheduler().host_driven()) return;
  scheduler().Schedule(Make([](const Budget&) { return Outcome::kDone; }));
  EXPECT_EQ(tasks_[0]->runs(), 0) << "nothing runs before somebody turns it";
  EXPECT_TRUE(scheduler().Turn());
  EXPECT_EQ(tasks_[0]->runs(), 1);
  EXPECT_FALSE(scheduler().Turn());
}

INSTANTIATE_TEST_SUITE_P(
    All, SchedulerConformanceTest,
    testing::Values(
        Implementation{"WorkStealing1", [] { return std::make_unique<WorkStealingHost>(1); }},
        Implementation{"WorkStealing2", [] { return std::make_unique<WorkStealingHost>(2); }},
        Implementation{"WorkStealing8", [] { return std::make_unique<WorkStealingHost>(8); }},
        Implementation{"Blocking1", [] { return std::make_unique<BlockingHost>(1); }},
        Implementation{"Blocking8", [] { return std::make_unique<BlockingHost>(8); }},
        Implementation{"Manual", [] { return std::make_unique<ManualHost>(false); }},
        Implementation{"ManualSeeded", [] { return std::make_unique<ManualHost>(true); }},
        Implementation{"TaskArena", [] { return std::make_unique<TaskArenaHost>(); }}),
    [](const testing::TestParamInfo<Implementation>& info) { return info.param.name; });

// ---- the work-stealing scheduler alone

class WorkStealingTest : public testing::TestWithParam<int> {
 protected:
  Task& Make(Task::Body body) {
    tasks_.push_back(std::make_unique<Task>(std::move(body)));
    return *tasks_.back();
  }
  std::vector<std::unique_ptr<Task>> tasks_;
};

TEST_P(WorkStealingTest, ARunThatBlocksDoesNotStopTheOthers) {
  // As many block as there are workers, until somebody else has run.
  std::latch released(1);
  std::latch done(GetParam() + 1);
  WorkStealingHost host(GetParam());
  for (int i = 0; i < std::min(GetParam(), 4); ++i) {  // 4: what the host may lend
    host.scheduler().Schedule(Make([&](const Budget&) {
      host.scheduler().BeginBlocking();
      released.wait();
      done.count_down();
      return Outcome::kDone;
    }));
  }
  for (int i = GetParam(); i > 4; --i) done.count_down();
  host.scheduler().Schedule(Make([&](const Budget&) {
    released.count_down();
    done.count_down();
    return Outcome::kDone;
  }));
  done.wait();
  for (const auto& task : tasks_) EXPECT_EQ(task->runs(), 1);
}

TEST_P(WorkStealingTest, WhatARunThatBlocksHadScheduledRunsMeanwhile) {
  std::latch released(1);
  std::latch done(2);
  WorkStealingHost host(GetParam());
  Task& helper = Make([&](const Budget&) {
    released.count_down();
    done.count_down();
    return Outcome::kDone;
  });
  host.scheduler().Schedule(Make([&](const Budget&) {
    host.scheduler().Schedule(helper);  // into the slot of the place it then lends
    host.scheduler().BeginBlocking();
    released.wait();
    done.count_down();
    return Outcome::kDone;
  }));
  done.wait();
  EXPECT_EQ(helper.runs(), 1);
}

TEST_P(WorkStealingTest, BlockingOverAndOverUsesNoMoreThreadsThanAllowed) {
  constexpr int kTasks = 200;
  std::latch done(kTasks);
  WorkStealingHost host(GetParam());
  for (int i = 0; i < kTasks; ++i) {
    host.scheduler().Schedule(Make([&](const Budget&) {
      host.scheduler().BeginBlocking();
      std::this_thread::yield();
      done.count_down();
      return Outcome::kDone;
    }));
  }
  done.wait();
  for (const auto& task : tasks_) EXPECT_EQ(task->runs(), 1);
}

class WorkStealingPoolTest : public testing::Test {
 protected:
  Task& Make(Task::Body body) {
    tasks_.push_back(std::make_unique<Task>(std::move(body)));
    return *tasks_.back();
  }
  std::vector<std::unique_ptr<Task>> tasks_;
};

INSTANTIATE_TEST_SUITE_P(Workers, WorkStealingTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

TEST_F(WorkStealingPoolTest, ARunnableInTheSlotOfABusyWorkerIsTakenOverByAnother) {
  // The first stays in its Run until the one it has scheduled has run, without saying that it
  // blocks.
  for (int workers : {2, 8}) {
    std::latch released(1);
    std::latch done(2);
    WorkStealingHost host(workers);
    Task& second = Make([&](const Budget&) {
      released.count_down();
      done.count_down();
      return Outcome::kDone;
    });
    host.scheduler().Schedule(Make([&](const Budget&) {
      host.scheduler().Schedule(second);
      released.wait();
      done.count_down();
      return Outcome::kDone;
    }));
    done.wait();
    EXPECT_EQ(second.runs(), 1);
  }
}

TEST_F(WorkStealingPoolTest, WhatABusyWorkerHasQueuedIsStolen) {
  constexpr int kChildren = 100;
  std::latch released(kChildren);
  std::latch done(1);
  WorkStealingHost host(2);
  std::vector<Task*> children;
  for (int i = 0; i < kChildren; ++i) {
    children.push_back(&Make([&](const Budget&) {
      released.count_down();
      return Outcome::kDone;
    }));
  }
  host.scheduler().Schedule(Make([&](const Budget&) {
    for (Task* child : children) host.scheduler().Schedule(*child);
    released.wait();  // all of them have run elsewhere
    done.count_down();
    return Outcome::kDone;
  }));
  done.wait();
  for (const Task* child : children) EXPECT_EQ(child->runs(), 1);
}

TEST_F(WorkStealingPoolTest, StopLeavesBehindAThreadThatDoesNotComeBackAndSaysSo) {
  std::latch entered(1), release(1), gone(1);
  // Kept alive by the thread, as a System is.
  struct Pool {
    SystemClock clock;
    CoarseClock coarse{clock};
    internal::WorkStealingScheduler scheduler{{.workers = 2,
                                               .budget = kBudget,
                                               .max_blocking_threads = 0,
                                               .clock = &clock,
                                               .coarse_clock = &coarse}};
    std::latch* gone;
    ~Pool() { gone->count_down(); }
  };
  auto pool = std::make_shared<Pool>();
  pool->gone = &gone;
  pool->scheduler.Start(pool);
  pool->scheduler.Schedule(Make([&](const Budget&) {
    entered.count_down();
    release.wait();
    return Outcome::kDone;
  }));
  entered.wait();
  EXPECT_FALSE(pool->scheduler.Stop(std::chrono::steady_clock::now()));
  pool.reset();
  EXPECT_FALSE(gone.try_wait()) << "the thread still needs it";
  release.count_down();
  gone.wait();
}

TEST_F(WorkStealingPoolTest, TheStatisticsCountTurns) {
  std::latch done(50);
  SystemClock clock;
  CoarseClock coarse(clock);
  auto alive = std::make_shared<int>(0);
  internal::WorkStealingScheduler scheduler({.workers = 2,
                                             .budget = kBudget,
                                             .max_blocking_threads = 0,
                                             .clock = &clock,
                                             .coarse_clock = &coarse});
  scheduler.Start(alive);
  for (int i = 0; i < 50; ++i) {
    scheduler.Schedule(Make([&](const Budget&) {
      done.count_down();
      return Outcome::kDone;
    }));
  }
  done.wait();
  EXPECT_TRUE(scheduler.Stop(kNoDeadline));
  uint64_t turns = 0;
  ASSERT_EQ(scheduler.stats().size(), 2u);
  for (const WorkerStats& worker : scheduler.stats()) {
    turns += worker.turns;
    EXPECT_EQ(worker.queued, 0u);
  }
  EXPECT_EQ(turns, 50u);
}

}  // namespace
}  // namespace troupe
