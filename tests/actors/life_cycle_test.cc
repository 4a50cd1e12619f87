#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/counted.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using LifeCycleTest = Simulated;

TEST_F(LifeCycleTest, AnActorIsConstructedBySpawnAndStartedInItsFirstTurn) {
  Log& log = Keep<Log>();
  auto diarist = system_.Spawn<Diarist>("a", log);
  EXPECT_EQ(log, (Log{"a born"}));
  diarist.Send(Say{"hello"});
  Run();
  EXPECT_EQ(log, (Log{"a born", "a start", "a hello"}));
}

TEST_F(LifeCycleTest, AnActorStartsWithoutAnyMessage) {
  Log& log = Keep<Log>();
  system_.Spawn<Diarist>("a", log);
  Run();
  EXPECT_EQ(log, (Log{"a born", "a start"}));
}

TEST_F(LifeCycleTest, AnEndingActorStopsAndIsThenDestroyed) {
  Log& log = Keep<Log>();
  auto diarist = system_.Spawn<Diarist>("a", log);
  diarist.Send(Quit{});
  diarist.Send(Say{"too late"});
  Run();
  EXPECT_EQ(log, (Log{"a born", "a start", "a quitting", "a stop", "a gone"}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

TEST_F(LifeCycleTest, AnActorThatIsStoppedBeforeItStartedStillStartsAndStops) {
  Log& log = Keep<Log>();
  system_.Spawn<Diarist>("a", log).Stop();
  Run();
  EXPECT_EQ(log, (Log{"a born", "a start", "a stop", "a gone"}));
}

TEST_F(LifeCycleTest, OnStartAndOnStopMayTakeAContext) {
  AnyRef started, stopped, sender;
  class Aware {
   public:
    Aware(AnyRef& started, AnyRef& stopped, AnyRef& sender)
        : started_(started), stopped_(stopped), sender_(sender) {}
    void OnStart(Context& self) { started_ = self.ref(this); }
    void OnStop(Context& self) {
      stopped_ = self.ref(this);
      sender_ = self.sender();
    }
    void On(Quit, Context& self) { self.Stop(); }

   private:
    AnyRef& started_;
    AnyRef& stopped_;
    AnyRef& sender_;
  };
  auto aware = system_.Spawn<Aware>(started, stopped, sender);
  system_.Spawn([aware](Quit) { aware.Send(Quit{}); }).Send(Quit{});
  Run();
  EXPECT_EQ(started, aware);
  EXPECT_EQ(stopped, aware);
  EXPECT_FALSE(sender) << "nobody sent OnStop";
}

TEST_F(LifeCycleTest, WhatAConstructorThrowsComesOutOfSpawnAndLeavesNothing) {
  struct Bomb {
    Bomb() { throw std::runtime_error("boom"); }
    void On(Quit) {}
  };
  EXPECT_THROW(system_.Spawn<Bomb>(), std::runtime_error);
  EXPECT_EQ(system_.stats().live, 0u);
  bool caught = false;
  system_
      .Spawn([&caught](Quit, Context& self) {
        try {
          self.Spawn<Bomb>();
        } catch (const std::runtime_error&) {
          caught = true;
        }
      })
      .Send(Quit{});
  Run();
  EXPECT_TRUE(caught);
  EXPECT_EQ(system_.stats().live, 1u);
}

template <size_t kAlignment, size_t kBytes>
class alignas(kAlignment) Aligned {
 public:
  explicit Aligned(uintptr_t& address) : address_(address) { state_.fill('x'); }
  void On(Quit) { address_ = reinterpret_cast<uintptr_t>(this); }

 private:
  uintptr_t& address_;
  std::array<char, kBytes - sizeof(void*)> state_;
};

TEST_F(LifeCycleTest, AnActorLiesWhereItsAlignmentAndSizeAllow) {
  auto& addresses = Keep<std::array<uintptr_t, 6>>();
  addresses.fill(1);
  system_.Spawn<Aligned<16, 48>>(addresses[0]).Send(Quit{});
  system_.Spawn<Aligned<32, 32>>(addresses[1]).Send(Quit{});
  system_.Spawn<Aligned<64, 64>>(addresses[2]).Send(Quit{});
  system_.Spawn<Aligned<256, 64>>(addresses[3]).Send(Quit{});
  system_.Spawn<Aligned<64, 1'000>>(addresses[4]).Send(Quit{});
  system_.Spawn<Aligned<256, 1'000>>(addresses[5]).Send(Quit{});
  Run();
  EXPECT_EQ(addresses[0] % 16, 0u);
  EXPECT_EQ(addresses[1] % 32, 0u);
  EXPECT_EQ(addresses[2] % 64, 0u);
  EXPECT_EQ(addresses[3] % 256, 0u);
  EXPECT_EQ(addresses[4] % 64, 0u);
  EXPECT_EQ(addresses[5] % 256, 0u);
}

// ---- Stop

TEST_F(LifeCycleTest, StopNowGoesBeforeTheMessagesThatAreStillQueued) {
  Log& log = Keep<Log>();
  auto diarist = system_.Spawn<Diarist>("a", log);
  diarist.Send(Say{"1"});
  diarist.Send(Say{"2"});
  diarist.Stop(StopWhen::kNow);
  Run();
  EXPECT_EQ(log, (Log{"a born", "a start", "a stop", "a gone"}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 2u);
}

TEST_F(LifeCycleTest, StopDrainedGoesAfterTheMessagesQueuedBeforeIt) {
  for (uint32_t capacity : {kUnbounded, 8u}) {
    Log& log = Keep<Log>();
    const uint64_t before = LettersFor(DeadLetterReason::kStopped);
    auto diarist = system_.Spawn<Diarist>({.capacity = capacity}, "a", log);
    diarist.Send(Say{"1"});
    diarist.Send(Say{"2"});
    diarist.Stop(StopWhen::kDrained);
    diarist.Send(Say{"3"});
    Run();
    EXPECT_EQ(log, (Log{"a born", "a start", "a 1", "a 2", "a stop", "a gone"}));
    EXPECT_EQ(LettersFor(DeadLetterReason::kStopped) - before, 1u);
  }
}

TEST_F(LifeCycleTest, StopDrainedIsNotRefusedByAFullMailboxAndIsNotDropped) {
  for (WhenFull policy : {WhenFull::kFail, WhenFull::kDropNewest, WhenFull::kDropOldest}) {
    Log& log = Keep<Log>();
    auto diarist = system_.Spawn<Diarist>({.capacity = 1, .when_full = policy}, "a", log);
    Run();
    diarist.Stop(StopWhen::kDrained);
    diarist.Send(Say{"1"});
    diarist.Send(Say{"2"});
    Run();
    EXPECT_EQ(log, (Log{"a born", "a start", "a stop", "a gone"}));
  }
}

TEST_F(LifeCycleTest, StoppingTwiceIsStoppingOnce) {
  Log& log = Keep<Log>();
  auto diarist = system_.Spawn<Diarist>("a", log);
  diarist.Stop();
  diarist.Stop();
  diarist.Stop(StopWhen::kDrained);
  Run();
  EXPECT_EQ(log, (Log{"a born", "a start", "a stop", "a gone"}));
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(LifeCycleTest, SelfStopLetsTheCurrentHandlerFinishAndNoOtherBegin) {
  Log& log = Keep<Log>();
  auto diarist = system_.Spawn<Diarist>("a", log);
  diarist.Send(Quit{});
  diarist.Send(Quit{});
  Run();
  EXPECT_EQ(log, (Log{"a born", "a start", "a quitting", "a stop", "a gone"}));
}

TEST_F(LifeCycleTest, TheFirstReasonToEndWins) {
  auto torn = system_.Spawn([](Quit, Context& self) {
    self.Fail(absl::AbortedError("first"));
    self.Stop();
    self.Fail(absl::AbortedError("third"));
  });
  absl::StatusOr<Down> down = absl::UnknownError("not told");
  class Judge {
   public:
    Judge(AnyRef who, absl::StatusOr<Down>& down) : who_(who), down_(down) {}
    void OnStart(Context& self) { self.Watch(who_); }
    void On(Down down) { down_ = std::move(down); }

   private:
    AnyRef who_;
    absl::StatusOr<Down>& down_;
  };
  system_.Spawn<Judge>(torn, down);
  Run();
  torn.Send(Quit{});
  Run();
  ASSERT_TRUE(down.ok());
  EXPECT_EQ(down->reason, ExitReason::kFailed);
  EXPECT_EQ(down->status, absl::AbortedError("first"));
}

TEST_F(LifeCycleTest, FailingWithAnOkStatusIsStillAFailure) {
  auto confused = system_.Spawn([](Quit, Context& self) { self.Fail(absl::OkStatus()); });
  auto devoted = system_.Spawn([confused](Quit, Context& self) { self.Watch(confused); });
  devoted.Send(Quit{});
  Run();
  confused.Send(Quit{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u) << "the devoted one has no Down handler, and fails with it";
}

TEST_F(LifeCycleTest, AnExceptionEndsItsActorAndNobodyElse) {
  auto thrower = system_.Spawn([](Quit) { throw std::runtime_error("no"); });
  auto odd_thrower = system_.Spawn([](Quit) { throw 42; });
  Log& log = Keep<Log>();
  auto bystander = system_.Spawn<Diarist>("a", log);
  thrower.Send(Quit{});
  thrower.Send(Quit{});
  odd_thrower.Send(Quit{});
  bystander.Send(Say{"fine"});
  Run();
  EXPECT_EQ(log.back(), "a fine");
  EXPECT_EQ(system_.stats().live, 1u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

TEST_F(LifeCycleTest, AnExceptionInOnStartFailsTheActorBeforeAnyMessage) {
  Log& log = Keep<Log>();
  class BadStart {
   public:
    explicit BadStart(Log& log) : log_(log) {}
    void OnStart() { throw std::runtime_error("cannot begin"); }
    void OnStop() { log_.push_back("stop"); }
    void On(Quit) { log_.push_back("handled"); }

   private:
    Log& log_;
  };
  auto bad = system_.Spawn<BadStart>(log);
  bad.Send(Quit{});
  Run();
  EXPECT_EQ(log, (Log{"stop"}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(LifeCycleTest, AnExceptionInOnStopDoesNotKeepTheActorFromEndingAsItWouldHave) {
  class BadStop {
   public:
    void OnStop() { throw std::runtime_error("cannot end"); }
    void On(Quit) {}
  };
  auto bad = system_.Spawn<BadStop>();
  Log& log = Keep<Log>();
  class Judge {
   public:
    Judge(AnyRef who, Log& log) : who_(who), log_(log) {}
    void OnStart(Context& self) { self.Watch(who_); }
    void On(Down down) { log_.push_back(std::string(ToString(down.reason))); }

   private:
    AnyRef who_;
    Log& log_;
  };
  system_.Spawn<Judge>(bad, log);
  Run();
  bad.Stop();
  Run();
  EXPECT_EQ(log, (Log{"normal"}));
}

TEST_F(LifeCycleTest, OnStopMaySendAndWatchersHearOfTheEndOnly) {
  int got = 0;
  auto sink = system_.Spawn([&got](Say) { ++got; });
  class Goodbye {
   public:
    explicit Goodbye(Recipient<Say> to) : to_(to) {}
    void OnStop() { to_.Send(Say{"bye"}); }
    void On(Quit) {}

   private:
    Recipient<Say> to_;
  };
  system_.Spawn<Goodbye>(sink).Stop();
  Run();
  EXPECT_EQ(got, 1);
}

TEST_F(LifeCycleTest, WhatOnStopSendsToItselfIsADeadLetter) {
  class Muttering {
   public:
    void OnStop(Context& self) { self.ref(this).Send(Quit{}); }
    void On(Quit) {}
  };
  system_.Spawn<Muttering>().Stop();
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(LifeCycleTest, TimersAndAsksBegunInOnStopEndWithIt) {
  struct Tag;
  struct Ping {
    using Reply = int;
  };
  auto silent = system_.Spawn(
      [kept = Reply<int>()](Ping, Reply<int> reply) mutable { kept = std::move(reply); });
  class Late {
   public:
    explicit Late(Recipient<Ping> to) : to_(to) {}
    void OnStop(Context& self) {
      self.SendAfter(absl::Seconds(1), self.ref(this), Quit{});
      to_.Ask(Ping{}).Then(self, [token = Counted<Tag>()](absl::StatusOr<int>) { (void)token; });
    }
    void On(Quit) {}

   private:
    Recipient<Ping> to_;
  };
  system_.Spawn<Late>(silent).Stop();
  Run();
  EXPECT_EQ(Counted<Tag>::alive(), 0);
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  Advance(absl::Seconds(10));
  EXPECT_EQ(system_.stats().live, 1u);
}

TEST_F(LifeCycleTest, ACapacityOfZeroIsRefusedAndTheActorDestroyed) {
  struct Tag;
  struct Mortal : Counted<Tag> {
    void On(Quit) {}
  };
  EXPECT_THROW(system_.Spawn<Mortal>({.capacity = 0}), std::invalid_argument);
  EXPECT_EQ(Counted<Tag>::constructed(), 1);
  EXPECT_EQ(Counted<Tag>::alive(), 0);
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_TRUE(system_.Shutdown(absl::Seconds(10)).complete);
}

TEST_F(LifeCycleTest, BlockingReturnsWhatItsWorkReturnsAndPassesOnWhatItThrows) {
  int result = 0;
  bool caught = false;
  auto worker = system_.Spawn([&](Quit, Context& self) {
    result = self.Blocking([] { return 17; });
    self.Blocking([] {});
    try {
      self.Blocking([]() -> int { throw std::runtime_error("disk"); });
    } catch (const std::runtime_error&) {
      caught = true;
    }
  });
  worker.Send(Quit{});
  Run();
  EXPECT_EQ(result, 17);
  EXPECT_TRUE(caught);
}

TEST_F(LifeCycleTest, AHandlerMayTurnTheLoopItselfAndWaitsMeanwhile) {
  Log& log = Keep<Log>();
  auto other = system_.Spawn<Diarist>("other", log);
  Run();
  auto turning = system_.Spawn([this, other, &log](Quit, Context& self) {
    log.push_back("begin");
    other.Send(Say{"inside"});
    self.self().ToString();
    loop_.RunUntilIdle();
    log.push_back("end");
  });
  turning.Send(Quit{});
  turning.Send(Quit{});
  Run();
  EXPECT_EQ(log, (Log{"other born", "other start", "begin", "other inside", "end", "begin",
                      "other inside", "end"}));
}

}  // namespace
}  // namespace troupe
