#include "troupe/actors/coroutine.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/awaiting.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using CoroutineTest = Awaiting;

class Adder {
 public:
  explicit Adder(std::vector<Recipient<Get>> from) : from_(std::move(from)) {}
  Task<int> On(Sum) {
    int sum = 0;
    for (auto& who : from_) sum += (co_await who.Ask(Get{})).value_or(1000);
    co_return sum;
  }

 private:
  std::vector<Recipient<Get>> from_;
};

// ---- asks

TEST_F(CoroutineTest, AHandlerAwaitsAskAfterAskAndAnswers) {
  auto seven = system_.Spawn([](Get) { return 7; });
  auto adder = system_.Spawn<Adder>(std::vector<Recipient<Get>>{seven, seven, seven});
  EXPECT_EQ(adder.Ask(Sum{}).Wait().value_or(-1), 21);
}

TEST_F(CoroutineTest, AnAnswerThatWillNotComeIsAnErrorAtOnce) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  auto waiter = system_.Spawn<Waiter>(ended, notes_);
  waiter.Send(Go{});
  Run();
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[1].rfind("UNAVAILABLE", 0), 0u) << notes_[1];
}

TEST_F(CoroutineTest, AnAwaitedAskEndsAtItsDeadline) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  Run();
  Advance(kDefaultAskTimeout - absl::Milliseconds(1));
  EXPECT_EQ(notes_.size(), 1u);
  Advance(absl::Milliseconds(1));
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[1].rfind("DEADLINE_EXCEEDED", 0), 0u) << notes_[1];
  EXPECT_EQ(AskedAndWaiting(), 0);
}

// ---- hooks, replies, contexts

TEST_F(CoroutineTest, MessagesWaitForAnOnStartThatIsACoroutine) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> OnStart() {
      notes.push_back("start " + std::to_string((co_await from.Ask(Get{})).value_or(-1)));
    }
    void On(Note note) { notes.push_back(note.text); }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  actor.Send(Note{"note"});
  Run();
  EXPECT_EQ(notes_, Notes{});
  Answer(3);
  EXPECT_EQ(notes_, (Notes{"start 3", "note"}));
}

TEST_F(CoroutineTest, OnDownMayBeACoroutine) {
  struct Actor {
    Recipient<Get> from;
    AnyRef watched;
    Notes& notes;
    void OnStart(Context& self) { self.Watch(watched); }
    Task<> On(Down, Context&) {
      notes.push_back("down " + std::to_string((co_await from.Ask(Get{})).value_or(-1)));
    }
  };
  auto watched = system_.Spawn([](Go) {});
  system_.Spawn<Actor>(Actor{slow_, watched, notes_});
  Run();
  watched.Stop();
  Run();
  Answer(4);
  EXPECT_EQ(notes_, (Notes{"down 4"}));
}

TEST_F(CoroutineTest, AHandlerMayTakeTheReplyAndAnswerBeforeItsEnd) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Sum, Reply<int> reply) {
      reply.Send(1);
      (void)co_await from.Ask(Get{});
      notes.push_back("still here");
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  EXPECT_EQ(actor.Ask(Sum{}).Wait().value_or(-1), 1);
  Run();
  Answer(0);
  EXPECT_EQ(notes_, (Notes{"still here"}));
}

TEST_F(CoroutineTest, AHandlerAnswersWithAStatusOr) {
  struct Actor {
    Recipient<Get> from;
    Task<absl::StatusOr<int>> On(Sum) {
      absl::StatusOr<int> got = co_await from.Ask(Get{});
      if (*got < 0) co_return absl::OutOfRangeError("negative");
      co_return *got;
    }
  };
  auto source = system_.Spawn([n = 5](Get) mutable { return n -= 6; });
  auto actor = system_.Spawn<Actor>(Actor{source});
  EXPECT_EQ(actor.Ask(Sum{}).Wait().status(), absl::OutOfRangeError("negative"));
}

TEST_F(CoroutineTest, AFunctionMayBeACoroutine) {
  auto later = system_.Spawn([](Sum) -> Task<int> {
    co_await Sleep(absl::Seconds(1));
    co_return 8;
  });
  EXPECT_EQ(later.Ask(Sum{}).Wait().value_or(-1), 8);
}

TEST_F(CoroutineTest, TheContextIsTheHandlersOwnAndKeepsWhatItSaid) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      const AnyRef sender = self.sender();
      (void)co_await from.Ask(Get{});
      notes.push_back(self.sender() == sender && sender ? "same sender" : "other sender");
      notes.push_back(self.ref(this) == self.self() ? "self" : "not self");
      self.Stop();
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  system_.Spawn([actor](Note) { actor.Send(Go{}); }).Send(Note{});
  Run();
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"same sender", "self"}));
  EXPECT_EQ(actor.Send(Go{}), SendResult::kClosed);
}

// ---- deadlines

