#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using WatchTest = Simulated;

struct WatchThis {
  AnyRef who;
};
struct Forget {
  AnyRef who;
};
struct End {};
struct Break {
  std::string why;
};
struct Note {
  std::string text;
};

class Watcher {
 public:
  explicit Watcher(std::vector<Down>& downs) : downs_(downs) {}
  void On(WatchThis m, Context& self) { self.Watch(m.who); }
  void On(Forget m, Context& self) { self.Unwatch(m.who); }
  void On(End, Context& self) { self.Stop(); }
  void On(Down down) { downs_.push_back(std::move(down)); }

 private:
  std::vector<Down>& downs_;
};

class Mortal {
 public:
  void On(End, Context& self) { self.Stop(); }
  void On(Break m) { throw std::runtime_error(m.why); }
  void On(Note m, Context& self) { self.Fail(absl::DataLossError(m.text)); }
};

// Watches, and has no On(Down).
class Devoted {
 public:
  void On(WatchThis m, Context& self) { self.Watch(m.who); }
};

TEST_F(WatchTest, TheWatcherIsToldOfAnOrdinaryEnd) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  Run();
  EXPECT_TRUE(downs.empty());
  mortal.Send(End{});
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].who, mortal);
  EXPECT_EQ(downs[0].reason, ExitReason::kNormal);
  EXPECT_TRUE(downs[0].status.ok());
}

TEST_F(WatchTest, StoppingFromOutsideIsAnOrdinaryEndToo) {
  for (StopWhen when : {StopWhen::kNow, StopWhen::kDrained}) {
    auto& downs = Keep<std::vector<Down>>();
    auto watcher = system_.Spawn<Watcher>(downs);
    auto mortal = system_.Spawn<Mortal>();
    watcher.Send(WatchThis{mortal});
    Run();
    mortal.Stop(when);
    Run();
    ASSERT_EQ(downs.size(), 1u);
    EXPECT_EQ(downs[0].reason, ExitReason::kNormal);
  }
}

TEST_F(WatchTest, AnExceptionIsAFailureWithItsTextInTheStatus) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  mortal.Send(Break{"out of luck"});
  watcher.Send(WatchThis{mortal});
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kFailed);
  EXPECT_FALSE(downs[0].status.ok());
  EXPECT_NE(downs[0].status.message().find("out of luck"), std::string::npos) << downs[0].status;
}

TEST_F(WatchTest, FailSaysItsStatusToTheWatcher) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  Run();
  mortal.Send(Note{"bits fell out"});
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kFailed);
  EXPECT_EQ(downs[0].status, absl::DataLossError("bits fell out"));
}

TEST_F(WatchTest, WatchingAnEndedActorSaysNoSuchActorAtOnce) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  mortal.Send(End{});
  Run();
  watcher.Send(WatchThis{mortal});
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].who, mortal);
  EXPECT_EQ(downs[0].reason, ExitReason::kNoSuchActor);
  EXPECT_EQ(downs[0].status.code(), absl::StatusCode::kNotFound);
}

TEST_F(WatchTest, WatchingNobodySaysNoSuchActor) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  watcher.Send(WatchThis{AnyRef()});
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_FALSE(downs[0].who);
  EXPECT_EQ(downs[0].reason, ExitReason::kNoSuchActor);
  EXPECT_EQ(downs[0].status.code(), absl::StatusCode::kNotFound);
}

