// While a handler is suspended its actor defers: what waits, in which order, and what does not.
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/awaiting.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using CoroutineDeferralTest = Awaiting;

TEST_F(CoroutineDeferralTest, MessagesWaitInOrderUntilTheHandlerHasEnded) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Note{"before"});
  waiter.Send(Go{});
  waiter.Send(Note{"first"});
  Run();
  waiter.Send(Note{"second"});
  Run();
  waiter.Send(Note{"third"});
  Run();
  EXPECT_EQ(notes_, (Notes{"before", "asks"}));
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"before", "asks", "got 1", "first", "second", "third"}));
}

TEST_F(CoroutineDeferralTest, WhatWaitsCountsAsQueued) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  const auto queued = [&] {
    for (const ActorStats& actor : system_.actors()) {
      if (actor.ref == waiter) return actor.queued;
    }
    return uint64_t{999};
  };
  waiter.Send(Go{});
  waiter.Send(Note{"a"});
  waiter.Send(Note{"b"});
  Run();
  EXPECT_EQ(queued(), 2u);
  Answer(1);
  EXPECT_EQ(queued(), 0u);
}

TEST_F(CoroutineDeferralTest, TheMessageWhoseHandlerIsSuspendedIsNamed) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  const auto handling = [&] {
    for (const ActorStats& actor : system_.actors()) {
      if (actor.ref == waiter) return std::string(actor.handling);
    }
    return std::string("no such actor");
  };
  waiter.Send(Note{"before"});
  Run();
  EXPECT_EQ(handling(), "");
  waiter.Send(Go{});
  Run();
  EXPECT_NE(handling().find("Go"), std::string::npos) << handling();
  waiter.Send(Note{"waits"});
  Run();
  EXPECT_NE(handling().find("Go"), std::string::npos) << handling();
  Answer(1);
  EXPECT_EQ(handling(), "");
}

TEST_F(CoroutineDeferralTest, AHandlerThatWaitsAgainKeepsMessagesWaiting) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  waiter.Send(Go{});
  waiter.Send(Note{"last"});
  Run();
  EXPECT_EQ(AskedAndWaiting(), 1);
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "asks"}));
  Answer(2, 1);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "asks", "got 2", "last"}));
}

TEST_F(CoroutineDeferralTest, ContinuationsRunWhileAHandlerIsSuspended) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      from.Ask(Get{}).Then(self, [this](absl::StatusOr<int>) { notes.push_back("continued"); });
      (void)co_await from.Ask(Get{});
      notes.push_back("resumed");
    }
  };
  system_.Spawn<Actor>(Actor{slow_, notes_}).Send(Go{});
  Run();
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"continued"}));
  Answer(2, 1);
  EXPECT_EQ(notes_, (Notes{"continued", "resumed"}));
}

struct Reentrant {
  Recipient<Get> from;
  Notes& notes;
  ReentrantTask<int> On(Sum) {
    notes.push_back("asks");
    const int got = (co_await from.Ask(Get{})).value_or(-1);
    notes.push_back("got " + std::to_string(got));
    co_return got;
  }
  void On(Note note) { notes.push_back(note.text); }
};

TEST_F(CoroutineDeferralTest, AReentrantHandlerLetsMessagesPass) {
  auto actor = system_.Spawn<Reentrant>(Reentrant{slow_, notes_});
  actor.Send(Sum{});
  actor.Send(Note{"meanwhile"});
  actor.Send(Sum{});
  Run();
  EXPECT_EQ(notes_, (Notes{"asks", "meanwhile", "asks"}));
  Answer(2, 1);
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"asks", "meanwhile", "asks", "got 2", "got 1"}));
}

TEST_F(CoroutineDeferralTest, ADownWaitsLikeAMessage) {
  struct Watcher {
    Recipient<Get> from;
    AnyRef watched;
    Notes& notes;
    Task<> On(Go, Context& self) {
      self.Watch(watched);
      (void)co_await from.Ask(Get{});
      notes.push_back("resumed");
    }
    void On(Down) { notes.push_back("down"); }
  };
  auto watched = system_.Spawn([](Go) {});
  auto watcher = system_.Spawn<Watcher>(Watcher{slow_, watched, notes_});
  watcher.Send(Go{});
  Run();
  watched.Stop();
  Run();
  EXPECT_EQ(notes_, Notes{});
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"resumed", "down"}));
}

