// What a System tells about itself.
#include <cstdint>
#include <latch>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Work {
  int n = 0;
};
struct Quit {};
struct alignas(64) Aligned {
  int n = 0;
};

class Worker {
 public:
  void On(Work) {}
  void On(Quit, Context& self) { self.Stop(); }
};

class StatsTest : public testing::Test {
 protected:
  ActorStats Of(const AnyRef& ref) {
    for (ActorStats& actor : system_.actors()) {
      if (actor.ref == ref) return std::move(actor);
    }
    ADD_FAILURE() << ref << " is not among the actors";
    return {};
  }

  ManualScheduler loop_;
  System system_{{.scheduler = &loop_}};
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST_F(StatsTest, SpawnsAndEndsAreCounted) {
  std::vector<ActorRef<Worker>> workers;
  for (int i = 0; i < 10; ++i) workers.push_back(system_.Spawn<Worker>());
  EXPECT_EQ(system_.stats().spawned, 10u);
  EXPECT_EQ(system_.stats().live, 10u);
  for (int i = 0; i < 4; ++i) workers[i].Send(Quit{});
  loop_.RunUntilIdle();
  EXPECT_EQ(system_.stats().spawned, 10u);
  EXPECT_EQ(system_.stats().ended, 4u);
  EXPECT_EQ(system_.stats().live, 6u);
}

TEST_F(StatsTest, AManualSchedulerHasNoWorkers) { EXPECT_TRUE(system_.stats().workers.empty()); }

TEST_F(StatsTest, EveryLiveActorIsListedWithItsClassAndName) {
  auto named = system_.Spawn<Worker>({.name = "Ada"});
  auto unnamed = system_.Spawn<Worker>();
  auto ended = system_.Spawn<Worker>({.name = "Charles"});
  ended.Send(Quit{});
  loop_.RunUntilIdle();
  EXPECT_EQ(system_.actors().size(), 2u);
  EXPECT_EQ(Of(named).name, "Ada");
  EXPECT_TRUE(Contains(Of(named).type, "Worker")) << Of(named).type;
  EXPECT_EQ(Of(unnamed).name, "");
}

TEST_F(StatsTest, ANameNeedNotBeUniqueAndGoesWithItsActor) {
  auto one = system_.Spawn<Worker>({.name = "twin"});
  auto two = system_.Spawn<Worker>({.name = "twin"});
  EXPECT_EQ(Of(one).name, Of(two).name);
  one.Send(Quit{});
  two.Send(Quit{});
  loop_.RunUntilIdle();
  for (int i = 0; i < 100; ++i) system_.Spawn<Worker>();  // in their cells, among others
  for (const ActorStats& actor : system_.actors()) EXPECT_EQ(actor.name, "");
}

TEST_F(StatsTest, WhatWaitsAndWhatWasHandledIsCounted) {
  for (uint32_t capacity : {kUnbounded, 10u}) {
    auto worker = system_.Spawn<Worker>({.capacity = capacity});
    for (int i = 0; i < 7; ++i) worker.Send(Work{});
    EXPECT_EQ(Of(worker).queued, 7u);
    EXPECT_EQ(Of(worker).handled, 0u);
    loop_.RunUntilIdle();
    EXPECT_EQ(Of(worker).queued, 0u);
    EXPECT_EQ(Of(worker).handled, 7u);
  }
}

TEST_F(StatsTest, DuringAHandlerItsMessageIsNamedAndTheOthersWait) {
  ActorStats during;
  auto worker = system_.Spawn([&](Work m, Context& self) {
    if (m.n == 1) during = Of(self.self());
  });
  for (int i = 0; i < 4; ++i) worker.Send(Work{i});
  EXPECT_EQ(Of(worker).handling, "");
  loop_.RunUntilIdle();
  EXPECT_TRUE(Contains(during.handling, "Work")) << during.handling;
  EXPECT_EQ(during.queued, 2u);
  EXPECT_EQ(during.handled, 2u) << "taken out: the one before and the one being handled";
  EXPECT_EQ(Of(worker).handling, "");
}

TEST_F(StatsTest, AnOverAlignedMessageBeingHandledIsNamedToo) {
  ActorStats during;
  auto worker = system_.Spawn([&](const Aligned&, Context& self) { during = Of(self.self()); });
  worker.Send(Aligned{});
  loop_.RunUntilIdle();
  EXPECT_TRUE(Contains(during.handling, "Aligned")) << during.handling;
}

TEST_F(StatsTest, WithNothingWaitingTheAgeIsZero) {
  auto worker = system_.Spawn<Worker>();
  EXPECT_EQ(Of(worker).oldest_age, absl::ZeroDuration());
  worker.Send(Work{});
  loop_.Advance(absl::Seconds(5));  // which handles it first
  EXPECT_EQ(Of(worker).oldest_age, absl::ZeroDuration());
}

TEST_F(StatsTest, AMessageThatWaitsBehindALongHandlerGetsOlder) {
  absl::Duration age;
  auto worker = system_.Spawn([&](Work m, Context& self) {
    if (m.n != 0) return;
    loop_.Advance(absl::Seconds(3));  // the handler takes three seconds
    age = Of(self.self()).oldest_age;
  });
  worker.Send(Work{0});
  worker.Send(Work{1});
  loop_.RunUntilIdle();
  EXPECT_GE(age, absl::Seconds(3)) << "no waiting message is older";
  EXPECT_LE(age, absl::Seconds(3) + absl::Milliseconds(2));
}

TEST(WorkerStatsTest, TheBuiltInSchedulerTellsOfEachWorker) {
  std::latch done(100);
  System system({.workers = 3});
  auto worker = system.Spawn([&](Work) { done.count_down(); });
  for (int i = 0; i < 100; ++i) worker.Send(Work{});
  done.wait();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  const SystemStats stats = system.stats();
  ASSERT_EQ(stats.workers.size(), 3u);
  uint64_t turns = 0;
  for (const WorkerStats& one : stats.workers) turns += one.turns;
  EXPECT_GE(turns, 1u);
}

TEST(StatsOnThreadsTest, AHandlerThatRunsIsSeenFromOutside) {
  std::latch entered(1), release(1);
  System system({.workers = 2});
  auto worker = system.Spawn({.name = "busy"}, [&](Work) {
    entered.count_down();
    release.wait();
  });
  worker.Send(Work{});
  entered.wait();
  const std::vector<ActorStats> actors = system.actors();
  ASSERT_EQ(actors.size(), 1u);
  EXPECT_EQ(actors[0].ref, worker);
  EXPECT_EQ(actors[0].name, "busy");
  EXPECT_TRUE(Contains(actors[0].handling, "Work")) << actors[0].handling;
  release.count_down();
}

}  // namespace
}  // namespace troupe
