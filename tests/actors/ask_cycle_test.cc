// Actors whose handlers await each other: who closes the cycle is told at once; and nobody is told so
// of what is no cycle.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace ask_cycle_test {

using Notes = std::vector<std::string>;

struct Get {
  using Reply = int;
};
struct Meet {
  Recipient<Get> whom;
};
// Begins to ask.
struct Go {};

// Asks whom it has met, and answers with that.
class Teller {
 public:
  explicit Teller(Notes& notes) : notes_(notes) {}
  void On(Meet m) { whom_ = m.whom; }
  Task<absl::StatusOr<int>> On(Get) { return Ask(); }
  Task<> On(Go) {
    absl::StatusOr<int> got = co_await Ask();
    notes_.push_back(got.ok() ? "got " + std::to_string(*got) : got.status().ToString());
  }

 private:
  Task<absl::StatusOr<int>> Ask() { co_return co_await whom_.Ask(Get{}); }

  Recipient<Get> whom_;
  Notes& notes_;
};
struct Bank : Teller {
  using Teller::Teller;
};

class AskCycleTest : public Simulated {
 protected:
  static std::string Cycle(const std::string& text) {
    std::string spelled = "FAILED_PRECONDITION: ask cycle: ";
    const std::string kPrefix = "troupe::ask_cycle_test::";
    for (const char c : text) c == '@' ? spelled += kPrefix : spelled += c;
    return spelled;
  }

  Notes& notes_ = Keep<Notes>();
};

TEST_F(AskCycleTest, TwoThatAwaitEachOtherAreToldAtOnceWithTheirNames) {
  auto teller = system_.Spawn<Teller>(notes_);
  auto bank = system_.Spawn<Bank>({.name = "main"}, notes_);
  teller.Send(Meet{bank});
  bank.Send(Meet{teller});
  teller.Send(Go{});
  Run();
  // The bank, which answered the teller, closed it, and passed on what it was told.
  EXPECT_EQ(notes_, (Notes{Cycle("@Bank \"main\" -> @Teller -> @Bank \"main\"")}));
}

TEST_F(AskCycleTest, ThreeInACircleAreSpelledOutFromTheOneThatClosedIt) {
  auto a = system_.Spawn<Teller>({.name = "a"}, notes_);
  auto b = system_.Spawn<Teller>({.name = "b"}, notes_);
  auto c = system_.Spawn<Teller>({.name = "c"}, notes_);
  a.Send(Meet{b});
  b.Send(Meet{c});
  c.Send(Meet{a});
  a.Send(Go{});
  Run();
  EXPECT_EQ(notes_,
            (Notes{Cycle("@Teller \"c\" -> @Teller \"a\" -> @Teller \"b\" -> @Teller \"c\"")}));
}

TEST_F(AskCycleTest, OneThatAwaitsItselfIsToldAtOnce) {
  auto teller = system_.Spawn<Teller>(notes_);
  teller.Send(Meet{teller});
  teller.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{Cycle("@Teller -> @Teller")}));
}

TEST_F(AskCycleTest, AsksThatCrossAreACycleToo) {
  auto teller = system_.Spawn<Teller>(notes_);
  auto bank = system_.Spawn<Bank>(notes_);
  teller.Send(Meet{bank});
  bank.Send(Meet{teller});
  teller.Send(Go{});
  bank.Send(Go{});  // before it sees the teller's question
  Run();
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[0], Cycle("@Bank -> @Teller -> @Bank"));
  // The bank went on, and its next handler answers the teller: by asking it again.
  EXPECT_EQ(notes_[1], Cycle("@Bank -> @Teller -> @Bank"));
}

TEST_F(AskCycleTest, TheActorsOfACycleWorkOn) {
  auto teller = system_.Spawn<Teller>(notes_);
  auto bank = system_.Spawn<Bank>(notes_);
  auto seven = system_.Spawn([](Get) { return 7; });
  teller.Send(Meet{bank});
  bank.Send(Meet{teller});
  teller.Send(Go{});
  Run();
  bank.Send(Meet{seven});
  teller.Send(Go{});
  Run();
  EXPECT_EQ(notes_.back(), "got 7");
}

// The request that closed it lies in the mailbox of the other one, and is nobody's when its turn
// comes.
TEST_F(AskCycleTest, TheRefusedRequestIsADeadLetter) {
  auto teller = system_.Spawn<Teller>(notes_);
  teller.Send(Meet{teller});
  teller.Send(Go{});
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
  EXPECT_EQ(system_.stats().dead_letters_total(), 1u);
}