TEST_F(WatchTest, AnActorThatWatchesNobodyMayEndBeforeItIsTold) {
  auto hasty = system_.Spawn([](End, Context& self) {
    self.Watch(AnyRef());
    self.Stop();
  });
  hasty.Send(End{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(WatchTest, WatchingTwiceIsWatchingOnce) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  watcher.Send(WatchThis{mortal});
  Run();
  mortal.Send(End{});
  Run();
  EXPECT_EQ(downs.size(), 1u);
}

TEST_F(WatchTest, AfterADownTheSameActorMayBeWatchedAgain) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  mortal.Stop();
  Run();
  watcher.Send(WatchThis{mortal});
  Run();
  watcher.Send(WatchThis{mortal});
  Run();
  EXPECT_EQ(downs.size(), 2u);
}

TEST_F(WatchTest, EveryWatcherIsTold) {
  auto& downs = Keep<std::vector<Down>>();
  auto mortal = system_.Spawn<Mortal>();
  for (int i = 0; i < 10; ++i) system_.Spawn<Watcher>(downs).Send(WatchThis{mortal});
  Run();
  mortal.Stop();
  Run();
  EXPECT_EQ(downs.size(), 10u);
}

TEST_F(WatchTest, OneWatcherHearsOfEachItWatches) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  std::vector<ActorRef<Mortal>> mortals;
  for (int i = 0; i < 10; ++i) {
    mortals.push_back(system_.Spawn<Mortal>());
    watcher.Send(WatchThis{mortals.back()});
  }
  Run();
  for (const auto& mortal : mortals) {
    mortal.Stop();
    Run();
  }
  ASSERT_EQ(downs.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(downs[i].who, mortals[i]);
}

TEST_F(WatchTest, TheDownComesAfterTheLastMessageOfTheOneThatEnded) {
  auto& log = Keep<std::vector<std::string>>();
  class Recorder {
   public:
    explicit Recorder(std::vector<std::string>& log) : log_(log) {}
    void On(WatchThis m, Context& self) { self.Watch(m.who); }
    void On(Note m) { log_.push_back(std::move(m.text)); }
    void On(Down) { log_.push_back("down"); }

   private:
    std::vector<std::string>& log_;
  };
  class Talker {
   public:
    explicit Talker(Recipient<Note> to) : to_(to) {}
    void On(End, Context& self) {
      self.Stop();
      to_.Send(Note{"after Stop"});
    }
    void OnStop() { to_.Send(Note{"in OnStop"}); }
    ~Talker() { to_.Send(Note{"in the destructor"}); }

   private:
    Recipient<Note> to_;
  };
  for (uint32_t capacity : {kUnbounded, 16u}) {
    log.clear();
    auto recorder = system_.Spawn<Recorder>({.capacity = capacity}, log);
    auto talker = system_.Spawn<Talker>(recorder);
    recorder.Send(WatchThis{talker});
    Run();
    talker.Send(End{});
    Run();
    EXPECT_EQ(log,
              (std::vector<std::string>{"after Stop", "in OnStop", "in the destructor", "down"}));
  }
}

TEST_F(WatchTest, TheSenderOfADownIsTheOneThatEnded) {
  AnyRef sender;
  class Observer {
   public:
    explicit Observer(AnyRef& sender) : sender_(sender) {}
    void On(WatchThis m, Context& self) { self.Watch(m.who); }
    void On(const Down&, Context& self) { sender_ = self.sender(); }

   private:
    AnyRef& sender_;
  };
  auto observer = system_.Spawn<Observer>(sender);
  auto mortal = system_.Spawn<Mortal>();
  observer.Send(WatchThis{mortal});
  Run();
  mortal.Stop();
  Run();
  EXPECT_EQ(sender, mortal);
}

TEST_F(WatchTest, ADownIsNotRefusedByAFullMailbox) {
  for (WhenFull policy :
       {WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest, WhenFull::kDropOldest}) {
    auto& downs = Keep<std::vector<Down>>();
    auto watcher = system_.Spawn<Watcher>({.capacity = 1, .when_full = policy}, downs);
    auto mortal = system_.Spawn<Mortal>();
    watcher.Send(WatchThis{mortal});
    Run();
    mortal.Stop();
    EXPECT_EQ(watcher.TrySend(Forget{AnyRef()}), SendResult::kQueued);
    EXPECT_TRUE(loop_.RunOne());  // the mortal ends; the watcher's mailbox is full
    Run();
    EXPECT_EQ(downs.size(), 1u);
  }
}

// ---- Unwatch

TEST_F(WatchTest, AfterUnwatchNobodyIsTold) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  watcher.Send(Forget{mortal});
  Run();
  mortal.Stop();
  Run();
  EXPECT_TRUE(downs.empty());
}

TEST_F(WatchTest, ADownThatIsAlreadyQueuedIsNotDeliveredAfterUnwatch) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  Run();
  watcher.Send(Forget{mortal});
  mortal.Stop();
  EXPECT_FALSE(loop_.idle());
  // The watcher's turn is before the mortal's; so the Down is queued behind the Forget, and again
  // the other way round below.
  Run();
  EXPECT_TRUE(downs.empty());

  auto second = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{second});
  Run();
  second.Stop();
  watcher.Send(Forget{second});
  Run();
  EXPECT_TRUE(downs.empty());
}

TEST_F(WatchTest, UnwatchingWhomOneDoesNotWatchDoesNothing) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(Forget{mortal});
  watcher.Send(Forget{AnyRef()});
  mortal.Stop();
  Run();
  watcher.Send(Forget{mortal});
  Run();
  EXPECT_TRUE(downs.empty());
  EXPECT_EQ(system_.stats().live, 1u);
}

TEST_F(WatchTest, WatchingAgainAfterUnwatchWorks) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  watcher.Send(Forget{mortal});
  watcher.Send(WatchThis{mortal});
  Run();
  mortal.Stop();
  Run();
  EXPECT_EQ(downs.size(), 1u);
}

