#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/counted.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using LifeCycleTest = Simulated;
using Log = std::vector<std::string>;

struct Say {
  std::string text;
};
struct Quit {};
struct Grow {
  int levels;
};

// Writes down what happens to it.
class Diarist {
 public:
  Diarist(std::string name, Log& log) : name_(std::move(name)), log_(log) { Write("born"); }
  ~Diarist() { Write("gone"); }
  void OnStart() { Write("start"); }
  void OnStop() { Write("stop"); }
  void On(Say m) { Write(m.text); }
  void On(Quit, Context& self) {
    self.Stop();
    Write("quitting");
  }

 private:
  void Write(const std::string& what) { log_.push_back(name_ + " " + what); }

  std::string name_;
  Log& log_;
};

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

// ---- children

class Parent {
 public:
  Parent(std::string name, Log& log) : name_(std::move(name)), log_(log) {}
  void On(Grow m, Context& self) {
    if (m.levels == 0) return;
    for (int i = 0; i < 2; ++i) {
      self.Spawn<Parent>(name_ + std::to_string(i), log_).Send(Grow{m.levels - 1});
    }
  }
  void On(Quit, Context& self) { self.Stop(); }
  void On(Say m) { throw std::runtime_error(m.text); }
  void OnStop() { log_.push_back(name_); }

 private:
  std::string name_;
  Log& log_;
};

bool IsBefore(const Log& log, const std::string& one, const std::string& other) {
  size_t at_one = log.size(), at_other = log.size();
  for (size_t i = 0; i < log.size(); ++i) {
    if (log[i] == one) at_one = i;
    if (log[i] == other) at_other = i;
  }
  return at_one < at_other && at_other < log.size();
}

TEST_F(LifeCycleTest, ChildrenEndBeforeTheirParentHoweverItEnds) {
  enum class How { kStop, kDrained, kSelf, kThrow, kShutdown };
  for (How how : {How::kStop, How::kDrained, How::kSelf, How::kThrow, How::kShutdown}) {
    Log& log = Keep<Log>();
    auto root = system_.Spawn<Parent>("r", log);
    root.Send(Grow{3});
    Run();
    ASSERT_EQ(system_.stats().live, 15u);
    switch (how) {
      case How::kStop:
        root.Stop();
        break;
      case How::kDrained:
        root.Stop(StopWhen::kDrained);
        break;
      case How::kSelf:
        root.Send(Quit{});
        break;
      case How::kThrow:
        root.Send(Say{"ouch"});
        break;
      case How::kShutdown:
        EXPECT_TRUE(system_.Shutdown(absl::Seconds(10)).complete);
        break;
    }
    Run();
    EXPECT_EQ(system_.stats().live, 0u);
    ASSERT_EQ(log.size(), 15u);
    for (const std::string& name : log) {
      if (name != "r") {
        EXPECT_TRUE(IsBefore(log, name, name.substr(0, name.size() - 1))) << name;
      }
    }
  }
}

