// How suspended handlers end: by an exception, with their actor, with the system.
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/awaiting.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using CoroutineEndTest = Awaiting;

struct Throws {
  Recipient<Get> from;
  Task<int> On(Sum) {
    (void)co_await from.Ask(Get{});
    throw std::runtime_error("broken");
  }
};

TEST_F(CoroutineEndTest, AnExceptionAfterASuspensionEndsTheActorAndTellsTheAsker) {
  auto seven = system_.Spawn([](Get) { return 7; });
  auto actor = system_.Spawn<Throws>(Throws{seven});
  const absl::Status status = actor.Ask(Sum{}).Wait().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("broken"), std::string::npos) << status;
  const absl::StatusOr<Down> down = system_.Join(actor);
  EXPECT_EQ(actor.Send(Sum{}), SendResult::kClosed);
}

TEST_F(CoroutineEndTest, AnExceptionBeforeTheFirstSuspensionDoesToo) {
  struct Actor {
    Task<int> On(Sum) {
      throw std::runtime_error("at once");
      co_return 0;
    }
  };
  auto actor = system_.Spawn<Actor>();
  EXPECT_NE(actor.Ask(Sum{}).Wait().status().message().find("at once"), std::string::npos);
  Run();
  EXPECT_EQ(actor.Send(Sum{}), SendResult::kClosed);
}

TEST_F(CoroutineEndTest, AnActorThatEndsUnwindsItsHandlersBeforeOnStop) {
  auto actor = system_.Spawn<Nested>(slow_, notes_);
  auto& result = Keep<std::optional<absl::StatusOr<int>>>();
  struct Asker {
    ActorRef<Nested> whom;
    std::optional<absl::StatusOr<int>>& result;
    void On(Go, Context& self) {
      whom.Ask(Sum{}).Then(self, [this](absl::StatusOr<int> r) { result = std::move(r); });
    }
  };
  system_.Spawn<Asker>(Asker{actor, result}).Send(Go{});
  Run();
  actor.Send(Note{"waits"});
  Run();
  actor.Stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"inner unwound", "outer unwound", "OnStop", "actor gone"}));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u) << "the Note that waited";
  EXPECT_EQ(AskedAndWaiting(), 0) << "nobody waits for the answer any more";
  Answer(1);  // and it harms nobody
}

TEST_F(CoroutineEndTest, ShutdownDoesNotWaitForSuspendedHandlers) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto slow = system.Spawn<Slow>(asked_);
  system.Spawn<Nested>(slow, notes_).Send(Sum{});
  loop.RunUntilIdle();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_EQ(notes_, (Notes{"inner unwound", "outer unwound", "OnStop", "actor gone"}));
}

// The actor cannot end, because the only worker is in a handler that does not return.
TEST(CoroutineShutdownTest, HandlersOfActorsThatCouldNotEndAreUnwoundWithTheSystem) {
  std::latch suspended(1), stuck(1), release(1), unwound(1);
  struct CountDown {
    std::latch& latch;
    ~CountDown() { latch.count_down(); }
  };
  struct Sleeper {
    std::latch& suspended;
    std::latch& unwound;
    Task<> On(Go) {
      CountDown at_end(unwound);
      suspended.count_down();
      co_await Sleep(absl::InfiniteDuration());
    }
    void On(Note) {}
  };
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    auto sleeper = system.Spawn<Sleeper>(suspended, unwound);
    sleeper.Send(Go{});
    sleeper.Send(Note{"waits"});
    suspended.wait();
    system
        .Spawn([&](Go) {
          stuck.count_down();
          release.wait();
        })
        .Send(Go{});
    stuck.wait();
  }
  release.count_down();
  unwound.wait();
}

// A local's destructor, with the actor about to be destroyed, still acts as that actor.
TEST(CoroutineShutdownTest, WhatIsUnwoundWithTheSystemMayStillAskAndSpawn) {
  std::latch suspended(1), stuck(1), release(1), unwound(1);
  struct Child {
    void On(Go) {}
  };
  struct Sleeper {
    Recipient<Get> from;
    std::latch& suspended;
    std::latch& unwound;
    struct AtEnd {
      Sleeper& actor;
      Context& self;
      ~AtEnd() {
        actor.from.Ask(Get{}).Then(self, [](absl::StatusOr<int>) {});
        if (!self.Spawn<Child>()) actor.unwound.count_down();  // nobody is born any more
      }
    };
    Task<> On(Go, Context& self) {
      AtEnd at_end{*this, self};
      suspended.count_down();
      co_await Sleep(absl::InfiniteDuration());
    }
  };
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    auto seven = system.Spawn([](Get) { return 7; });
    system.Spawn<Sleeper>(seven, suspended, unwound).Send(Go{});
    suspended.wait();
    system
        .Spawn([&](Go) {
          stuck.count_down();
          release.wait();
        })
        .Send(Go{});
    stuck.wait();
  }
  release.count_down();
  unwound.wait();
}

TEST_F(CoroutineEndTest, AHandlerMayStopItsActorBetweenTwoAwaits) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      Noted noted(notes, "unwound");
      self.Stop();
      (void)co_await from.Ask(Get{});
      notes.push_back("not reached");
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  actor.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"unwound"}));
  EXPECT_EQ(actor.Send(Go{}), SendResult::kClosed);
}

}  // namespace
}  // namespace troupe