TEST_F(CoroutineTest, AnAskInsideAnAskEndsWithTheOuterDeadline) {
  struct Middle {
    Recipient<Get> from;
    Notes& notes;
    Task<int> On(Sum, Context& self) {
      const absl::Time begun = self.Now();
      notes.push_back(self.deadline() == begun + absl::Seconds(1) ? "1 s" : "other");
      (void)co_await from.Ask(Get{}, absl::Hours(1));
      notes.push_back("after " + absl::FormatDuration(self.Now() - begun));
      co_return 0;
    }
  };
  struct Outer {
    ActorRef<Middle> middle;
    Task<> On(Go) { (void)co_await middle.Ask(Sum{}, absl::Seconds(1)); }
  };
  auto middle = system_.Spawn<Middle>(Middle{slow_, notes_});
  system_.Spawn<Outer>(Outer{middle}).Send(Go{});
  Run();
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"1 s", "after 1s"}));
}

TEST_F(CoroutineTest, AMessageThatIsNoAskHasNoDeadline) {
  struct Middle {
    Recipient<Get> from;
    Notes& notes;
    int On(Sum) { return 1; }
    void On(Go, Context& self) {
      notes.push_back(self.deadline() == absl::InfiniteFuture() ? "none" : "some");
    }
  };
  auto middle = system_.Spawn<Middle>(Middle{slow_, notes_});
  EXPECT_EQ(middle.Ask(Sum{}).Wait().value_or(-1), 1);
  middle.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"none"}));
}

TEST_F(CoroutineTest, ARequestThatHasExpiredIsDroppedWhenItsTurnComes) {
  auto waiter = system_.Spawn<Nested>(slow_, notes_);
  waiter.Send(Sum{});  // keeps it busy
  Run();
  struct Impatient {
    ActorRef<Nested> whom;
    Task<> On(Go) { (void)co_await whom.Ask(Sum{}, absl::Seconds(1)); }
  };
  system_.Spawn<Impatient>(Impatient{waiter}).Send(Go{});
  Run();
  Advance(absl::Seconds(2));
  EXPECT_EQ(asked_.size(), 1u);
  Answer(1);
  EXPECT_EQ(asked_.size(), 1u) << "the second request was not begun";
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

// Its deadline is told by a clock that means nothing here, and may be gone.
TEST_F(CoroutineTest, AnAskerOfAnotherSystemGivesNoDeadline) {
  struct Answerer {
    absl::Time& seen;
    int On(Get, Context& self) {
      seen = self.deadline();
      return 1;
    }
  };
  auto& seen = Keep<absl::Time>();
  auto answerer = system_.Spawn(Answerer{seen});
  {
    ManualScheduler loop;
    System other({.scheduler = &loop});
    other.Spawn<Waiter>(answerer, notes_).Send(Go{});
    loop.RunUntilIdle();
  }
  Run();
  EXPECT_EQ(seen, absl::InfiniteFuture());
}

TEST_F(CoroutineTest, WhoHasAnsweredMayDropTheDeadline) {
  struct Actor {
    Notes& notes;
    Task<> On(Get, Reply<int> reply, Context& self) {
      reply.Send(1);
      notes.push_back(self.deadline() == absl::InfiniteFuture() ? "none" : "some");
      self.DropDeadline();
      co_await Sleep(absl::Seconds(10));
      notes.push_back(self.deadline() == absl::InfiniteFuture() ? "none" : "some");
    }
  };
  EXPECT_TRUE(system_.Spawn(Actor{notes_}).Ask(Get{}).Wait().ok());
  Advance(absl::Seconds(10));
  EXPECT_EQ(notes_, (Notes{"some", "none"}));
}

// ---- time

TEST_F(CoroutineTest, SleepLastsAsLongAsItSays) {
  struct Sleeper {
    Notes& notes;
    Task<> On(Go) {
      co_await Sleep(absl::Seconds(10));
      notes.push_back("awake");
    }
    void On(Note note) { notes.push_back(note.text); }
  };
  auto sleeper = system_.Spawn<Sleeper>(Sleeper{notes_});
  sleeper.Send(Go{});
  sleeper.Send(Note{"note"});
  Run();
  Advance(absl::Milliseconds(9999));
  EXPECT_EQ(notes_, Notes{});
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(notes_, (Notes{"awake", "note"}));
}

TEST_F(CoroutineTest, SleepOfNoTimeDoesNotSuspend) {
  struct Sleeper {
    Notes& notes;
    Task<> On(Go) {
      co_await Sleep(absl::ZeroDuration());
      co_await Sleep(-absl::Seconds(1));
      notes.push_back("awake");
    }
  };
  system_.Spawn<Sleeper>(Sleeper{notes_}).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"awake"}));
}

TEST_F(CoroutineTest, AnActorThatEndsDoesNotWaitForItsSleep) {
  struct Sleeper {
    Notes& notes;
    Task<> On(Go) {
      Noted noted(notes, "unwound");
      co_await Sleep(absl::InfiniteDuration());
    }
  };
  auto sleeper = system_.Spawn<Sleeper>(Sleeper{notes_});
  sleeper.Send(Go{});
  Run();
  sleeper.Stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"unwound"}));
}

}  // namespace
}  // namespace troupe
