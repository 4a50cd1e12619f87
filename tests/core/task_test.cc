#include "troupe/core/task.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/core/node_pool.h"

namespace troupe {
namespace {

// Suspends the chain until the test resumes its owner.
struct Pause : TaskAwaitable {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> by) const noexcept {
    by.promise().owner->SuspendedAt(by.promise());
  }
  void await_resume() const noexcept {}
};

struct Noted {
  std::vector<std::string>* notes;
  std::string what;
  Noted(std::vector<std::string>* n, std::string w) : notes(n), what(std::move(w)) {}
  Noted(const Noted&) = delete;
  ~Noted() { notes->push_back(what); }
};

Task<int> Seven() { co_return 7; }
Task<int> SevenLater() {
  co_await Pause();
  co_return 7;
}
Task<std::unique_ptr<int>> MoveOnly(std::unique_ptr<int> in) {
  co_await Pause();
  co_return std::move(in);
}
Task<> Throw() {
  co_await Pause();
  throw std::runtime_error("no");
}
Task<int> SumOf(int tasks) {
  int sum = 0;
  for (int i = 0; i < tasks; ++i) sum += co_await SevenLater();
  co_return sum;
}

TEST(TaskTest, RunsToItsEndWhenNothingSuspendsIt) {
  TaskOwner owner;
  Task<int> task = Seven();
  EXPECT_FALSE(task.done());
  task.Start(owner);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeResult(), 7);
}

TEST(TaskTest, DoesNothingBeforeItIsStarted) {
  bool ran = false;
  auto run = [](bool* ran) -> Task<> {
    *ran = true;
    co_return;
  };
  {
    Task<> task = run(&ran);
    EXPECT_FALSE(ran);
  }
  EXPECT_FALSE(ran) << "and is destroyed without having run";
}

TEST(TaskTest, ResumesWhereItWasSuspendedHoweverDeep) {
  TaskOwner owner;
  Task<int> task = SumOf(3);
  task.Start(owner);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(task.done());
    owner.Resume();
  }
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeResult(), 21);
}

TEST(TaskTest, AResultMayBeMoveOnly) {
  TaskOwner owner;
  Task<std::unique_ptr<int>> task = MoveOnly(std::make_unique<int>(5));
  task.Start(owner);
  owner.Resume();
  EXPECT_EQ(*task.TakeResult(), 5);
}

TEST(TaskTest, WhatATaskThrowsComesOutWhereItIsAwaited) {
  TaskOwner owner;
  auto caught = [](std::string* what) -> Task<> {
    try {
      co_await Throw();
    } catch (const std::exception& e) {
      *what = e.what();
    }
  };
  std::string what;
  Task<> task = caught(&what);
  task.Start(owner);
  owner.Resume();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(what, "no");
}

TEST(TaskTest, WhatNobodyCaughtComesOutOfTakeResult) {
  TaskOwner owner;
  Task<> task = Throw();
  task.Start(owner);
  owner.Resume();
  ASSERT_TRUE(task.done());
  EXPECT_THROW(task.TakeResult(), std::runtime_error);
}

TEST(TaskTest, CancellingASuspendedChainDestroysItFromTheInside) {
  std::vector<std::string> notes;
  auto inner = [](std::vector<std::string>* notes) -> Task<> {
    Noted noted(notes, "inner");
    co_await Pause();
    notes->push_back("not reached");
  };
  auto outer = [](Task<> awaited, std::vector<std::string>* notes) -> Task<> {
    Noted noted(notes, "outer");
    co_await std::move(awaited);
    notes->push_back("not reached");
  };
  TaskOwner owner;
  {
    Task<> task = outer(inner(&notes), &notes);
    task.Start(owner);
    owner.DestroySuspended();
    EXPECT_EQ(notes, (std::vector<std::string>{"inner", "outer"}));
  }
  EXPECT_EQ(notes.size(), 2u) << "once";
}

// Counts down by awaiting itself, and suspends at the bottom.
Task<int> Deep(int levels) {
  if (levels == 0) {
    co_await Pause();
    co_return 0;
  }
  co_return 1 + co_await Deep(levels - 1);
}

constexpr int kDeep = 1'000'000;

TEST(TaskTest, AChainOfAMillionTasksReturnsWithoutOverflowingTheStack) {
  TaskOwner owner;
  Task<int> task = Deep(kDeep);
  task.Start(owner);
  owner.Resume();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeResult(), kDeep);
}

TEST(TaskTest, AChainOfAMillionTasksIsCancelledWithoutOverflowingTheStack) {
  TaskOwner owner;
  Task<int> task = Deep(kDeep);
  task.Start(owner);
  owner.DestroySuspended();
  EXPECT_TRUE(task.done());
}

// A task that has a loop of a million awaits, each of which returns at once.
TEST(TaskTest, AMillionAwaitsInTurnDoNotOverflowTheStack) {
  auto sum = [](int times) -> Task<int64_t> {
    int64_t total = 0;
    for (int i = 0; i < times; ++i) total += co_await Seven();
    co_return total;
  };
  TaskOwner owner;
  Task<int64_t> task = sum(kDeep);
  task.Start(owner);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeResult(), 7 * int64_t{kDeep});
}

TEST(TaskTest, FramesComeFromTheNodePoolAndGoBackThere) {
  const auto outstanding = [] {
    FlushThreadNodes();
    TrimNodePool();
    return OutstandingNodeBlocks();
  };
  const int64_t before = outstanding();
  {
    TaskOwner owner;
    Task<int> task = Deep(3);
    task.Start(owner);
    EXPECT_GT(outstanding(), before);
    owner.DestroySuspended();
  }
  EXPECT_EQ(outstanding(), before);
}

}  // namespace
}  // namespace troupe
