// Shutdown always returns, says who was stuck, and leaves nothing behind.
#include <atomic>
#include <latch>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Quit {};
struct Hold {};

// Does not return from Hold until it is released, and says when it is gone.
class Stuck {
 public:
  struct Latches {
    std::latch entered{1};
    std::latch release{1};
    std::latch gone{1};
  };
  explicit Stuck(Latches& latches) : latches_(latches) {}
  ~Stuck() { latches_.gone.count_down(); }
  void On(Hold) {
    latches_.entered.count_down();
    latches_.release.wait();
  }
  void On(Quit) {}

 private:
  Latches& latches_;
};

class Idle {
 public:
  void On(Quit) {}
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(ShutdownTest, WithNothingToWaitForItIsComplete) {
  System system({.workers = 2});
  for (int i = 0; i < 100; ++i) system.Spawn<Idle>();
  const ShutdownReport report = system.Shutdown(absl::Minutes(1));
  EXPECT_TRUE(report.complete);
  EXPECT_TRUE(report.stuck.empty());
  EXPECT_EQ(report.ToString(), "complete");
  EXPECT_EQ(system.stats().live, 0u);
  EXPECT_EQ(system.stats().ended, 100u);
}

TEST(ShutdownTest, AStuckHandlerIsReportedAndTheSystemMayBeDestroyed) {
  Stuck::Latches latches;
  {
    System system({.workers = 1});
    auto stuck = system.Spawn<Stuck>({.name = "the one"}, latches);
    system.Spawn<Idle>();
    stuck.Send(Hold{});
    latches.entered.wait();
    const ShutdownReport report = system.Shutdown(absl::Milliseconds(1));
    EXPECT_FALSE(report.complete);
    bool found = false;
    for (const StuckActor& actor : report.stuck) {
      if (actor.ref != stuck) continue;
      found = true;
      EXPECT_TRUE(Contains(actor.type, "Stuck")) << actor.type;
      EXPECT_EQ(actor.name, "the one");
      EXPECT_TRUE(Contains(actor.handling, "Hold")) << actor.handling;
      EXPECT_GE(actor.running_for, absl::ZeroDuration());
    }
    EXPECT_TRUE(found);
    EXPECT_TRUE(Contains(report.ToString(), "the one")) << report.ToString();
    EXPECT_TRUE(Contains(report.ToString(), "Hold")) << report.ToString();
  }
  EXPECT_FALSE(latches.gone.try_wait()) << "it is still in its handler";
  latches.release.count_down();
  latches.gone.wait();
}

TEST(ShutdownTest, AStuckHandlerOfADedicatedActorIsReportedToo) {
  Stuck::Latches latches;
  {
    System system({.workers = 1});
    auto stuck = system.Spawn<Stuck>({.placement = Placement::kDedicatedThread}, latches);
    stuck.Send(Hold{});
    latches.entered.wait();
    const ShutdownReport report = system.Shutdown(absl::Milliseconds(1));
    EXPECT_FALSE(report.complete);
    ASSERT_EQ(report.stuck.size(), 1u);
    EXPECT_EQ(report.stuck[0].ref, stuck);
  }
  latches.release.count_down();
  latches.gone.wait();
}

TEST(ShutdownTest, AParentThatWaitsForAStuckChildIsReportedAsWaiting) {
  Stuck::Latches latches;
  {
    System system({.workers = 2});
    class Parent {
     public:
      explicit Parent(Stuck::Latches& latches) : latches_(latches) {}
      void OnStart(Context& self) { self.Spawn<Stuck>(latches_).Send(Hold{}); }
      void On(Quit) {}

     private:
      Stuck::Latches& latches_;
    };
    auto parent = system.Spawn<Parent>(latches);
    latches.entered.wait();
    parent.Stop();
    // What it loses because it is ending tells that it has noticed.
    while (system.stats().dead_letters[static_cast<int>(DeadLetterReason::kStopped)] == 0) {
      parent.Send(Quit{});
      std::this_thread::yield();
    }
    const ShutdownReport report = system.Shutdown(absl::Milliseconds(1));
    EXPECT_FALSE(report.complete);
    EXPECT_EQ(report.stuck.size(), 2u);
    for (const StuckActor& actor : report.stuck) {
      EXPECT_EQ(actor.handling.empty(), actor.ref == parent);
    }
    EXPECT_TRUE(Contains(report.ToString(), "waits for a child")) << report.ToString();
  }
  latches.release.count_down();
  latches.gone.wait();
}

TEST(ShutdownTest, ASecondCallRepeatsTheReport) {
  System system({.workers = 1});
  system.Spawn<Idle>();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_TRUE(system.Shutdown(absl::ZeroDuration()).complete);

  Stuck::Latches latches;
  {
    System other({.workers = 1});
    auto stuck = other.Spawn<Stuck>(latches);
    stuck.Send(Hold{});
    latches.entered.wait();
    EXPECT_FALSE(other.Shutdown(absl::Milliseconds(1)).complete);
    const ShutdownReport again = other.Shutdown(absl::InfiniteDuration());
    EXPECT_FALSE(again.complete);
    EXPECT_EQ(again.stuck.size(), 1u);
  }
  latches.release.count_down();
  latches.gone.wait();
}

TEST(ShutdownTest, TwoThreadsMayCallItAtOnceAndEachReturnsByItsOwnDeadline) {
  Stuck::Latches latches;
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    system.Spawn<Stuck>(latches).Send(Hold{});
    latches.entered.wait();
    std::atomic<bool> patient_returned{false};
    std::thread patient([&] {
      EXPECT_TRUE(system.Shutdown(absl::InfiniteDuration()).complete);
      patient_returned = true;
    });
    // Spawn gives nobody as soon as the patient one has begun.
    while (system.Spawn<Idle>()) std::this_thread::yield();
    EXPECT_FALSE(system.Shutdown(absl::Milliseconds(1)).complete);
    EXPECT_FALSE(patient_returned.load());
    latches.release.count_down();
    patient.join();
  }
  latches.gone.wait();
}

