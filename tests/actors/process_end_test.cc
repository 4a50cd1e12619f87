// How a process ends, what becomes of asks, and what its capacity counts. process_test.cc has receiving.

#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/process_fixture.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

// ---- the end of the process

TEST_F(ProcessTest, ReturningEndsItNormally) {
  auto process =
      system_.Spawn([](Process<Order>& self) -> Task<> { (void)co_await self.Receive(); });
  Deliver(process, Order{"a"});
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kClosed);
}

TEST_F(ProcessTest, ReturningAtOnceEndsItToo) {
  auto process = system_.Spawn([](Process<Order>&) -> Task<> { co_return; });
  Run();
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kClosed);
}

TEST_F(ProcessTest, WatchersLearnHowTheBodyEnded) {
  auto returns = system_.Spawn([](Process<Go>& self) -> Task<> { (void)co_await self.Receive(); });
  auto throws = system_.Spawn([](Process<Go>& self) -> Task<> {
    (void)co_await self.Receive();
    throw std::runtime_error("broken");
  });
  auto throws_at_once = system_.Spawn([](Process<Go>&) -> Task<> {
    throw std::runtime_error("unfit");
    co_return;
  });
  struct Watcher {
    std::vector<AnyRef> who;
    Notes& notes;
    void OnStart(Context& self) {
      for (const AnyRef& ref : who) self.Watch(ref);
    }
    void On(Down down) {
      notes.push_back(std::string(ToString(down.reason)) + " " + down.status.ToString());
    }
  };
  system_.Spawn(Watcher{{returns, throws}, notes_});
  Run();
  returns.Send(Go{});
  throws.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"normal OK", "failed INTERNAL: broken"}));
  EXPECT_EQ(throws_at_once.Send(Go{}), SendResult::kClosed);
}

Task<> WaitsForAck(Process<Order, Ack, Question>& self, Notes* notes) {
  Noted noted(*notes, "unwound");
  (void)co_await self.Receive<Ack>();
}

TEST_F(ProcessTest, StoppedWhileItWaitsItIsUnwoundAndWhatItHasNotReceivedAreDeadLetters) {
  auto process = system_.Spawn(WaitsForAck, &notes_);
  process.Send(Order{"a"});
  process.Send(Question{});
  process.Send(Order{"b"});
  Run();
  process.Send(Ack{});
  process.Stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"unwound"}));
  EXPECT_EQ(LostTypes(DeadLetterReason::kStopped),
            (std::vector<std::string_view>{"Order", "Question", "Order", "Ack"}));
  ASSERT_EQ(letters_.size(), 4u);
  EXPECT_EQ(letters_[0].target, process);
  EXPECT_NE(letters_[0].where.line(), 0u);
}

TEST_F(ProcessTest, WhatABodyThatReturnsLeavesBehindAreDeadLetters) {
  auto process = system_.Spawn(WaitsForAck, &notes_);
  auto sender = system_.Spawn([process](Go) { process.Send(Order{"a"}); });
  Deliver(sender, Go{});
  Deliver(process, Ack{});
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ(letters_[0].reason, DeadLetterReason::kStopped);
  EXPECT_EQ(letters_[0].sender, sender);
  EXPECT_EQ(letters_[0].target, process);
}

TEST_F(ProcessTest, StopWhenDrainedLetsItReceiveWhatItWaitsForAndNotWhatItHasPassedOver) {
  auto waits = system_.Spawn(NotesOrders, &notes_);
  waits.Send(Order{"a"});
  waits.Send(Ack{});
  waits.Send(Order{"b"});
  waits.Stop(StopWhen::kDrained);
  Run();
  EXPECT_EQ(notes_, (Notes{"a of nobody", "b of nobody"}));
  EXPECT_EQ(LostTypes(DeadLetterReason::kStopped), (std::vector<std::string_view>{"Ack"}));
}

TEST_F(ProcessTest, StoppedWhileADeadlineIsPendingItEnds) {
  auto process = system_.Spawn(NotesWithin, absl::Seconds(1), &notes_);
  Run();
  process.Stop();
  Run();
  Advance(absl::Seconds(2));
  EXPECT_EQ(notes_, Notes{});
  EXPECT_EQ(process.Send(Ack{}), SendResult::kClosed);
}

TEST_F(ProcessTest, ABodyMayStopItsProcess) {
  auto process = system_.Spawn(
      [](Process<Order>& self, Notes* notes) -> Task<> {
        Noted noted(*notes, "unwound");
        self.context().Stop();
        (void)co_await self.Receive();
        notes->push_back("not reached");
      },
      &notes_);
  Deliver(process, Order{"a"});
  EXPECT_EQ(notes_, (Notes{"unwound"}));
}

TEST_F(ProcessTest, SpawnedInAShutDownSystemItNeverBegins) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  system.Shutdown(absl::Minutes(1));
  auto kept = std::make_shared<int>();
  auto process = system.Spawn(
      [](Process<Order>& self, std::shared_ptr<int>) -> Task<> { (void)co_await self.Receive(); },
      kept);
  EXPECT_FALSE(process);
  EXPECT_EQ(kept.use_count(), 1) << "the body's parameters are gone";
}

