// When an actor is told that it has been idle, and what it gives back then.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/core/node_pool.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Touch {};
struct Idle {};
struct Cancel {};

class Dozer {
 public:
  explicit Dozer(Log& log) : log_(log) {}
  void OnStart(Context& self) {
    idle_ = self.SendWhenIdle(absl::Seconds(10), self.ref(this), Idle{});
  }
  void On(Touch) { log_.push_back("touched"); }
  void On(Idle) { log_.push_back("idle"); }
  void On(Cancel) { idle_.Cancel(); }

 private:
  Log& log_;
  TimerHandle idle_;
};

class IdleTest : public Simulated {
 protected:
  Log TakeLog() { return std::exchange(log_, {}); }

  Log& log_ = Keep<Log>();
};

TEST_F(IdleTest, AnActorThatGetsNothingIsToldWhenTheTimeIsOverAndNotBefore) {
  system_.Spawn<Dozer>(log_);
  Run();
  Advance(absl::Seconds(10) - absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), Log{});
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), Log{"idle"});
}

TEST_F(IdleTest, EachMessagePutsItOff) {
  auto dozer = system_.Spawn<Dozer>(log_);
  Run();
  for (int i = 0; i < 5; ++i) {
    Advance(absl::Seconds(7));
    dozer.Send(Touch{});
    Run();
  }
  EXPECT_EQ(TakeLog(), Log(5, "touched"));
  Advance(absl::Seconds(10) - absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), Log{});
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), Log{"idle"});
}

TEST_F(IdleTest, ItIsToldOnceUntilItHasBeenBusyAgain) {
  auto dozer = system_.Spawn<Dozer>(log_);
  Run();
  Advance(absl::Minutes(5));
  EXPECT_EQ(TakeLog(), Log{"idle"});
  dozer.Send(Touch{});
  Run();
  Advance(absl::Seconds(10) - absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), Log{"touched"});
  Advance(absl::Minutes(5));
  EXPECT_EQ(TakeLog(), Log{"idle"});
}

// Time passes while the handler runs.
struct Work {
  ManualScheduler& loop;
};
class Worker {
 public:
  explicit Worker(Log& log) : log_(log) {}
  void OnStart(Context& self) { self.SendWhenIdle(absl::Seconds(10), self.ref(this), Idle{}); }
  void On(Work m) {
    m.loop.Advance(absl::Minutes(1));
    log_.push_back("done");
  }
  void On(Idle) { log_.push_back("idle"); }

 private:
  Log& log_;
};

TEST_F(IdleTest, WhoseHandlerIsRunningIsNotIdle) {
  auto worker = system_.Spawn<Worker>(log_);
  worker.Send(Work{loop_});
  Run();
  EXPECT_EQ(TakeLog(), Log{"done"});
  Advance(absl::Seconds(10));
  EXPECT_EQ(TakeLog(), Log{"idle"});
}

TEST_F(IdleTest, CancelEndsIt) {
  auto dozer = system_.Spawn<Dozer>(log_);
  dozer.Send(Cancel{});
  Run();
  Advance(absl::Minutes(5));
  EXPECT_EQ(TakeLog(), Log{});
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(IdleTest, ItEndsWithItsActor) {
  auto dozer = system_.Spawn<Dozer>(log_);
  Run();
  dozer.Stop();
  Run();
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  Advance(absl::Minutes(5));
  EXPECT_EQ(TakeLog(), Log{});
}

// Somebody else may be told, too: a pool that counts who has nothing to do.
TEST_F(IdleTest, AnotherActorMayBeTold) {
  auto host = system_.Spawn([this](Idle) { log_.push_back("someone is idle"); });
  auto guest = system_.Spawn(
      [host](Touch, Context& self) { self.SendWhenIdle(absl::Seconds(1), host, Idle{}); });
  guest.Send(Touch{});
  Run();
  Advance(absl::Minutes(1));
  EXPECT_EQ(TakeLog(), Log{"someone is idle"});
}

// ---- hibernation

class Cache {
 public:
  explicit Cache(Log& log) : log_(log) {}
  void OnStart(Context& self) { self.HibernateWhenIdle(absl::Seconds(10), this); }
  void On(Touch, Context& self) {
    pages_.assign(1000, 7);
    for (int i = 0; i < 3; ++i) self.Spawn([](Touch, Context& self) { self.Stop(); }).Send(Touch{});
  }
  void OnHibernate(Context&) {
    log_.push_back("gives back " + std::to_string(pages_.size()));
    pages_ = {};
  }

 private:
  Log& log_;
  std::vector<int> pages_;
};

TEST_F(IdleTest, AnIdleActorHibernatesOnceAndTheNextMessageWakesIt) {
  auto cache = system_.Spawn<Cache>(log_);
  for (int i = 0; i < 2; ++i) {
    cache.Send(Touch{});
    Run();
    Advance(absl::Minutes(5));
    EXPECT_EQ(TakeLog(), Log{"gives back 1000"});
  }
}

// Leaves the framework with something to give back.
struct Quote {
  using Reply = int;
};
struct HaveChildren {};
struct AskOnce {};
class Keeper {
 public:
  explicit Keeper(Recipient<Quote> other) : other_(other) {}
  void OnStart(Context& self) { self.HibernateWhenIdle(absl::Seconds(10), this); }
  void On(HaveChildren, Context& self) {  // so few that their ends wake nobody
    for (int i = 0; i < 3; ++i) self.Spawn([](Touch, Context& self) { self.Stop(); }).Send(Touch{});
  }
  void On(AskOnce, Context& self) {
    other_.Ask(Quote{}).Then(self, [](absl::StatusOr<int>) {});
  }
  void On(Touch) {}

 private:
  Recipient<Quote> other_;
};

class HibernationTest : public Simulated {
 protected:
  template <class M>
  int64_t BlocksGivenBackAfter(M message) {
    auto keeper = system_.Spawn<Keeper>(system_.Spawn([](Quote) { return 1; }));
    keeper.Send(std::move(message));
    Run();
    const int64_t before = Blocks();
    Advance(absl::Minutes(1));
    return before - Blocks();
  }
  static int64_t Blocks() {
    FlushThreadNodes();
    TrimNodePool();
    return OutstandingNodeBlocks();
  }
};

TEST_F(HibernationTest, RoomForChildrenIsGivenBackAndSoAreTheCellsOfThoseThatHaveEnded) {
  EXPECT_EQ(BlocksGivenBackAfter(Touch{}), 0);
  EXPECT_EQ(BlocksGivenBackAfter(HaveChildren{}), 1);
}

TEST_F(HibernationTest, TheAlarmAndTheRoomForDeadlinesAreGivenBack) {
  EXPECT_EQ(BlocksGivenBackAfter(AskOnce{}), 1);
}

class Plain {
 public:
  void OnStart(Context& self) { self.HibernateWhenIdle(absl::Seconds(10), this); }
  void On(Touch, Context& self) {
    self.Watch(self.Spawn([](Touch) {}));
    self.SendAfter(absl::Minutes(1), self.ref(this), Idle{});
  }
  void On(Idle, Context& self) { self.Stop(); }
  void On(Down) {}
};

TEST_F(IdleTest, WhatAHibernatingActorStillNeedsItKeeps) {
  auto plain = system_.Spawn<Plain>();
  plain.Send(Touch{});
  Run();
  Advance(absl::Seconds(30));
  EXPECT_EQ(system_.stats().live, 2u);
  Advance(absl::Seconds(30));  // its timer, and then its child ends with it
  EXPECT_EQ(system_.stats().live, 0u);
}

}  // namespace
}  // namespace troupe
