// What a state machine promises: which handler gets a message, what a move does and in which order,
// and how states time out. state_postpone_test.cc has what waits.

#include "troupe/actors/state_machine.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

// A door that may be locked, with an alarm that rings if it stays open.
struct Push {};
struct Turn {
  int key;
};
struct Paint {
  std::string colour;
};
struct Colour {
  using Reply = std::string;
};
struct Key {
  using Reply = int;
};
struct TryKey {
  using Reply = bool;
  int key;
};
struct LeaveOpen {
  absl::Duration for_long;
};
struct Break {};
struct Slam {  // takes half a minute
  ManualScheduler& loop;
};

struct Closed {};
struct Open {
  absl::Duration timeout = absl::Seconds(30);
};
struct Locked {
  int key;
  std::unique_ptr<int> bolt;  // states need not be copyable
};

class Door {
 public:
  explicit Door(Log& log) : log_(log) {}

  void OnStart() { log_.push_back("start"); }
  void OnEnter(Closed&) { log_.push_back("enter closed"); }
  void OnExit(Closed&) { log_.push_back("exit closed"); }
  void OnEnter(Open&, Context& self) {
    log_.push_back(self.self() == self.ref(this) ? "enter open" : "?");
  }
  void OnExit(Open&, Context&) { log_.push_back("exit open"); }
  void OnExit(Locked& now) { log_.push_back("exit locked " + std::to_string(now.key)); }

  Open On(Closed&, Push) {
    log_.push_back("opens");
    return {};
  }
  Locked On(const Closed&, Turn turn, Context&) { return {turn.key, std::make_unique<int>(1)}; }
  Closed On(Open&, Push) { return {}; }
  Closed On(Open&, StateTimeout) {
    log_.push_back("rings");
    return {};
  }
  void On(Open&, LeaveOpen m, Context& self) { state.SetTimeout(m.for_long, self); }
  void On(Open&, Slam m, Context& self) {
    self.ref(this).Send(Paint{"red"});
    m.loop.Advance(absl::Seconds(30));
  }
  void On(Locked&, Push) { log_.push_back("stays locked"); }
  int On(Locked& now, Key) { return now.key + *now.bolt - 1; }
  Closed On(Locked&, TryKey, Reply<bool> reply) {
    reply.Send(true);
    return {};
  }
  bool On(Closed&, TryKey, Context& self) {  // answers and goes on
    state.Become(Open{}, self);
    return false;
  }

  void On(Paint m) { colour_ = std::move(m.colour); }
  std::string On(Colour) const { return colour_; }
  void On(Closed&, Break) { throw std::runtime_error("broken"); }

  StateMachine<Closed, Open, Locked> state;

 private:
  Log& log_;
  std::string colour_ = "white";
};

class StateMachineTest : public Simulated {
 protected:
  // What is asked of `who`, in virtual time.
  template <class A, class M>
  auto AskNow(const ActorRef<A>& who, M question) {
    using R = AskResult<typename M::Reply>;
    auto answer = std::make_shared<std::optional<R>>();
    system_
        .Spawn([who, question, answer](Push, Context& self) {
          who.Ask(question).Then(self, [answer](R r) { answer->emplace(std::move(r)); });
        })
        .Send(Push{});
    Run();
    return *std::exchange(*answer, std::nullopt);
  }
  Log TakeLog() { return std::exchange(log_, {}); }

  Log& log_ = Keep<Log>();
};

TEST_F(StateMachineTest, BeginsInTheFirstStateAndEntersItAfterOnStart) {
  system_.Spawn<Door>(log_);
  Run();
  EXPECT_EQ(TakeLog(), (Log{"start", "enter closed"}));
}

TEST_F(StateMachineTest, AHandlerGoesToTheStateItReturnsOnceItHasReturned) {
  auto door = system_.Spawn<Door>(log_);
  Run();
  TakeLog();
  door.Send(Push{});
  door.Send(Push{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"opens", "exit closed", "enter open", "exit open", "enter closed"}));
}

TEST_F(StateMachineTest, TheSameMessageIsForTheHandlerOfThePresentState) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Turn{7});
  door.Send(Push{});
  Run();
  EXPECT_EQ(log_.back(), "stays locked");
}

TEST_F(StateMachineTest, AStateBringsWhatItHoldsAndLeavesWithIt) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Turn{7});
  EXPECT_EQ(AskNow(door, Key{}).value(), 7);
  TakeLog();
  EXPECT_EQ(AskNow(door, TryKey{7}).value(), true);
  EXPECT_EQ(TakeLog(), (Log{"exit locked 7", "enter closed"}));
}