TEST_F(AskCycleTest, ProcessesThatAwaitEachOtherAreToldToo) {
  using Asker = Process<Go, Get, Meet>;
  const auto body = [](Asker& self, Notes* notes) -> Task<> {
    auto [meet, from] = co_await self.Receive<Meet>();
    (void)co_await self.Receive<Go>();
    absl::StatusOr<int> got = co_await meet.whom.Ask(Get{});
    notes->push_back(got.ok() ? "got" : std::string(got.status().message().substr(0, 9)));
  };
  auto a = system_.Spawn(body, &notes_);
  auto b = system_.Spawn(body, &notes_);
  a.Send(Meet{b});
  b.Send(Meet{a});
  a.Send(Go{});
  b.Send(Go{});
  Run();
  ASSERT_EQ(notes_.size(), 2u);  // when the one that was told has ended, the other one is told that
  EXPECT_EQ(notes_[0], "ask cycle");
}

TEST_F(AskCycleTest, ACycleOfSixtyFourIsFoundAndALongerOneEndsWithItsDeadline) {
  for (int length : {64, 65}) {
    std::vector<ActorRef<Teller>> ring;
    for (int i = 0; i < length; ++i) ring.push_back(system_.Spawn<Teller>(notes_));
    for (int i = 0; i < length; ++i) ring[i].Send(Meet{ring[(i + 1) % length]});
    notes_.clear();
    ring[0].Send(Go{});
    Run();
    EXPECT_EQ(notes_.size(), length == 64 ? 1u : 0u);
    Advance(kDefaultAskTimeout);
    EXPECT_EQ(notes_.size(), 1u);
  }
}

// ---- what is no cycle

// Passes the question on, and whoever gets it answers.
struct PassOn {
  Reply<int> reply;
};
class Clerk {
 public:
  void On(PassOn m) { m.reply.Send(7); }
};

TEST_F(AskCycleTest, AQuestionThatIsPassedOnToAThirdIsNoCycle) {
  // Gives the duty to answer to a clerk, and then waits for the one who asked.
  struct Porter {
    ActorRef<Clerk> clerk;
    Notes& notes;
    Recipient<Get> whom{};
    void On(Meet m) { whom = m.whom; }
    Task<> On(Get, Reply<int> reply) {
      clerk.Send(PassOn{std::move(reply)});
      absl::StatusOr<int> got = co_await whom.Ask(Get{});
      notes.push_back("porter: " + (got.ok() ? std::to_string(*got) : got.status().ToString()));
    }
  };
  auto clerk = system_.Spawn<Clerk>();
  auto teller = system_.Spawn<Teller>(notes_);
  auto porter = system_.Spawn<Porter>(Porter{clerk, notes_});
  auto seven = system_.Spawn([](Get) { return 7; });
  teller.Send(Meet{porter});
  porter.Send(Meet{teller});
  teller.Send(Go{});
  teller.Send(Meet{seven});  // so that its answer to the porter is a 7
  Run();
  EXPECT_EQ(notes_, (Notes{"got 7", "porter: 7"}));
}

TEST_F(AskCycleTest, AReentrantHandlerClosesNoCycle) {
  struct Desk {
    Notes& notes;
    Recipient<Get> whom{};
    int asked = 0;
    void On(Meet m) { whom = m.whom; }
    ReentrantTask<absl::StatusOr<int>> On(Get) {
      if (++asked == 2) co_return 2;
      co_return co_await whom.Ask(Get{});
    }
  };
  auto teller = system_.Spawn<Teller>(notes_);
  auto desk = system_.Spawn<Desk>(Desk{notes_});
  desk.Send(Meet{desk});  // asks itself, which it can
  teller.Send(Meet{desk});
  teller.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"got 2"}));
}

// Its suspended reentrant handler will answer the teller, whatever its other handler waits for.
TEST_F(AskCycleTest, WhatAReentrantHandlerHasTakenWaitsForNobodyElse) {
  struct Desk {
    Notes& notes;
    Recipient<Get> whom;
    ReentrantTask<int> On(Get) {
      co_await Sleep(absl::Milliseconds(10));
      co_return 7;
    }
    Task<> On(Go) {
      absl::StatusOr<int> got = co_await whom.Ask(Get{});
      notes.push_back("desk: " + (got.ok() ? std::to_string(*got) : got.status().ToString()));
    }
  };
  auto teller = system_.Spawn<Teller>(notes_);
  auto desk = system_.Spawn<Desk>(Desk{notes_, teller});
  auto eight = system_.Spawn([](Get) { return 8; });
  teller.Send(Meet{desk});
  teller.Send(Go{});
  teller.Send(Meet{eight});
  Run();
  desk.Send(Go{});
  Run();
  EXPECT_TRUE(notes_.empty());
  Advance(absl::Milliseconds(10));
  EXPECT_EQ(notes_, (Notes{"got 7", "desk: 8"}));
}