TEST_F(CoroutineDeferralTest, ABoundedMailboxFillsUpAndTheAnswerStillGetsThrough) {
  auto waiter = system_.Spawn<Waiter>({.capacity = 2, .when_full = WhenFull::kFail}, slow_, notes_);
  waiter.Send(Go{});
  Run();
  EXPECT_EQ(waiter.Send(Note{"a"}), SendResult::kQueued);
  EXPECT_EQ(waiter.Send(Note{"b"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(waiter.Send(Note{"c"}), SendResult::kFull) << "what waits has not left the mailbox";
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "a", "b"}));
  EXPECT_EQ(waiter.Send(Note{"d"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(notes_.back(), "d");
}

TEST_F(CoroutineDeferralTest, ADownInABoundedMailboxKeepsItsPlaceBehindMessages) {
  struct Watcher {
    Recipient<Get> from;
    AnyRef watched;
    Notes& notes;
    Task<> On(Go, Context& self) {
      self.Watch(watched);
      (void)co_await from.Ask(Get{});
    }
    void On(Note note) { notes.push_back(note.text); }
    void On(Down) { notes.push_back("down"); }
  };
  auto watched = system_.Spawn([](Go) {});
  auto watcher = system_.Spawn<Watcher>({.capacity = 4}, Watcher{slow_, watched, notes_});
  watcher.Send(Go{});
  Run();
  watcher.Send(Note{"note"});
  watched.Stop();
  Run();
  EXPECT_EQ(notes_, Notes{});
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"note", "down"}));
}

TEST_F(CoroutineDeferralTest, StopWhenDrainedWaitsForTheHandlerAndForWhatWasBefore) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  waiter.Send(Note{"note"});
  Run();
  waiter.Stop(StopWhen::kDrained);
  Run();
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "note"}));
  EXPECT_EQ(waiter.Send(Note{"late"}), SendResult::kClosed);
}

// What waits is set aside as a whole: the effort for one handler does not grow with the backlog.
TEST_F(CoroutineDeferralTest, ABacklogCostsAHandlerNoMoreTurns) {
  constexpr int kBacklog = 5'000;
  for (const uint32_t capacity : {kUnbounded, uint32_t{kBacklog}}) {
    auto seven = system_.Spawn([](Get) { return 7; });
    auto waiter = system_.Spawn<Waiter>({.capacity = capacity}, seven, notes_);
    for (int i = 0; i < kBacklog; ++i) waiter.Send(Go{});
    int turns = 0;
    while (loop_.RunOne()) ++turns;
    EXPECT_EQ(notes_.size(), 2u * kBacklog);
    EXPECT_LT(turns, 4 * kBacklog);
    notes_.clear();
  }
}

TEST_F(CoroutineDeferralTest, AnswersBehindABoundedBacklogComeOutInOrder) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      from.Ask(Get{}).Then(self, [this](absl::StatusOr<int>) { notes.push_back("continued"); });
      (void)co_await from.Ask(Get{});
      notes.push_back("resumed");
      (void)co_await from.Ask(Get{});
      notes.push_back("ended");
    }
    void On(Note note) { notes.push_back(note.text); }
  };
  auto actor = system_.Spawn<Actor>({.capacity = 3}, Actor{slow_, notes_});
  actor.Send(Go{});
  Run();
  actor.Send(Note{"a"});
  Answer(1, 0);
  actor.Send(Note{"b"});
  Answer(2, 1);
  actor.Send(Note{"c"});
  EXPECT_EQ(notes_, (Notes{"continued", "resumed"}));
  Answer(3, 2);
  EXPECT_EQ(notes_, (Notes{"continued", "resumed", "ended", "a", "b", "c"}));
}

TEST_F(CoroutineDeferralTest, TheAgeOfTheOldestMessageIsThatOfTheOneThatHasWaitedLongest) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  Run();
  waiter.Send(Note{"old"});
  Run();
  for (int i = 0; i < 4; ++i) {
    Advance(absl::Seconds(1));
    waiter.Send(Note{"newer"});
    Run();
  }
  for (const ActorStats& actor : system_.actors()) {
    if (actor.ref == waiter) EXPECT_GE(actor.oldest_age, absl::Seconds(4));
  }
}

}  // namespace
}  // namespace troupe
