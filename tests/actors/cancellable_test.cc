// Waits that a std::stop_token ends.
#include <memory>
#include <optional>
#include <stop_token>
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

std::string CodeOf(const absl::Status& s) {
  return std::string(absl::StatusCodeToString(s.code()));
}
template <class T>
std::string CodeOf(const absl::StatusOr<T>& s) {
  return CodeOf(s.status());
}

// Notes what `wait(token)` comes to.
template <class MakeWait>
struct Cancels {
  MakeWait wait;
  std::stop_token token;
  Notes& notes;
  Task<> On(Go) { notes.push_back(CodeOf(co_await Cancellable(wait(), token))); }
};

class CancellableTest : public Awaiting {
 protected:
  template <class MakeWait>
  auto Waiting(MakeWait wait) {
    auto actor =
        system_.Spawn<Cancels<MakeWait>>(Cancels<MakeWait>{wait, stop_.get_token(), notes_});
    actor.Send(Go{});
    Run();
    return actor;
  }
  void Stop() {
    stop_.request_stop();
    Run();
  }

  std::stop_source& stop_ = Keep<std::stop_source>();
};

TEST_F(CancellableTest, AStoppedAskEndsAtOnceAndTheReplySaysThatNobodyWaits) {
  Waiting([to = slow_] { return to.Ask(Get{}); });
  EXPECT_EQ(AskedAndWaiting(), 1);
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  EXPECT_EQ(AskedAndWaiting(), 0);
  Answer(1);  // too late, and harmless
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
}

TEST_F(CancellableTest, AStopAfterTheAnswerDoesNothing) {
  Waiting([to = slow_] { return to.Ask(Get{}); });
  Answer(1);
  Stop();
  EXPECT_EQ(notes_, (Notes{"OK"}));
}

TEST_F(CancellableTest, OfAnswerAndStopTheFirstCounts) {
  Waiting([to = slow_] { return to.Ask(Get{}); });
  asked_.at(0).Send(1);
  Stop();
  Waiting([to = slow_] { return to.Ask(Get{}); });
  EXPECT_EQ(notes_, (Notes{"OK", "CANCELLED"}));
}

TEST_F(CancellableTest, AStopIsToldThoughTheAnswerComesBeforeTheActorHasSeenIt) {
  Waiting([to = slow_] { return to.Ask(Get{}); });
  stop_.request_stop();
  asked_.at(0).Send(1);
  Run();
  EXPECT_EQ(notes_.size(), 1u);
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CancellableTest, ATokenThatIsStoppedAlreadySendsNothing) {
  stop_.request_stop();
  Waiting([to = slow_] { return to.Ask(Get{}); });
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(CancellableTest, OfTwoTokensEitherEndsTheWait) {
  auto& inner = Keep<std::stop_source>();
  auto& unused = Keep<std::stop_source>();
  Waiting([to = slow_, token = inner.get_token()] { return Cancellable(to.Ask(Get{}), token); });
  inner.request_stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  Waiting([to = slow_, token = unused.get_token()] { return Cancellable(to.Ask(Get{}), token); });
  EXPECT_EQ(AskedAndWaiting(), 1);
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED", "CANCELLED"}));
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CancellableTest, ATokenThatCannotBeStoppedChangesNothing) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go) {
      notes.push_back(CodeOf(co_await Cancellable(from.Ask(Get{}), std::stop_token())));
    }
  };
  system_.Spawn<Actor>(Actor{slow_, notes_}).Send(Go{});
  Run();
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"OK"}));
}

