// The loop of a node without a host's context: who serves it, the system's workers or the thread of its own.
#include "troupe/runtime/bridges/internal/own_loop.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/bridges/watching.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/runtime/bridges/internal/event_loop.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe::internal {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// ---- Duty

class DutyTest : public testing::Test {
 protected:
  // So long in the loop before something came in, then so long away.
  void Visit(microseconds waited, microseconds away) {
    duty_.Woken(now_ += waited);
    duty_.Begin(now_ += away);
  }
  // How long it takes after a GiveUp until it may be tried.
  milliseconds Pause() {
    duty_.GiveUp(now_);
    milliseconds pause(0);
    while (!duty_.MayTry(now_ + pause)) ++pause;
    return pause;
  }
  void TryAgain(milliseconds later) { duty_.Try(now_ += later); }

  Duty duty_{/*cpus=*/2};
  SteadyTime now_{seconds(1000)};
};

TEST_F(DutyTest, ShortTurnsWithPausesBetweenAreNotTooMuch) {
  duty_.Try(now_);
  for (int i = 0; i < 100; ++i) Visit(microseconds(20), microseconds(20));
  EXPECT_FALSE(duty_.IsTooMuch());
}

TEST_F(DutyTest, OneLongTurnIsAndManyThatLeaveNoPauseAre) {
  duty_.Try(now_);
  Visit(microseconds(20), microseconds(1000));
  EXPECT_TRUE(duty_.IsTooMuch());

  duty_.Try(now_);
  for (int i = 0; i < 100; ++i) Visit(microseconds(1), microseconds(20));
  EXPECT_TRUE(duty_.IsTooMuch());
}

TEST_F(DutyTest, TimeForSomethingElseThanWhatCameInCountsAsAway) {
  duty_.Try(now_);
  duty_.Left(now_ += microseconds(20));
  duty_.Begin(now_ += microseconds(1000));
  EXPECT_TRUE(duty_.IsTooMuch());
}

TEST_F(DutyTest, OnOneCpuNothingIs) {
  Duty alone(/*cpus=*/1);
  alone.Try(now_);
  alone.Woken(now_);
  alone.Begin(now_ + seconds(1));
  EXPECT_FALSE(alone.IsTooMuch());
}

TEST_F(DutyTest, AfterATryThatFailedSoonTheNextComesLater) {
  duty_.Try(now_);
  EXPECT_EQ(Pause(), milliseconds(4));
  TryAgain(milliseconds(4));
  EXPECT_EQ(Pause(), milliseconds(8));
  TryAgain(milliseconds(8));
  now_ += milliseconds(100);  // this one went well for long
  EXPECT_EQ(Pause(), milliseconds(4));
  for (int i = 0; i < 20; ++i) {
    TryAgain(milliseconds(2000));
    duty_.GiveUp(now_);
  }
  EXPECT_EQ(Pause(), milliseconds(1000)) << "at most";
}

// ---- OwnLoop

std::string ThisThread() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

struct Ping {
  using Reply = int;
};
struct Block {};

class Answerer {
 public:
  explicit Answerer(std::latch& blocked, std::latch& go_on) : blocked_(blocked), go_on_(go_on) {}
  int On(Ping) { return ++answered_; }
  void On(Block) {
    blocked_.count_down();
    go_on_.wait();
  }

 private:
  std::latch& blocked_;
  std::latch& go_on_;
  int answered_ = 0;
};

class OwnLoopTest : public testing::Test {
 protected:
  std::shared_ptr<EventLoop> Begin() {
    return EventLoop::Begin(nullptr, &ActorCell::Of(actor_)->space().scheduler());
  }
  // The thread in whose turn this was called. It sends, or no worker would have a reason to wake and come.
  std::string ServerOf(EventLoop& loop) {
    std::string server;
    std::latch done(1);
    loop.Post([&] {
      actor_.Send(Ping{});
      server = ThisThread();
      done.count_down();
    });
    done.wait();
    return server;
  }
  bool IsAnswered() { return actor_.Ask(Ping{}, kLong).Wait().ok(); }
  bool IsServedByAWorker(EventLoop& loop) { return absl::StartsWith(ServerOf(loop), "troupe-0"); }

  std::latch blocked_{1}, go_on_{1};  // of a handler: they outlive the system
  System system_{{.workers = 1}};
  const ActorRef<Answerer> actor_ = system_.Spawn<Answerer>(std::ref(blocked_), std::ref(go_on_));
};

TEST_F(OwnLoopTest, AnIdleWorkerServesIt) {
  const auto loop = Begin();
  EXPECT_TRUE(Eventually([&] { return IsServedByAWorker(*loop); }));
  loop->Close();
}

TEST_F(OwnLoopTest, ItsThreadDoesWhileTheWorkersAreInLongHandlers) {
  const auto loop = Begin();
  ASSERT_TRUE(Eventually([&] { return IsServedByAWorker(*loop); }));
  actor_.Send(Block{});
  blocked_.wait();  // the only worker serves nothing until the loop has been served
  loop->Post([this] { go_on_.count_down(); });
  EXPECT_TRUE(IsAnswered());
  loop->Close();
}

TEST_F(OwnLoopTest, AWorkerThatWaitsInItIsThereForEverythingElse) {
  const auto loop = Begin();
  std::atomic<int> turns{0};
  for (int i = 1; i <= 3000; ++i) {
    if (i % 3 == 0) loop->Post([&] { turns.fetch_add(1); });
    ASSERT_TRUE(IsAnswered());
  }
  EXPECT_TRUE(Eventually([&] { return turns.load() == 1000; }));
  loop->Close();
}

TEST_F(OwnLoopTest, WhatATurnSendsIsHandled) {
  const auto loop = Begin();
  for (int i = 0; i < 1000; ++i) loop->Post([this] { actor_.Send(Ping{}); });
  EXPECT_TRUE(Eventually([&] { return actor_.Ask(Ping{}, kLong).Wait().value_or(0) > 1000; }));
  loop->Close();
}

TEST_F(OwnLoopTest, WhenItEndsTheWorkerLeavesItAndServesTheNext) {
  for (int i = 0; i < 5; ++i) {
    const auto loop = Begin();
    EXPECT_TRUE(Eventually([&] { return IsServedByAWorker(*loop); }));
    loop->Close();
    EXPECT_TRUE(IsAnswered());
  }
}

TEST_F(OwnLoopTest, OfTwoTheSecondIsServedByItsThread) {
  const auto first = Begin(), second = Begin();
  EXPECT_TRUE(Eventually([&] { return IsServedByAWorker(*first); }));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ServerOf(*second), "troupe-bridge");
  first->Close();
  EXPECT_TRUE(Eventually([&] { return IsServedByAWorker(*second); })) << "it has come to be first";
  second->Close();
}

TEST_F(OwnLoopTest, ASystemWithoutThreadsLeavesItToItsThread) {
  ManualScheduler host;
  const auto loop = EventLoop::Begin(nullptr, &host);
  EXPECT_EQ(ServerOf(*loop), "troupe-bridge");
  loop->Close();
}

}  // namespace
}  // namespace troupe::internal