TEST_F(StateMachineTest, AHandlerThatAnswersByReturningMovesWithBecome) {
  auto door = system_.Spawn<Door>(log_);
  Run();
  TakeLog();
  EXPECT_EQ(AskNow(door, TryKey{7}).value(), false);
  EXPECT_EQ(TakeLog(), (Log{"exit closed", "enter open"}));
}

TEST_F(StateMachineTest, WhatNamesNoStateIsHandledInAll) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Paint{"blue"});
  door.Send(Push{});
  EXPECT_EQ(AskNow(door, Colour{}).value(), "blue");
}

TEST_F(StateMachineTest, WhatThePresentStateDoesNotHandleIsADeadLetterAndWhoAskedIsTold) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Turn{7});
  door.Send(Turn{8});
  Run();
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ(letters_[0].reason, DeadLetterReason::kUnhandled);
  EXPECT_EQ(letters_[0].target, door);
  EXPECT_EQ(LettersFor(DeadLetterReason::kUnhandled), 1u);

  AskNow(door, TryKey{7}).IgnoreError();
  EXPECT_EQ(AskNow(door, Key{}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StateMachineTest, AnExceptionInAHandlerEndsTheActorInTheStateItWasIn) {
  auto door = system_.Spawn<Door>(log_);
  Run();
  TakeLog();
  door.Send(Break{});
  Run();
  EXPECT_EQ(door.Send(Push{}), SendResult::kClosed);
  EXPECT_EQ(TakeLog(), Log{});  // no state is left
}

// ---- timeouts

TEST_F(StateMachineTest, AStateTimesOutAndNotBefore) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Push{});
  Run();
  TakeLog();
  Advance(absl::Seconds(30) - absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), Log{});
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), (Log{"rings", "exit open", "enter closed"}));
}

TEST_F(StateMachineTest, LeavingAStateCancelsItsTimeout) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Push{});
  Run();
  Advance(absl::Seconds(29));
  door.Send(Push{});
  door.Send(Push{});  // open again, for 30 seconds from now
  Run();
  TakeLog();
  Advance(absl::Seconds(29));
  EXPECT_EQ(TakeLog(), Log{});
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(), (Log{"rings", "exit open", "enter closed"}));
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(StateMachineTest, ATimeoutThatIsInTheMailboxWhenItsStateIsLeftIsForgotten) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Push{});
  Run();
  TakeLog();
  door.Send(Slam{loop_});  // meanwhile the timeout comes, behind these two:
  door.Send(Push{});
  door.Send(Push{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"exit open", "enter closed", "opens", "exit closed", "enter open"}));
}

TEST_F(StateMachineTest, SetTimeoutReplacesTheOneTheStateHas) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Push{});
  Run();
  Advance(absl::Seconds(20));
  door.Send(LeaveOpen{absl::Minutes(1)});
  Run();
  TakeLog();
  Advance(absl::Minutes(1) - absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), Log{});
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(TakeLog(), (Log{"rings", "exit open", "enter closed"}));
  door.Send(Push{});
  door.Send(LeaveOpen{absl::InfiniteDuration()});
  Run();
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(StateMachineTest, AFullMailboxDoesNotRefuseATimeout) {
  auto door = system_.Spawn<Door>({.capacity = 1, .when_full = WhenFull::kFail}, log_);
  door.Send(Push{});
  Run();
  TakeLog();
  door.Send(Slam{loop_});  // fills the mailbox, and then the timeout comes
  Run();
  EXPECT_EQ(TakeLog(), (Log{"rings", "exit open", "enter closed"}));
  EXPECT_TRUE(letters_.empty());
}

TEST_F(StateMachineTest, AnActorThatEndsTakesItsTimeoutAlong) {
  auto door = system_.Spawn<Door>(log_);
  door.Send(Push{});
  Run();
  door.Stop();
  Run();
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  EXPECT_TRUE(letters_.empty());
}

// ---- Become, from wherever

struct Off {};
struct On {
  int level = 0;
};
struct Set {
  int level;
};
struct Level {
  using Reply = int;
};

// Asks a source for the level it is to have.
class Dimmer {
 public:
  explicit Dimmer(Recipient<Level> source = {}, int begin = 0) : source_(source), begin_(begin) {}