TEST_F(CancellableTest, ARequestThatIsStillInTheMailboxIsDropped) {
  struct Busy {
    Recipient<Get> from;
    Task<> On(Go) { (void)co_await from.Ask(Get{}); }
    int On(Get) { return 1; }
  };
  auto busy = system_.Spawn<Busy>(Busy{slow_});
  busy.Send(Go{});
  Waiting([busy] { return busy.Ask(Get{}); });
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  Answer(1);
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

TEST_F(CancellableTest, ThenIsCancelledLikewise) {
  system_
      .Spawn([to = slow_, token = stop_.get_token(), &notes = notes_](Go, Context& self) {
        Cancellable(to.Ask(Get{}), token).Then(self, [&notes](absl::StatusOr<int> got) {
          notes.push_back(CodeOf(got));
        });
      })
      .Send(Go{});
  Run();
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
}

TEST_F(CancellableTest, AnActorThatEndsIsNotToldOfALaterStop) {
  auto actor = Waiting([to = slow_] { return to.Ask(Get{}); });
  actor.Stop();
  Run();
  EXPECT_EQ(AskedAndWaiting(), 0);
  Stop();
  EXPECT_EQ(notes_, Notes{});
}

TEST_F(CancellableTest, AStopAndAnEndAtOnceAreHarmless) {
  auto actor = Waiting([to = slow_] { return to.Ask(Get{}); });
  stop_.request_stop();
  actor.Stop();
  Run();
  EXPECT_LE(notes_.size(), 1u);
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CancellableTest, AStopSourceMayOutliveTheSystem) {
  std::stop_source stop;
  {
    ManualScheduler loop;
    System system({.scheduler = &loop});
    auto& asked = Keep<std::vector<Reply<int>>>();
    auto slow = system.Spawn<Slow>(asked);
    auto wait = [slow] { return slow.Ask(Get{}); };
    system.Spawn<Cancels<decltype(wait)>>(Cancels<decltype(wait)>{wait, stop.get_token(), notes_})
        .Send(Go{});
    loop.RunUntilIdle();
    asked.clear();
  }
  EXPECT_TRUE(stop.request_stop());
}

TEST_F(CancellableTest, AHandlerOfAReentrantActorMayStopAnother) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    std::stop_source stop;
    ReentrantTask<> On(Go) {
      notes.push_back(CodeOf(co_await Cancellable(from.Ask(Get{}), stop.get_token())));
    }
    void On(Note) {
      stop.request_stop();
      notes.push_back("requested");
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_, {}});
  actor.Send(Go{});
  actor.Send(Note{});
  Run();
  EXPECT_EQ(notes_, (Notes{"requested", "CANCELLED"}));
}

// ---- what else can wait

TEST_F(CancellableTest, ASleepThatIsNotStoppedIsOk) {
  Waiting([] { return Sleep(absl::Seconds(1)); });
  Waiting([] { return Sleep(absl::Seconds(9)); });
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"OK"}));
  Stop();
  EXPECT_EQ(notes_, (Notes{"OK", "CANCELLED"}));
}

TEST_F(CancellableTest, AllOfKeepsTheAnswersThatWereThere) {
  struct Actor {
    Recipient<Get> from;
    std::stop_token token;
    Notes& notes;
    Task<> On(Go) {
      auto [a, b] = co_await Cancellable(AllOf(from.Ask(Get{}), from.Ask(Get{})), token);
      notes.push_back(CodeOf(a) + " " + CodeOf(b));
    }
    Task<> On(Note) {
      std::vector<PendingAsk<int>> asks;
      for (int i = 0; i < 3; ++i) asks.push_back(from.Ask(Get{}));
      for (auto& got : co_await Cancellable(AllOf(std::move(asks)), token)) {
        notes.push_back(CodeOf(got));
      }
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, stop_.get_token(), notes_});
  actor.Send(Go{});
  Run();
  Answer(1, 1);
  EXPECT_EQ(notes_, Notes{});
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED OK"}));
  actor.Send(Note{});
  Run();
  EXPECT_EQ(notes_.size(), 4u);
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CancellableTest, AllThatFirstOfHasAskedLearnThatNobodyWaits) {
  Waiting([to = slow_] {
    std::vector<PendingAsk<int>> asks;
    for (int i = 0; i < 3; ++i) asks.push_back(to.Ask(Get{}));
    return FirstOf(std::move(asks));
  });
  EXPECT_EQ(AskedAndWaiting(), 3);
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CancellableTest, WithATokenThatIsStoppedAlreadyNothingIsOffloaded) {
  struct Actor {
    std::stop_source& stop;
    Notes& notes;
    Task<> On(Go) {
      stop.request_stop();
      auto got = co_await Cancellable(Offload([this] {
                                        notes.push_back("ran");
                                        return 1;
                                      }),
                                      stop.get_token());
      notes.push_back(CodeOf(got));
    }
  };
  system_.Spawn<Actor>(Actor{stop_, notes_}).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
}