TEST_F(AskCycleTest, AProcessThatHasReceivedTheQuestionMayAskBack) {
  using Desk = Process<Get, Meet>;
  const auto body = [](Desk& self, ActorRef<Clerk> clerk, Notes* notes) -> Task<> {
    auto [meet, by] = co_await self.Receive<Meet>();
    auto [get, from, reply] = co_await self.Receive<Get>();
    clerk.Send(PassOn{std::move(reply)});
    absl::StatusOr<int> got = co_await meet.whom.Ask(Get{});
    notes->push_back("process: " + (got.ok() ? std::to_string(*got) : got.status().ToString()));
  };
  auto teller = system_.Spawn<Teller>(notes_);
  auto desk = system_.Spawn(body, system_.Spawn<Clerk>(), &notes_);
  auto eight = system_.Spawn([](Get) { return 8; });
  teller.Send(Meet{desk});
  desk.Send(Meet{teller});
  teller.Send(Go{});
  teller.Send(Meet{eight});
  Run();
  EXPECT_EQ(notes_, (Notes{"got 7", "process: 8"}));
}

// Answers when the test says so.
struct Slow {
  std::vector<Reply<int>>& asked;
  void On(Get, Reply<int> reply) { asked.push_back(std::move(reply)); }
};

TEST_F(AskCycleTest, AnAskWhoseDeadlineHasPassedIsNoEdge) {
  struct Hasty {
    Recipient<Get> whom;
    Recipient<Get> then;
    Notes& notes;
    Task<> On(Go) {
      (void)co_await whom.Ask(Get{}, absl::Milliseconds(1));
      (void)co_await then.Ask(Get{});
    }
    int On(Get) { return 3; }
  };
  auto& asked = Keep<std::vector<Reply<int>>>();
  auto slow = system_.Spawn<Slow>(Slow{asked});
  auto teller = system_.Spawn<Teller>(notes_);
  auto hasty = system_.Spawn<Hasty>(Hasty{teller, slow, notes_});
  teller.Send(Meet{slow});
  teller.Send(Go{});
  Run();  // the teller waits for the slow one
  hasty.Send(Go{});
  Advance(absl::Milliseconds(1));  // and the hasty one for the teller no more, but for the slow one
  teller.Send(Meet{hasty});
  teller.Send(Go{});
  asked.at(0).Send(1);
  Run();
  asked.at(1).Send(1);
  Run();
  EXPECT_EQ(notes_, (Notes{"got 1", "got 3"}));
}

TEST_F(AskCycleTest, WhoHasEndedIsInNoCycle) {
  auto& asked = Keep<std::vector<Reply<int>>>();
  auto slow = system_.Spawn<Slow>(Slow{asked});
  auto teller = system_.Spawn<Teller>(notes_);
  teller.Send(Meet{slow});
  teller.Send(Go{});
  Run();
  auto bank = system_.Spawn<Bank>(notes_);
  bank.Send(Meet{teller});
  bank.Send(Go{});
  Run();  // the bank waits for the teller
  bank.Stop();
  Run();
  teller.Send(Meet{bank});
  teller.Send(Go{});
  asked.at(0).Send(1);
  Run();
  asked.at(1).Send(1);  // for the bank
  Run();
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[0], "got 1");
  EXPECT_EQ(notes_[1].rfind("UNAVAILABLE", 0), 0u) << notes_[1];
}

TEST_F(AskCycleTest, WhoHasTheCellOfOneThatHasEndedIsNotTakenForHim) {
  std::vector<ActorRef<Teller>> ended;
  for (int i = 0; i < 64; ++i) ended.push_back(system_.Spawn<Teller>(notes_));
  for (auto& teller : ended) teller.Stop();
  Run();
  // Among these are some that got the cell of whom they ask.
  for (auto& teller : ended) {
    auto heir = system_.Spawn<Teller>(notes_);
    heir.Send(Meet{teller});
    heir.Send(Go{});
    Run();
  }
  for (const std::string& note : notes_) EXPECT_EQ(note.rfind("UNAVAILABLE", 0), 0u) << note;
  EXPECT_EQ(notes_.size(), 64u);
}