  void OnStart(Context& self) {
    if (begin_ != 0) state.Become(troupe::On{begin_}, self);
  }
  void OnEnter(troupe::On& now) { entered_ += now.level; }
  void On(Push, Context& self) {
    source_.Ask(Level{}).Then(self, [this](absl::StatusOr<int> level, Context& self) {
      if (level.ok()) state.Become(troupe::On{*level}, self);
    });
  }
  troupe::On On(Set m) { return {m.level}; }  // from whatever state
  int On(Level) {
    if (const auto* on = state.If<troupe::On>()) return on->level * 1000 + entered_;
    return state.Is<Off>() ? 0 : -1;
  }

  StateMachine<Off, troupe::On> state;

 private:
  Recipient<Level> source_;
  int begin_;
  int entered_ = 0;
};

TEST_F(StateMachineTest, AContinuationMovesWithBecome) {
  auto source = system_.Spawn([](Level) { return 3; });
  auto dimmer = system_.Spawn<Dimmer>(source);
  dimmer.Send(Push{});
  Run();
  EXPECT_EQ(AskNow(dimmer, Level{}).value(), 3003);
}

TEST_F(StateMachineTest, AHandlerForAllStatesMayReturnAState) {
  auto dimmer = system_.Spawn<Dimmer>();
  EXPECT_EQ(AskNow(dimmer, Level{}).value(), 0);
  dimmer.Send(Set{2});
  EXPECT_EQ(AskNow(dimmer, Level{}).value(), 2002);
}

TEST_F(StateMachineTest, ComingBackToTheSameStateIsAMove) {
  auto dimmer = system_.Spawn<Dimmer>();
  dimmer.Send(Set{2});
  dimmer.Send(Set{3});
  EXPECT_EQ(AskNow(dimmer, Level{}).value(), 3005);
}

TEST_F(StateMachineTest, OnStartMaySayWhichStateIsTheFirstAndThatIsEnteredOnce) {
  EXPECT_EQ(AskNow(system_.Spawn<Dimmer>(Recipient<Level>(), 4), Level{}).value(), 4004);
}

struct Lamp {  // spawned as an object, which is moved
  StateMachine<Off, troupe::On> state{troupe::On{.level = 9}};
  int On(troupe::On& now, Level) { return now.level; }
};

TEST_F(StateMachineTest, AnObjectIsSpawnedInTheStateItIsIn) {
  EXPECT_EQ(AskNow(system_.Spawn(Lamp{}), Level{}).value(), 9);
}

// Moves where it must not.
class Restless {
 public:
  void OnEnter(troupe::On&, Context& self) { state.Become(Off{}, self); }
  troupe::On On(Off&, Push) { return {}; }
  StateMachine<Off, troupe::On> state;
};

TEST_F(StateMachineTest, BecomeInOnEnterEndsTheActor) {
  auto restless = system_.Spawn<Restless>();
  restless.Send(Push{});
  Run();
  EXPECT_EQ(restless.Send(Push{}), SendResult::kClosed);
}

TEST_F(StateMachineTest, NoRoomForPostponedMessagesIsRefusedWhenItIsMade) {
  EXPECT_THROW((StateMachine<Off, troupe::On>({.postponed = 0})), std::invalid_argument);
}

// ---- ends of others

struct Follow {
  AnyRef whom;
};
class Follower {
 public:
  explicit Follower(Log& log) : log_(log) {}
  void On(Follow m, Context& self) { self.Watch(m.whom); }
  Off On(troupe::On&, Down down) {
    log_.push_back(std::string(ToString(down.reason)));
    return {};
  }
  StateMachine<troupe::On, Off> state;

 private:
  Log& log_;
};

TEST_F(StateMachineTest, AStateMayHandleADownAndInOthersABadEndIsSharedAsEver) {
  auto follower = system_.Spawn<Follower>(log_);
  auto fails = [](Push) { throw std::runtime_error("broken"); };
  auto first = system_.Spawn(fails), second = system_.Spawn(fails), third = system_.Spawn(fails);
  for (const auto& who : {first, second, third}) follower.Send(Follow{who});
  first.Send(Push{});
  Run();
  EXPECT_EQ(TakeLog(), Log{"failed"});
  second.Stop();
  Run();
  EXPECT_EQ(follower.Send(Follow{}), SendResult::kQueued);
  third.Send(Push{});
  Run();
  EXPECT_EQ(follower.Send(Follow{}), SendResult::kClosed);
}

}  // namespace
}  // namespace troupe
