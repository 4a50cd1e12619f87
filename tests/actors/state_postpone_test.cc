// What a state machine postpones: order, asks, capacity and the end.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/state_machine.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Write {
  int number;
};
struct Query {
  using Reply = int;
};
struct Connected {};
struct Lost {};
struct Pause {};
struct Note {
  std::string text;
};

struct Connecting {};
struct Online {};
struct Paused {};

// Writes while it is online; a query waits in two states of three.
class Connection {
 public:
  explicit Connection(Log& log, uint32_t capacity = 1000)
      : state({.postponed = capacity}), log_(log) {}

  Postponed On(Connecting&, const Write&);
  Postponed On(Connecting&, Query);
  Online On(Connecting&, Connected) { return {}; }

  void On(Online&, Write m) { log_.push_back(std::to_string(m.number)); }
  int On(Online&, Query) { return 42; }
  Connecting On(Online&, Lost) { return {}; }
  Online On(Online&, Connected) { return {}; }
  Paused On(Online&, Pause) { return {}; }

  void On(Paused&, Write m) { log_.push_back("kept " + std::to_string(m.number)); }
  Postponed On(Paused&, Query);
  Paused On(Paused&, Pause) { return {}; }
  Connecting On(Paused&, Lost) { return {}; }

  void On(Note m) { log_.push_back(m.text); }

  StateMachine<Connecting, Online, Paused> state;

 private:
  Log& log_;
};

struct Go {};
class Asker {
 public:
  Asker(ActorRef<Connection> who, Log& log) : who_(who), log_(log) {}
  void On(Go, Context& self) {
    who_.Ask(Query{}, absl::Seconds(1)).Then(self, [this](absl::StatusOr<int> answer) {
      log_.push_back(answer.ok() ? "answer " + std::to_string(*answer)
                                 : std::string(absl::StatusCodeToString(answer.status().code())));
    });
  }

 private:
  ActorRef<Connection> who_;
  Log& log_;
};

class PostponeTest : public Simulated {
 protected:
  Log TakeLog() { return std::exchange(log_, {}); }
  void AskFromAnActor(ActorRef<Connection> who) {
    system_.Spawn<Asker>(who, log_).Send(Go{});
    Run();
  }

  Log& log_ = Keep<Log>();
};

TEST_F(PostponeTest, WhatIsPostponedIsHandledInOrderBeforeWhatCameLater) {
  auto connection = system_.Spawn<Connection>(log_);
  connection.Send(Write{1});
  connection.Send(Note{"a"});
  connection.Send(Write{2});
  connection.Send(Connected{});
  connection.Send(Write{3});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"a", "1", "2", "3"}));
}

TEST_F(PostponeTest, WhatStaysPostponedKeepsItsPlaceThroughSeveralMoves) {
  auto connection = system_.Spawn<Connection>(log_);
  for (int number = 1; number <= 3; ++number) connection.Send(Write{number});
  connection.Send(Connected{});
  connection.Send(Lost{});  // behind the writes
  connection.Send(Write{4});
  connection.Send(Write{5});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"1", "2", "3"}));
  connection.Send(Connected{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"4", "5"}));
}

TEST_F(PostponeTest, AStateGetsOnlyWhatItHandlesAndTheOthersWaitOn) {
  auto connection = system_.Spawn<Connection>(log_);
  connection.Send(Connected{});
  connection.Send(Pause{});
  AskFromAnActor(connection);
  connection.Send(Write{1});
  connection.Send(Lost{});
  connection.Send(Write{2});
  Run();
  EXPECT_EQ(TakeLog(), Log{"kept 1"});
  connection.Send(Connected{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"2", "answer 42"}));
}

TEST_F(PostponeTest, AnAskKeepsItsReplyAndItsDeadline) {
  auto connection = system_.Spawn<Connection>(log_);
  AskFromAnActor(connection);
  Advance(absl::Milliseconds(999));
  connection.Send(Connected{});
  Run();
  EXPECT_EQ(TakeLog(), Log{"answer 42"});

  connection.Send(Lost{});
  AskFromAnActor(connection);
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(), Log{"DEADLINE_EXCEEDED"});
  connection.Send(Connected{});
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

TEST_F(PostponeTest, BeyondTheCapacityTheNewestIsADeadLetterAndWhoAskedIsTold) {
  auto connection = system_.Spawn<Connection>(log_, 2u);
  for (int number = 1; number <= 3; ++number) connection.Send(Write{number});
  AskFromAnActor(connection);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 2u);
  EXPECT_EQ(TakeLog(), Log{"RESOURCE_EXHAUSTED"});
  connection.Send(Connected{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"1", "2"}));
}

TEST_F(PostponeTest, WhatIsPostponedTakesNoRoomInABoundedMailbox) {
  auto connection = system_.Spawn<Connection>({.capacity = 1, .when_full = WhenFull::kFail}, log_);
  for (int number = 1; number <= 3; ++number) {
    EXPECT_EQ(connection.Send(Write{number}), SendResult::kQueued);
    Run();
  }
  connection.Send(Connected{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"1", "2", "3"}));
}

TEST_F(PostponeTest, WhatWaitsWhenTheActorStopsAreDeadLettersInOrderAndWhoAskedIsTold) {
  auto connection = system_.Spawn<Connection>(log_);
  connection.Send(Write{1});
  AskFromAnActor(connection);
  connection.Stop();
  connection.Send(Write{2});
  Run();
  EXPECT_EQ(TakeLog(), Log{"UNAVAILABLE"});
  ASSERT_EQ(letters_.size(), 3u);
  EXPECT_NE(letters_[1].message_type.find("Query"), std::string_view::npos);
  for (const DeadLetter& letter : letters_) EXPECT_EQ(letter.reason, DeadLetterReason::kStopped);
}

// A turn is of 128 messages, so the turns say how many were looked at.
class PostponeCostTest : public PostponeTest {
 protected:
  static constexpr int kMessages = 896, kTurns = 7;

  template <class M>
  int TurnsAfter(M message) {
    connection_.Send(std::move(message));
    return loop_.RunUntilIdle();
  }
  void SetUp() override {
    connection_.Send(Connected{});
    connection_.Send(Pause{});
    for (int i = 0; i < kMessages; ++i) connection_.Send(Query{});
    Run();
  }

  ActorRef<Connection> connection_ = system_.Spawn<Connection>(log_);
};

TEST_F(PostponeCostTest, AMessageIsLookedAtOncePerMove) {
  EXPECT_EQ(TurnsAfter(Lost{}), kTurns + 1);
  EXPECT_EQ(TurnsAfter(Connected{}), kTurns + 1);  // and answered
  EXPECT_EQ(system_.actors().at(0).queued, 0u);
}

TEST_F(PostponeCostTest, ComingBackToTheSameStateTriesNothingAgain) {
  EXPECT_EQ(TurnsAfter(Pause{}), 1);
  EXPECT_EQ(system_.actors().at(0).queued, kMessages);
}

TEST_F(PostponeCostTest, AnotherMessageTriesNothingAgain) { EXPECT_EQ(TurnsAfter(Note{"a"}), 1); }

}  // namespace
}  // namespace troupe