TEST_F(WatchTest, AWatcherThatEndsIsForgotten) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  Run();
  watcher.Send(End{});
  Run();
  mortal.Stop();
  Run();
  EXPECT_TRUE(downs.empty());
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u) << "a Down is nobody's letter";
}

TEST_F(WatchTest, TwoActorsMayWatchEachOther) {
  auto& downs = Keep<std::vector<Down>>();
  auto one = system_.Spawn<Watcher>(downs);
  auto two = system_.Spawn<Watcher>(downs);
  one.Send(WatchThis{two});
  two.Send(WatchThis{one});
  Run();
  one.Stop();
  two.Stop();
  Run();
  EXPECT_LE(downs.size(), 1u) << "whoever ended second may have heard of the first";
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(WatchTest, WatchingOneselfEndsWithOneself) {
  auto& downs = Keep<std::vector<Down>>();
  auto watcher = system_.Spawn<Watcher>(downs);
  watcher.Send(WatchThis{watcher});
  Run();
  watcher.Stop();
  Run();
  EXPECT_TRUE(downs.empty());
  EXPECT_EQ(system_.stats().live, 0u);
}

// ---- without On(Down)

TEST_F(WatchTest, AnActorWithoutADownHandlerIgnoresAnOrdinaryEnd) {
  auto devoted = system_.Spawn<Devoted>();
  auto mortal = system_.Spawn<Mortal>();
  devoted.Send(WatchThis{mortal});
  Run();
  mortal.Send(End{});
  Run();
  EXPECT_EQ(system_.stats().live, 1u);
}

TEST_F(WatchTest, AnActorWithoutADownHandlerFailsTogetherWithWhomItWatches) {
  auto& downs = Keep<std::vector<Down>>();
  auto devoted = system_.Spawn<Devoted>();
  auto mortal = system_.Spawn<Mortal>();
  devoted.Send(WatchThis{mortal});
  system_.Spawn<Watcher>(downs).Send(WatchThis{devoted});
  Run();
  mortal.Send(Break{"snap"});
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].who, devoted);
  EXPECT_EQ(downs[0].reason, ExitReason::kFailed);
  EXPECT_NE(downs[0].status.message().find("snap"), std::string::npos) << downs[0].status;
}

TEST_F(WatchTest, AnActorWithoutADownHandlerFailsIfWhomItWatchesIsNotThere) {
  auto devoted = system_.Spawn<Devoted>();
  auto mortal = system_.Spawn<Mortal>();
  mortal.Stop();
  Run();
  devoted.Send(WatchThis{mortal});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(WatchTest, AFailureSpreadsAlongAChainOfWatchers) {
  std::vector<ActorRef<Devoted>> chain;
  auto mortal = system_.Spawn<Mortal>();
  AnyRef last = mortal;
  for (int i = 0; i < 20; ++i) {
    chain.push_back(system_.Spawn<Devoted>());
    chain.back().Send(WatchThis{last});
    last = chain.back();
  }
  Run();
  mortal.Send(Break{"dominoes"});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(WatchTest, ShutdownIsTheReasonTheWatcherHears) {
  auto& downs = Keep<std::vector<Down>>();
  // On another system, so that the watcher outlives the shutdown.
  ManualScheduler other_loop;
  System other({.scheduler = &other_loop});
  auto watcher = other.Spawn<Watcher>(downs);
  auto mortal = system_.Spawn<Mortal>();
  watcher.Send(WatchThis{mortal});
  other_loop.RunUntilIdle();
  EXPECT_TRUE(system_.Shutdown(absl::Seconds(10)).complete);
  other_loop.RunUntilIdle();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kShutdown);
  EXPECT_TRUE(downs[0].status.ok());
}

TEST_F(WatchTest, TheParentsFailureIsAnOrdinaryEndForItsChildren) {
  auto& downs = Keep<std::vector<Down>>();
  AnyRef child;
  class Parent {
   public:
    explicit Parent(AnyRef& child) : child_(child) {}
    void On(WatchThis, Context& self) { child_ = self.Spawn<Mortal>(); }
    void On(Break m) { throw std::runtime_error(m.why); }

   private:
    AnyRef& child_;
  };
  auto parent = system_.Spawn<Parent>(child);
  parent.Send(WatchThis{});
  Run();
  system_.Spawn<Watcher>(downs).Send(WatchThis{child});
  Run();
  parent.Send(Break{"bad parent"});
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kNormal);
}

TEST_F(WatchTest, ReasonsHaveNames) {
  EXPECT_EQ(ToString(ExitReason::kNormal), "normal");
  EXPECT_EQ(ToString(ExitReason::kShutdown), "shutdown");
  EXPECT_EQ(ToString(ExitReason::kFailed), "failed");
  EXPECT_EQ(ToString(ExitReason::kNoSuchActor), "no such actor");
}

}  // namespace
}  // namespace troupe