TEST_F(AskCycleTest, AFullMailboxIsWhatItIs) {
  auto teller = system_.Spawn<Teller>(notes_);
  auto bank = system_.Spawn<Bank>({.capacity = 1, .when_full = WhenFull::kFail}, notes_);
  bank.Send(Meet{teller});
  Run();
  teller.Send(Meet{bank});
  bank.Send(Go{});
  Run();  // the bank waits for itself, by way of the teller
  EXPECT_EQ(notes_.size(), 1u);
  EXPECT_EQ(notes_[0].rfind("FAILED_PRECONDITION", 0), 0u) << notes_[0];
}

TEST_F(AskCycleTest, ThenMayGoInCircles) {
  struct Talker {
    Notes& notes;
    Recipient<Get> whom{};
    void On(Meet m) { whom = m.whom; }
    void On(Go, Context& self) {
      whom.Ask(Get{}).Then(self, [this](absl::StatusOr<int> got) {
        notes.push_back("got " + std::to_string(got.value_or(-1)));
      });
    }
    int On(Get) { return 4; }
  };
  auto a = system_.Spawn<Talker>(Talker{notes_});
  auto b = system_.Spawn<Talker>(Talker{notes_, a});
  a.Send(Meet{b});
  a.Send(Go{});
  b.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"got 4", "got 4"}));
}

TEST_F(AskCycleTest, ACycleThroughAWeakenedRightEndsWithItsDeadline) {
  auto a = system_.Spawn<Teller>(notes_);
  auto b = system_.Spawn<Teller>(notes_);
  a.Send(Meet{b});
  b.Send(Meet{Recipient<Get>(a).Attenuate()});
  a.Send(Go{});
  Run();
  EXPECT_TRUE(notes_.empty());
  Advance(kDefaultAskTimeout);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(notes_[0].rfind("DEADLINE_EXCEEDED", 0), 0u) << notes_[0];
}

TEST_F(AskCycleTest, SeveralAsksAtOnceEndWithTheirDeadline) {
  struct Both {
    Notes& notes;
    Recipient<Get> whom{};
    void On(Meet m) { whom = m.whom; }
    Task<int> On(Get) {
      auto [a, b] =
          co_await AllOf(whom.Ask(Get{}, absl::Seconds(1)), whom.Ask(Get{}, absl::Seconds(1)));
      notes.push_back(a.status().ToString());
      co_return 1;
    }
  };
  auto both = system_.Spawn<Both>(Both{notes_});
  both.Send(Meet{both});
  auto teller = system_.Spawn<Teller>(notes_);
  teller.Send(Meet{both});
  teller.Send(Go{});
  Run();
  EXPECT_TRUE(notes_.empty());
  Advance(absl::Seconds(1));
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[0].rfind("DEADLINE_EXCEEDED", 0), 0u) << notes_[0];
}

// Or else two handlers that have no time left could ask each other on and on, at the same instant.
TEST_F(AskCycleTest, AnAskWithoutTimeLeftIsNobodysFromTheStart) {
  struct Late {
    Recipient<Get> whom;
    Notes& notes;
    Task<int> On(Get) {
      co_await Sleep(absl::Seconds(2));
      notes.push_back((co_await whom.Ask(Get{})).status().ToString());
      co_return 1;
    }
  };
  auto& asked = Keep<std::vector<Reply<int>>>();
  auto slow = system_.Spawn<Slow>(Slow{asked});
  auto late = system_.Spawn<Late>(Late{slow, notes_});
  system_
      .Spawn([late](Go, Context& self) {
        late.Ask(Get{}, absl::Seconds(1)).Then(self, [](absl::StatusOr<int>) {});
      })
      .Send(Go{});
  Advance(absl::Seconds(2));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(notes_[0].rfind("DEADLINE_EXCEEDED", 0), 0u) << notes_[0];
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

TEST(AskCycleOptionsTest, WhereItIsSwitchedOffTheDeadlineEndsIt) {
  Notes notes;
  ManualScheduler loop;
  System system({.scheduler = &loop, .find_ask_cycles = false});
  auto teller = system.Spawn<Teller>(notes);
  teller.Send(Meet{teller});
  teller.Send(Go{});
  loop.RunUntilIdle();
  EXPECT_TRUE(notes.empty());
  loop.Advance(kDefaultAskTimeout);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].rfind("DEADLINE_EXCEEDED", 0), 0u) << notes[0];
}

}  // namespace ask_cycle_test
}  // namespace troupe