TEST_F(LifeCycleTest, AChildMayEndByItselfAndItsParentLivesOn) {
  Log& log = Keep<Log>();
  auto root = system_.Spawn<Parent>("r", log);
  class Nursery {
   public:
    void On(Grow m, Context& self) {
      for (int i = 0; i < m.levels; ++i) {
        self.Spawn([](Quit, Context& child) { child.Stop(); }).Send(Quit{});
      }
    }
  };
  auto nursery = system_.Spawn<Nursery>();
  for (int i = 0; i < 50; ++i) {
    nursery.Send(Grow{20});
    Run();
  }
  EXPECT_EQ(system_.stats().live, 2u);
  nursery.Stop();
  root.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(LifeCycleTest, AHandlerThatMakesManyChildrenWhichEndAtOnceKeepsFewOfTheirCells) {
  std::set<const internal::ActorCell*> cells;
  auto nursery = system_.Spawn([this, &cells](Grow m, Context& self) {
    for (int i = 0; i < m.levels; ++i) {
      auto child = self.Spawn([](Quit, Context& child) { child.Stop(); });
      cells.insert(internal::ActorCell::Of(child));
      child.Send(Quit{});
      loop_.RunUntilIdle();
    }
  });
  nursery.Send(Grow{100'000});
  Run();
  EXPECT_EQ(system_.stats().ended, 100'000u);
  EXPECT_LE(cells.size(), 256u);
  nursery.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(LifeCycleTest, AParentMayStopAndReplaceAChildMidHandler) {
  Log& log = Keep<Log>();
  class Replacing {
   public:
    explicit Replacing(Log& log) : log_(log) {}
    void On(Grow, Context& self) {
      if (child_) child_.Stop();
      child_ = self.Spawn<Diarist>(std::to_string(++count_), log_);
    }

   private:
    Log& log_;
    int count_ = 0;
    ActorRef<Diarist> child_;
  };
  auto replacing = system_.Spawn<Replacing>(log);
  for (int i = 0; i < 3; ++i) replacing.Send(Grow{});
  Run();
  EXPECT_EQ(system_.stats().live, 2u);
  EXPECT_TRUE(IsBefore(log, "1 stop", "1 gone"));
  EXPECT_TRUE(IsBefore(log, "2 stop", "2 gone"));
}

TEST_F(LifeCycleTest, AChildSpawnedByAnActorThatHasStoppedItselfEndsWithIt) {
  Log& log = Keep<Log>();
  class Rash {
   public:
    explicit Rash(Log& log) : log_(log) {}
    void On(Quit, Context& self) {
      self.Stop();
      self.Spawn<Diarist>("child", log_);
    }
    void OnStop() { log_.push_back("parent stop"); }

   private:
    Log& log_;
  };
  system_.Spawn<Rash>(log).Send(Quit{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_TRUE(IsBefore(log, "child gone", "parent stop"));
}

TEST_F(LifeCycleTest, AChildSpawnedInOnStopEndsBeforeItsParentIsDestroyed) {
  Log& log = Keep<Log>();
  class Doting {
   public:
    explicit Doting(Log& log) : log_(log) {}
    void OnStop(Context& self) {
      log_.push_back("parent stop");
      self.Spawn<Diarist>("heir", log_);
    }
    void On(Quit, Context& self) { self.Stop(); }
    ~Doting() { log_.push_back("parent gone"); }

   private:
    Log& log_;
  };
  system_.Spawn<Doting>(log).Send(Quit{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_EQ(log, (Log{"parent stop", "heir born", "heir start", "heir stop", "heir gone",
                      "parent gone"}));
}

TEST_F(LifeCycleTest, MessagesToAnActorThatWaitsForItsChildrenAreDeadLettersNotHandled) {
  Log& log = Keep<Log>();
  auto root = system_.Spawn<Parent>("r", log);
  root.Send(Grow{1});
  Run();
  root.Stop();
  EXPECT_TRUE(loop_.RunOne());  // it has told its children and waits
  root.Send(Say{"would throw"});
  Run();
  EXPECT_EQ(log.size(), 3u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

TEST_F(LifeCycleTest, AChildOfADeepFamilyEndsWithItsRoot) {
  class Nested {
   public:
    explicit Nested(int depth) : depth_(depth) {}
    void OnStart(Context& self) {
      if (depth_ > 0) self.Spawn<Nested>(depth_ - 1);
    }
    void On(Quit) {}

   private:
    int depth_;
  };
  auto root = system_.Spawn<Nested>(1000);
  Run();
  EXPECT_EQ(system_.stats().live, 1001u);
  root.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(LifeCycleTest, ChildrenMayHaveNamesAndBounds) {
  auto parent = system_.Spawn([](Quit, Context& self) {
    auto child =
        self.Spawn({.name = "child", .capacity = 1, .when_full = WhenFull::kFail}, [](Quit) {});
    child.Send(Quit{});
    EXPECT_EQ(child.Send(Quit{}), SendResult::kFull);
    EXPECT_THROW(self.Spawn({.capacity = 0}, [](Quit) {}), std::invalid_argument);
  });
  parent.Send(Quit{});
  EXPECT_TRUE(loop_.RunOne());
  std::vector<std::string> names;
  for (const ActorStats& actor : system_.actors()) names.push_back(actor.name);
  EXPECT_EQ(names.size(), 2u);
  EXPECT_TRUE(names[0] == "child" || names[1] == "child");
  Run();
  parent.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
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
