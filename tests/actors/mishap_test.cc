// Mistakes and mishaps that once went wrong, each with the test that would have shown it.
#include <atomic>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using MishapTest = Simulated;

struct Question {
  using Reply = int;
};
struct Go {};

TEST_F(MishapTest, AHandlerThatAnswersOkWithoutTheValueIsAnErrorForTheAskerOnly) {
  auto sloppy = system_.Spawn([](Question) { return absl::OkStatus(); });
  EXPECT_EQ(sloppy.Ask(Question{}).Wait().status().code(), absl::StatusCode::kInternal);
  auto later = system_.Spawn([](Question, Reply<int> reply) { reply.Send(absl::OkStatus()); });
  EXPECT_EQ(later.Ask(Question{}).Wait().status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(system_.stats().live, 2u);
}

TEST_F(MishapTest, AnAskerHearsWhatTheReceiverThrew) {
  auto broken = system_.Spawn([](Question) -> int { throw std::runtime_error("out of ink"); });
  const absl::Status status = broken.Ask(Question{}).Wait().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("out of ink"), absl::string_view::npos) << status;
}

TEST_F(MishapTest, AReplyNobodyWaitsForAnyMoreSaysSo) {
  auto& kept = Keep<std::optional<Reply<int>>>();
  auto slow = system_.Spawn([&kept](Question, Reply<int> reply) { kept = std::move(reply); });
  auto asker = system_.Spawn([slow](Go, Context& self) {
    slow.Ask(Question{}, absl::Seconds(1)).Then(self, [](absl::StatusOr<int>) {});
  });
  asker.Send(Go{});
  Run();
  ASSERT_TRUE(kept.has_value());
  EXPECT_TRUE(static_cast<bool>(*kept));
  Advance(absl::Seconds(2));
  EXPECT_FALSE(static_cast<bool>(*kept)) << "the asker has timed out";
  kept.reset();
}

TEST_F(MishapTest, ASpawnThatThrowsLeavesNothingBehind) {
  EXPECT_THROW(system_.Spawn({.name = "none", .capacity = 0}, [](Go) {}), std::invalid_argument);
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_TRUE(system_.actors().empty());
}

TEST_F(MishapTest, ADownNamesTheActorAndItsClass) {
  struct Worker {
    void On(Go) { throw std::runtime_error("tired"); }
  };
  struct Boss {
    explicit Boss(std::optional<Down>& down) : seen(down) {}
    void On(Go, Context& self) {
      auto worker = self.Spawn<Worker>({.name = "worker 7"});
      self.Watch(worker);
      worker.Send(Go{});
    }
    void On(Down down) { seen = std::move(down); }
    std::optional<Down>& seen;
  };
  auto& down = Keep<std::optional<Down>>();
  system_.Spawn<Boss>(down).Send(Go{});
  Run();
  ASSERT_TRUE(down.has_value());
  EXPECT_EQ(down->name, "worker 7");
  EXPECT_NE(down->type.find("Worker"), std::string_view::npos) << down->type;
}

TEST_F(MishapTest, WatchersAreToldInTheOrderOfWatching) {
  struct Watcher {
    Watcher(int number, AnyRef whom, std::vector<int>& log) : n(number), who(whom), told(log) {}
    void On(Go, Context& self) { self.Watch(who); }
    void On(Down) { told.push_back(n); }
    int n;
    AnyRef who;
    std::vector<int>& told;
  };
  auto& told = Keep<std::vector<int>>();
  auto watched = system_.Spawn([](Go) {});
  std::vector<int> expected;
  for (int n = 0; n < 50; ++n) {
    system_.Spawn<Watcher>(n, watched, told).Send(Go{});
    expected.push_back(n);
  }
  Run();
  watched.Stop();
  Run();
  EXPECT_EQ(told, expected);
}

TEST_F(MishapTest, ManySendersThatWaitForRoomDoNotNestWithoutEnd) {
  struct Producer {
    Producer(Recipient<Go> to) : out(to) {}
    void On(Question, Reply<int>) {
      out.Send(Go{});
      out.Send(Go{});
    }
    Recipient<Go> out;
  };
  auto slow = system_.Spawn({.capacity = 1}, [](Go) {});
  constexpr int kProducers = 20000;
  for (int i = 0; i < kProducers; ++i) {
    auto producer = system_.Spawn<Producer>(slow);
    producer.Send(Question{});
  }
  Run();
  const SystemStats stats = system_.stats();
  uint64_t handled = 0;
  for (const ActorStats& actor : system_.actors()) {
    if (actor.ref == slow) handled = actor.handled;
  }
  EXPECT_EQ(handled + stats.dead_letters_total(), 2u * kProducers);
}

TEST_F(MishapTest, AnActorThatNeverRestsLeavesTheHostItsLoop) {
  struct Restless {
    void On(Go, Context& self) { self.ref(this).Send(Go{}); }
  };
  system_.Spawn<Restless>().Send(Go{});
  EXPECT_EQ(loop_.RunUntilIdle(10), 10);
  EXPECT_EQ(loop_.AdvanceTo(loop_.Now() + absl::Seconds(1), 10), 10);
}

TEST(HostThreadTest, AnotherThreadsWaitDoesNotTurnTheHostsActors) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  std::thread::id ran_on;
  auto actor = system.Spawn([&ran_on](Question) {
    ran_on = std::this_thread::get_id();
    return 1;
  });
  const absl::Time before = loop.Now();
  std::atomic<bool> answered{false};
  std::thread other([&] {
    EXPECT_TRUE(actor.Ask(Question{}, absl::InfiniteDuration()).Wait().ok());
    answered = true;
  });
  while (!answered) loop.RunUntilIdle();
  other.join();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_EQ(loop.Now(), before);
}

TEST(NeighboursTest, AWatcherMayEndAfterTheSystemOfWhomItWatched) {
  struct Watcher {
    explicit Watcher(AnyRef whom) : who(whom) {}
    void On(Go, Context& self) { self.Watch(who); }
    void On(Down) {}
    AnyRef who;
  };
  ManualScheduler here;
  System mine({.scheduler = &here});
  ManualScheduler there;
  auto theirs = std::make_unique<System>(Options{.scheduler = &there});
  auto watched = theirs->Spawn([](Go) {});
  auto watcher = mine.Spawn<Watcher>(watched);
  watcher.Send(Go{});
  here.RunUntilIdle();
  theirs.reset();  // its Down is now in the watcher's mailbox, and its memory gone
  watcher.Stop();
  here.RunUntilIdle();
  EXPECT_EQ(mine.stats().live, 0u);
}

TEST(NamesTest, EverySendResultHasAName) {
  EXPECT_EQ(ToString(SendResult::kQueued), "queued");
  EXPECT_EQ(ToString(SendResult::kFull), "full");
  EXPECT_EQ(ToString(SendResult::kDropped), "dropped");
  EXPECT_EQ(ToString(SendResult::kClosed), "closed");
  EXPECT_EQ(ToString(SendResult::kNotAllowed), "not allowed");
}

TEST(NamesTest, WhatBecameOfAMessageAndOfAnActorPrintsAsItsName) {
  std::ostringstream out;
  out << SendResult::kFull << ", " << ExitReason::kFailed << ", " << DeadLetterReason::kStopped;
  EXPECT_EQ(out.str(), "full, failed, stopped");
}

}  // namespace
}  // namespace troupe