// As in coroutine_test: the only worker is in a handler that does not return.
TEST(ProcessShutdownTest, WhatProcessesThatCouldNotEndHaveNotReceivedGoesWithTheSystem) {
  std::latch waits(1), stuck(1), release(1), gone(1);
  struct Parcel {
    std::shared_ptr<std::latch> content;
  };
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    auto process = system.Spawn(
        [](Process<Parcel, Ack, Go>& self, std::latch* l) -> Task<> {
          (void)co_await self.Receive<Ack>();
          l->count_down();
          (void)co_await self.Receive<Go>();
        },
        &waits);
    process.Send(
        Parcel{std::shared_ptr<std::latch>(&gone, [](std::latch* l) { l->count_down(); })});
    process.Send(Ack{});
    waits.wait();
    system
        .Spawn([&](Go) {
          stuck.count_down();
          release.wait();
        })
        .Send(Go{});
    stuck.wait();
  }
  release.count_down();
  gone.wait();
}

// ---- asks

Task<> Answers(Process<Question, Go>& self, absl::Duration first) {
  co_await Sleep(first);
  for (;;) {
    auto [question, from, reply] = co_await self.Receive<Question>();
    if (reply) reply.Send(question.number + 1);
  }
}

TEST_F(ProcessTest, AnAskIsReceivedWithItsReply) {
  auto process = system_.Spawn(Answers, absl::ZeroDuration());
  process.Send(Question{1});  // asked by nobody: its reply is false
  EXPECT_EQ(process.Ask(Question{6}).Wait().value_or(-1), 7);
}

TEST_F(ProcessTest, AnAskThatWaitsInTheFileIsAnswered) {
  auto process = system_.Spawn(Answers, absl::Seconds(1));
  EXPECT_EQ(process.Ask(Question{6}).Wait().value_or(-1), 7);
}

class Asker {
 public:
  Asker(Recipient<Question> whom, absl::Duration timeout, Notes& notes)
      : whom_(whom), timeout_(timeout), notes_(notes) {}
  void On(Go, Context& self) {
    whom_.Ask(Question{6}, timeout_).Then(self, [this](absl::StatusOr<int> answer) {
      notes_.push_back(answer.ok() ? std::to_string(*answer)
                                   : std::string(absl::StatusCodeToString(answer.status().code())));
    });
  }

 private:
  Recipient<Question> whom_;
  absl::Duration timeout_;
  Notes& notes_;
};

TEST_F(ProcessTest, AnAskThatExpiresInTheFileIsNotReceived) {
  auto process = system_.Spawn(Answers, absl::Seconds(2));
  system_.Spawn<Asker>(process, absl::Seconds(1), notes_).Send(Go{});
  Run();
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"DEADLINE_EXCEEDED"}));
  Advance(absl::Seconds(1));
  EXPECT_EQ(LostTypes(DeadLetterReason::kExpired), (std::vector<std::string_view>{"Question"}));
  EXPECT_EQ(QueuedFor(process), 0u);
}

TEST_F(ProcessTest, WhoAskedAProcessThatEndsIsTold) {
  auto process = system_.Spawn(
      [](Process<Question, Go>& self) -> Task<> { (void)co_await self.Receive<Go>(); });
  system_.Spawn<Asker>(process, absl::Minutes(1), notes_).Send(Go{});
  Run();
  EXPECT_EQ(notes_, Notes{});
  Deliver(process, Go{});
  EXPECT_EQ(notes_, (Notes{"UNAVAILABLE"}));
}

TEST_F(ProcessTest, WhoAskedIsToldWhenTheReplyIsDropped) {
  auto process = system_.Spawn([](Process<Question>& self) -> Task<> {
    for (;;) (void)co_await self.Receive();
  });
  system_.Spawn<Asker>(process, absl::Minutes(1), notes_).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"ABORTED"}));
}

TEST_F(ProcessTest, ABodyMayAskAndMessagesComeInMeanwhile) {
  auto seven = system_.Spawn([](Question) { return 7; });
  auto process = system_.Spawn(
      [](Process<Order, Go>& self, Recipient<Question> whom, Notes* notes) -> Task<> {
        (void)co_await self.Receive<Go>();
        notes->push_back(std::to_string((co_await whom.Ask(Question{})).value_or(-1)));
        notes->push_back((co_await self.Receive<Order>()).message.item);
      },
      seven, &notes_);
  process.Send(Go{});
  process.Send(Order{"meanwhile"});
  Run();
  EXPECT_EQ(notes_, (Notes{"7", "meanwhile"}));
}

// ---- capacity

Task<> WaitsForGo(Process<Order, Ack>& self, Notes* notes) {
  (void)co_await self.Receive<Ack>();
  for (;;) notes->push_back((co_await self.Receive<Order>()).message.item);
}