TEST(ShutdownTest, AHugeTimeoutIsForEver) {
  for (absl::Duration timeout :
       {absl::InfiniteDuration(), absl::Hours(24 * 365 * 250), absl::Hours(24 * 365 * 100'000)}) {
    System system({.workers = 1});
    std::latch entered(1);
    auto slow = system.Spawn([&](Quit) {
      entered.count_down();
      std::this_thread::yield();
    });
    slow.Send(Quit{});
    entered.wait();
    EXPECT_TRUE(system.Shutdown(timeout).complete);
  }
}

TEST(ShutdownTest, ANegativeTimeoutDoesNotWait) {
  Stuck::Latches latches;
  {
    System system({.workers = 1});
    system.Spawn<Stuck>(latches).Send(Hold{});
    latches.entered.wait();
    EXPECT_FALSE(system.Shutdown(-absl::Seconds(1)).complete);
  }
  latches.release.count_down();
  latches.gone.wait();
}

TEST(ShutdownTest, InAHandlerItBeginsAndReturnsWithoutWaiting) {
  System system({.workers = 1});
  std::latch returned(1);
  ShutdownReport inside;
  system
      .Spawn([&](Quit) {
        inside = system.Shutdown(absl::InfiniteDuration());
        returned.count_down();
      })
      .Send(Quit{});
  returned.wait();
  EXPECT_FALSE(inside.complete);
  EXPECT_FALSE(system.Spawn<Idle>());
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
}

TEST(ShutdownTest, InAHandlerItCancelsTheSystemsTimers) {
  ManualScheduler loop;
  ManualScheduler other_loop;
  System other({.scheduler = &other_loop});
  System system({.scheduler = &loop});
  int ticks = 0;
  auto taker = other.Spawn([&ticks](Quit) { ++ticks; });
  system.SendEvery(absl::Seconds(1), taker, Quit{});
  auto ender = system.Spawn([&system](Quit) { system.Shutdown(absl::ZeroDuration()); });
  ender.Send(Quit{});
  loop.RunUntilIdle();
  loop.Advance(absl::Seconds(5));
  other_loop.RunUntilIdle();
  EXPECT_EQ(ticks, 0);
}

TEST(ShutdownTest, AfterItSpawnGivesNobodyAndDestroysTheActor) {
  System system({.workers = 1});
  auto before = system.Spawn<Idle>();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  Stuck::Latches latches;
  EXPECT_FALSE(system.Spawn<Stuck>(latches));
  EXPECT_TRUE(latches.gone.try_wait());
  EXPECT_EQ(before.Send(Quit{}), SendResult::kClosed);
  EXPECT_EQ(system.stats().live, 0u);
  EXPECT_TRUE(system.actors().empty());
}

TEST(ShutdownTest, AfterItNoTimerGoesOff) {
  System system({.workers = 1});
  auto idle = system.Spawn<Idle>();
  TimerHandle before = system.SendEvery(absl::Milliseconds(1), idle, Quit{});
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_FALSE(before.Cancel()) << "it has been cancelled";
  system.SendAfter(absl::ZeroDuration(), idle, Quit{});
}

TEST(ShutdownTest, ActorsMaySpawnSendAndAskInOnStopMeanwhile) {
  class Busy {
   public:
    void OnStop(Context& self) {
      self.Spawn<Idle>().Send(Quit{});
      self.SendAfter(absl::Hours(1), self.ref(this), Quit{});
      self.Watch(self.Spawn<Idle>());
    }
    void On(Quit) {}
  };
  System system({.workers = 2});
  for (int i = 0; i < 100; ++i) system.Spawn<Busy>();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_EQ(system.stats().spawned, system.stats().ended);
}

TEST(ShutdownTest, ThreadsThatSpawnAndSendMeanwhileAreToldSo) {
  for (int round = 0; round < 20; ++round) {
    System system({.workers = 2});
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (;;) {
          auto idle = system.Spawn<Idle>();
          if (!idle) break;
          idle.Send(Quit{});
        }
        refused.fetch_add(1);
      });
    }
    EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(refused.load(), 3);
    EXPECT_EQ(system.stats().live, 0u);
  }
}

TEST(ShutdownTest, ABlockedHandlerKeepsTheSystemWaitingUntilItReturns) {
  System system({.workers = 1});
  std::latch entered(1), release(1);
  system
      .Spawn([&](Quit, Context& self) {
        entered.count_down();
        self.Blocking([&] { release.wait(); });
      })
      .Send(Quit{});
  entered.wait();
  std::thread releaser([&] { release.count_down(); });
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  releaser.join();
}

TEST(ShutdownTest, OnAManualSchedulerItTurnsUntilEverybodyHasEnded) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  for (int i = 0; i < 10; ++i) system.Spawn<Idle>();
  const ShutdownReport report = system.Shutdown(absl::Minutes(1));
  EXPECT_TRUE(report.complete) << report.ToString();
  EXPECT_EQ(system.stats().live, 0u);
}

TEST(ShutdownTest, APeriodicTimerToAnotherSystemDoesNotKeepAManualOneTurning) {
  ManualScheduler loop;
  System other({.workers = 1});
  auto idle = other.Spawn<Idle>();
  System system({.scheduler = &loop});
  system.SendEvery(absl::Seconds(1), idle, Quit{});
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_EQ(loop.next_deadline(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace troupe