struct MailTest : CancellableTest {
  OpenedMailbox<int> box_ = system_.OpenMailbox<int>("", {.capacity = 1});
};

TEST_F(MailTest, AStoppedReceiveHasTakenNothing) {
  Waiting([this] { return box_.receiver.Receive(); });
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  EXPECT_EQ(box_.sender.Send(7), SendResult::kQueued);
  Run();
  auto got = box_.receiver.TryReceive();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->message, 7);
}

TEST_F(MailTest, AMessageThatWasTakenBeforeTheStopIsReceived) {
  Waiting([this] { return box_.receiver.Receive(); });
  EXPECT_EQ(box_.sender.Send(7), SendResult::kQueued);
  Stop();
  EXPECT_EQ(notes_, (Notes{"OK"}));
  EXPECT_FALSE(box_.receiver.TryReceive().has_value());
}

TEST_F(MailTest, AStoppedSelectHasTakenNothingFromAny) {
  auto& other = Keep<std::optional<OpenedMailbox<int>>>();
  other.emplace(system_.OpenMailbox<int>("", {.capacity = 1}));
  Waiting([this, &other] { return Select(box_.receiver, other->receiver); });
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  box_.sender.Send(1);
  other->sender.Send(2);
  Run();
  EXPECT_EQ(box_.receiver.stats().depth + other->receiver.stats().depth, 2u);
  other.reset();
}

TEST_F(MailTest, AStoppedSendIsNeverDelivered) {
  box_.sender.Send(1);
  Waiting([this] { return box_.sender.Enqueue(2); });
  EXPECT_EQ(box_.sender.stats().waiting_senders, 1u);
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED"}));
  EXPECT_EQ(box_.receiver.TryReceive()->message, 1);
  EXPECT_FALSE(box_.receiver.TryReceive().has_value());
}

struct Question {
  using Reply = int;
};

TEST_F(CancellableTest, AMailboxsDeliverAskAndClosedAreStoppedToo) {
  auto& box = Keep<std::optional<OpenedMailbox<Question>>>();
  box.emplace(system_.OpenMailbox<Question>("", {.capacity = 4}));
  Waiting([&box] { return box->sender.Deliver(Question{}); });
  Waiting([&box] { return box->sender.Ask(Question{}); });
  Waiting([&box] { return box->sender.Closed(); });
  EXPECT_EQ(notes_, Notes{});
  Stop();
  EXPECT_EQ(notes_, (Notes{"CANCELLED", "CANCELLED", "CANCELLED"}));
  box.reset();
}

TEST_F(CancellableTest, AllOfTakesAsksOfMailboxesToo) {
  auto& box = Keep<std::optional<OpenedMailbox<Question>>>();
  box.emplace(system_.OpenMailbox<Question>("", {.capacity = 4}));
  struct Actor {
    Recipient<Get> from;
    Sender<Question> box;
    Notes& notes;
    Task<> On(Go) {
      auto [a, b] = co_await AllOf(from.Ask(Get{}), box.Ask(Question{}));
      notes.push_back(std::to_string(*a) + std::to_string(*b));
    }
  };
  system_.Spawn<Actor>(Actor{slow_, box->sender, notes_}).Send(Go{});
  Run();
  Answer(1);
  box->receiver.TryReceive()->reply.Send(2);
  Run();
  EXPECT_EQ(notes_, (Notes{"12"}));
  box.reset();
}

}  // namespace
}  // namespace troupe