TEST_F(ProcessTest, CapacityCountsWhatHasBeenPassedOver) {
  auto process = system_.Spawn({.capacity = 2, .when_full = WhenFull::kFail}, WaitsForGo, &notes_);
  EXPECT_EQ(process.Send(Order{"a"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(process.Send(Order{"c"}), SendResult::kFull);
  EXPECT_EQ(process.Send(Ack{}), SendResult::kFull) << "what it waits for has no room either";
  EXPECT_EQ(QueuedFor(process), 2u);
}

TEST_F(ProcessTest, AReceiveMakesRoom) {
  auto process = system_.Spawn({.capacity = 2, .when_full = WhenFull::kFail}, WaitsForGo, &notes_);
  Deliver(process, Order{"a"});
  EXPECT_EQ(process.Send(Ack{}), SendResult::kQueued);
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kFull);
  Run();
  EXPECT_EQ(notes_, (Notes{"a"}));
  for (const char* item : {"c", "d", "e"}) {
    EXPECT_EQ(process.Send(Order{item}), SendResult::kQueued);
    Run();
  }
  EXPECT_EQ(notes_, (Notes{"a", "c", "d", "e"}));
}

TEST_F(ProcessTest, AnExpiredAskMakesRoom) {
  auto process =
      system_.Spawn({.capacity = 1, .when_full = WhenFull::kFail}, Answers, absl::Seconds(2));
  system_.Spawn<Asker>(process, absl::Seconds(1), notes_).Send(Go{});
  Run();
  EXPECT_EQ(process.Send(Go{}), SendResult::kFull);
  Advance(absl::Seconds(2));
  EXPECT_EQ(process.Send(Go{}), SendResult::kQueued);
}

TEST_F(ProcessTest, DropOldestDropsWhatItHasNotLookedAtAndElseTheNewest) {
  auto process =
      system_.Spawn({.capacity = 2, .when_full = WhenFull::kDropOldest}, WaitsForGo, &notes_);
  Deliver(process, Order{"looked at"});
  process.Send(Order{"oldest in the mailbox"});
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kQueued);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 1u);
  Run();
  EXPECT_EQ(process.Send(Order{"c"}), SendResult::kDropped);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedNewest), 1u);
}

TEST_F(ProcessTest, WhoBlocksAtAFullProcessGoesOnWhenItReceives) {
  auto process = system_.Spawn(
      {.capacity = 1, .when_full = WhenFull::kBlock},
      [](Process<Order>& self, Notes* notes) -> Task<> {
        co_await Sleep(absl::Seconds(1));
        for (;;) notes->push_back((co_await self.Receive()).message.item);
      },
      &notes_);
  process.Send(Order{"a"});
  Run();
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kQueued);  // turns the loop until there is room
  Run();
  EXPECT_EQ(notes_, (Notes{"a", "b"}));
}

TEST_F(ProcessTest, ADownAndAnAnswerNeedNoRoom) {
  auto seven = system_.Spawn([](Question, Context& self) {
    self.Stop();
    return 7;
  });
  auto process = system_.Spawn(
      {.capacity = 1, .when_full = WhenFull::kFail},
      [](Process<Order, Down>& self, ActorRef<internal::FunctionActor<int, Go>>, AnyRef who,
         Recipient<Question> whom, Notes* notes) -> Task<> {
        self.context().Watch(who);
        notes->push_back(std::to_string((co_await whom.Ask(Question{})).value_or(-1)));
        (void)co_await self.Receive<Down>();
        notes->push_back("down");
        notes->push_back((co_await self.Receive<Order>()).message.item);
      },
      ActorRef<internal::FunctionActor<int, Go>>(), seven, seven, &notes_);
  process.Send(Order{"a"});
  Run();
  EXPECT_EQ(notes_, (Notes{"7", "down", "a"}));
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kClosed);
}

// ---- as an actor among others

TEST_F(ProcessTest, HandlersSpawnProcessesAsChildren) {
  struct Parent {
    Notes& notes;
    void On(Go, Context& self) {
      ActorRef<Process<Order, Ack>> child = self.Spawn(NotesOrders, &notes);
      child.Send(Order{"a"});
      self.Spawn({.name = "second", .capacity = 1}, NotesOrders, &notes).Send(Order{"b"});
    }
  };
  auto parent = system_.Spawn(Parent{notes_});
  Deliver(parent, Go{});
  EXPECT_EQ(notes_, (Notes{"a of somebody", "b of somebody"}));
  const auto live = [&] { return system_.actors().size(); };
  EXPECT_EQ(live(), 3u);
  parent.Stop();
  Run();
  EXPECT_EQ(live(), 0u);
}

TEST_F(ProcessTest, ARefCanBeHadAgainFromTheProcessAndByItsType) {
  auto process = system_.Spawn(
      [](Process<Go>& self, Notes* notes) -> Task<> {
        const AnyRef ref = self.ref();
        notes->push_back(ref.As<Process<Go>>() == self.ref() ? "same" : "other");
        (void)co_await self.Receive();
      },
      &notes_);
  Run();
  EXPECT_EQ(notes_, (Notes{"same"}));
  EXPECT_FALSE(AnyRef(process).As<Process<Order>>().has_value());
}

}  // namespace
}  // namespace troupe
