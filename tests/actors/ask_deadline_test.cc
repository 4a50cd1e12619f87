#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/gate.h"
#include "tests/actors/simulated.h"
#include "troupe/core/node_pool.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using AskDeadlineTest = Simulated;

TEST_F(AskDeadlineTest, AnAskWithoutAnswerEndsAtItsDeadline) {
  auto gate = system_.Spawn<Gate>();
  Answers& answers = Keep<Answers>();
  auto asker =
      system_.Spawn<Asker<ActorRef<Gate>>>(gate, Double{1}, answers, absl::Milliseconds(300));
  asker.Send(Go{});
  Advance(absl::Milliseconds(299));
  EXPECT_TRUE(answers.empty());
  Advance(absl::Milliseconds(1));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(answers[0].status()));
  gate.Send(Go{});  // answers after all
  Run();
  EXPECT_EQ(answers.size(), 1u) << "the late answer is discarded";
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(AskDeadlineTest, TheDefaultDeadlineIsFiveSeconds) {
  auto gate = system_.Spawn<Gate>();
  Answers& answers = Keep<Answers>();
  system_.Spawn<Asker<ActorRef<Gate>>>(gate, Double{1}, answers).Send(Go{});
  Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_TRUE(answers.empty());
  Advance(absl::Nanoseconds(1));
  EXPECT_EQ(answers.size(), 1u);
}

TEST_F(AskDeadlineTest, AnInfiniteTimeoutNeverEnds) {
  auto gate = system_.Spawn<Gate>();
  Answers& answers = Keep<Answers>();
  system_.Spawn<Asker<ActorRef<Gate>>>(gate, Double{1}, answers, absl::InfiniteDuration())
      .Send(Go{});
  Advance(absl::Hours(24 * 365 * 10));
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  gate.Send(Go{});
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].value_or(-1), 2);
}

TEST_F(AskDeadlineTest, AnAnsweredAskLeavesNoTimerBehind) {
  auto doubler = system_.Spawn([](Double m) { return m.n; });
  Answers& answers = Keep<Answers>();
  system_.Spawn<Asker<decltype(doubler)>>(doubler, Double{1}, answers).Send(Go{});
  Run();
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(AskDeadlineTest, AWaitThatNobodyAnswersEndsWithDeadlineExceeded) {
  auto gate = system_.Spawn<Gate>();
  EXPECT_TRUE(absl::IsDeadlineExceeded(gate.Ask(Double{1}, absl::Seconds(1)).Wait().status()));
}

TEST_F(AskDeadlineTest, AWaitingThreadDoesNotLetTimeRunBeyondItsDeadline) {
  auto gate = system_.Spawn<Gate>();
  system_.SendAfter(absl::Hours(1), gate, Go{});
  EXPECT_TRUE(absl::IsDeadlineExceeded(gate.Ask(Double{1}, absl::Seconds(1)).Wait().status()));
  EXPECT_LE(loop_.Now(), absl::UnixEpoch() + absl::Seconds(1));
}

TEST_F(AskDeadlineTest, AWaitingThreadLetsTimeJumpToTheTimerThatAnswers) {
  auto gate = system_.Spawn<Gate>();
  system_.SendAfter(absl::Seconds(2), gate, Go{});
  EXPECT_EQ(gate.Ask(Double{4}).Wait().value_or(-1), 8);
  EXPECT_EQ(loop_.Now(), absl::UnixEpoch() + absl::Seconds(2));
}

TEST_F(AskDeadlineTest, AsksThatExpireAreAnsweredOrAreAbandonedFreeTheirMemory) {
  FlushThreadNodes();
  TrimNodePool();
  const int64_t before = OutstandingNodeBlocks();
  {
    ManualScheduler loop;
    System system({.scheduler = &loop});
    auto gate = system.Spawn<Gate>();
    auto asker = system.Spawn([gate](Go, Context& self) {
      for (int i = 0; i < 100; ++i) {
        gate.Ask(Double{i}, absl::Milliseconds(i + 1)).Then(self, [](absl::StatusOr<int>) {});
      }
    });
    asker.Send(Go{});
    loop.Advance(absl::Milliseconds(50));  // half have expired
    gate.Send(Go{});
    loop.RunUntilIdle();
    asker.Send(Go{});
    loop.RunUntilIdle();
  }
  FlushThreadNodes();
  TrimNodePool();
  EXPECT_EQ(OutstandingNodeBlocks(), before);
}

// ---- asks made to answer an ask

class InheritedDeadlineTest : public Simulated {
 protected:
  // How long the ask that `ask_on` makes lasts: it is to answer one that has a second, and the gate
  // that it asks answers nothing.
  template <class F>
  absl::Duration LastsWhen(F ask_on) {
    auto& ended = Keep<absl::Time>();
    auto note = [this, &ended](absl::StatusOr<int> answer) {
      EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
      ended = loop_.Now();
    };
    auto middle = system_.Spawn([ask_on, note](Double, Reply<int> reply, Context& self) {
      ask_on(std::move(reply), self, note);
    });
    const absl::Time begun = loop_.Now();
    system_.Spawn<Asker<decltype(middle)>>(middle, Double{1}, Keep<Answers>(), absl::Seconds(1))
        .Send(Go{});
    Advance(absl::Minutes(1));
    return ended - begun;
  }
  ActorRef<Gate> SpawnEnded() {
    auto ended = system_.Spawn<Gate>();
    ended.Stop();
    Run();
    return ended;
  }

  ActorRef<Gate> gate_ = system_.Spawn<Gate>();
};

TEST_F(InheritedDeadlineTest, AHandlersAskEndsWithTheDeadlineOfTheOneItAnswers) {
  EXPECT_EQ(LastsWhen([this](Reply<int>, Context& self, auto note) {
              gate_.Ask(Double{1}, absl::Hours(1)).Then(self, note);
            }),
            absl::Seconds(1));
  EXPECT_EQ(LastsWhen([this](Reply<int>, Context& self, auto note) {
              gate_.Ask(Double{1}, absl::InfiniteDuration()).Then(self, note);
            }),
            absl::Seconds(1));
  EXPECT_EQ(LastsWhen([this](Reply<int>, Context& self, auto note) {
              gate_.Ask(Double{1}, absl::Milliseconds(200)).Then(self, note);
            }),
            absl::Milliseconds(200));
}

TEST_F(InheritedDeadlineTest, SoDoesOneThatAsksSeveral) {
  EXPECT_EQ(LastsWhen([this](Reply<int>, Context& self, auto note) {
              Group<Double> group;
              group.Add(gate_);
              group.AskFirst(Double{1}, absl::Hours(1)).Then(self, note);
            }),
            absl::Seconds(1));
}

TEST_F(InheritedDeadlineTest, AContinuationsAskInheritsNoneAndMayBeGivenIt) {
  const ActorRef<Gate> ended = SpawnEnded();  // continues at once
  EXPECT_EQ(LastsWhen([this, ended](Reply<int> reply, Context& self, auto note) {
              ended.Ask(Double{1}).Then(
                  self, [this, note, r = std::move(reply)](absl::StatusOr<int>, Context& later) {
                    gate_.Ask(Double{1}).Then(later, note);
                  });
            }),
            kDefaultAskTimeout);
  EXPECT_EQ(LastsWhen([this, ended](Reply<int> reply, Context& self, auto note) {
              ended.Ask(Double{1}).Then(
                  self, [this, note, r = std::move(reply)](absl::StatusOr<int>, Context& later) {
                    gate_.Ask(Double{1}, std::min(kDefaultAskTimeout, r.deadline() - later.Now()))
                        .Then(later, note);
                  });
            }),
            absl::Seconds(1));
}

// ---- several deadlines of one asker: pending_replies.h, A3

struct AskFor {
  int n;
  absl::Duration timeout;
};

// Asks a gate as it is told, and notes whose deadline has passed.
class Impatient {
 public:
  Impatient(ActorRef<Gate> gate, std::vector<int>& expired) : gate_(gate), expired_(expired) {}
  void On(AskFor m, Context& self) {
    gate_.Ask(Double{m.n}, m.timeout).Then(self, [this, n = m.n](absl::StatusOr<int> answer) {
      if (absl::IsDeadlineExceeded(answer.status())) expired_.push_back(n);
    });
  }

 private:
  ActorRef<Gate> gate_;
  std::vector<int>& expired_;
};

class DeadlinesTest : public Simulated {
 protected:
  void Ask(int n, absl::Duration timeout) {
    impatient_.Send(AskFor{n, timeout});
    Run();
  }
  absl::Duration NextDeadline() const { return loop_.next_deadline() - start_; }

  const absl::Time start_ = loop_.Now();
  std::vector<int>& expired_ = Keep<std::vector<int>>();
  ActorRef<Gate> gate_ = system_.Spawn<Gate>();
  ActorRef<Impatient> impatient_ = system_.Spawn<Impatient>(gate_, expired_);
};

TEST_F(DeadlinesTest, AsksExpireEachInItsTurnWhateverTheOrderInWhichTheyWereMade) {
  Ask(3, absl::Seconds(3));
  Ask(1, absl::Seconds(1));
  Ask(4, absl::Seconds(4));
  Ask(2, absl::Seconds(2));
  for (int n = 1; n <= 4; ++n) {
    EXPECT_EQ(NextDeadline(), absl::Seconds(n));
    Advance(absl::Seconds(1) - absl::Nanoseconds(1));
    EXPECT_EQ(expired_.size(), static_cast<size_t>(n - 1)) << "not before its time";
    Advance(absl::Nanoseconds(1));
    ASSERT_EQ(expired_.size(), static_cast<size_t>(n));
    EXPECT_EQ(expired_.back(), n);
  }
  EXPECT_EQ(NextDeadline(), absl::InfiniteDuration());
}

TEST_F(DeadlinesTest, AsksOfOneDeadlineExpireTogether) {
  for (int n = 0; n < 3; ++n) Ask(n, absl::Seconds(1));
  Advance(absl::Seconds(1));
  EXPECT_EQ(expired_.size(), 3u);
  EXPECT_EQ(NextDeadline(), absl::InfiniteDuration());
}

TEST_F(DeadlinesTest, AnAskThatEndsBeforeThosePendingIsNotLate) {
  Ask(1, absl::Seconds(10));
  EXPECT_EQ(NextDeadline(), absl::Seconds(10));
  Ask(2, absl::Seconds(1));
  EXPECT_EQ(NextDeadline(), absl::Seconds(1));
  Advance(absl::Seconds(1));
  EXPECT_EQ(expired_, std::vector<int>{2});
  EXPECT_EQ(NextDeadline(), absl::Seconds(10));
  Advance(absl::Seconds(9));
  EXPECT_EQ(expired_, (std::vector<int>{2, 1}));
}

TEST_F(DeadlinesTest, TheAlarmOfAnAnsweredAskServesTheNextOne) {
  Ask(1, absl::Seconds(1));
  gate_.Send(Go{});  // answers the first; the second comes to it afterwards
  Ask(2, absl::Seconds(2));
  EXPECT_EQ(NextDeadline(), absl::Seconds(1)) << "no timer was touched";
  Advance(absl::Seconds(1));
  EXPECT_TRUE(expired_.empty());
  EXPECT_EQ(NextDeadline(), absl::Seconds(2)) << "armed anew when it came for nothing";
  Advance(absl::Seconds(1));
  EXPECT_EQ(expired_, std::vector<int>{2});
  EXPECT_EQ(NextDeadline(), absl::InfiniteDuration());
}

TEST_F(DeadlinesTest, WhenAllAreAnsweredTheAlarmIsCancelledAndSetAgainForTheNextAsk) {
  for (int round = 0; round < 3; ++round) {
    for (int n = 1; n <= 3; ++n) Ask(n, absl::Seconds(n));
    EXPECT_NE(NextDeadline(), absl::InfiniteDuration());
    gate_.Send(Go{});
    Run();
    EXPECT_EQ(NextDeadline(), absl::InfiniteDuration());
    Advance(absl::Seconds(5));
  }
  EXPECT_TRUE(expired_.empty());
}

TEST_F(DeadlinesTest, AnAskWithoutDeadlineLeavesThoseOfTheOthersAlone) {
  Ask(1, absl::InfiniteDuration());
  EXPECT_EQ(NextDeadline(), absl::InfiniteDuration());
  Ask(2, absl::Seconds(2));
  Ask(3, absl::InfiniteDuration());
  EXPECT_EQ(NextDeadline(), absl::Seconds(2));
  Advance(absl::Hours(1));
  EXPECT_EQ(expired_, std::vector<int>{2});
  EXPECT_EQ(NextDeadline(), absl::InfiniteDuration());
}

TEST_F(DeadlinesTest, AnAlarmThatFindsItsAskerEndingIsHarmless) {
  int called = 0;
  auto asker = system_.Spawn([this, &called](Go, Context& self) {
    gate_.Ask(Double{1}, absl::Seconds(1)).Then(self, [&called](absl::StatusOr<int>) { ++called; });
    loop_.Advance(absl::Seconds(2));  // it goes off while this handler runs
    self.Stop();
  });
  asker.Send(Go{});
  Run();
  EXPECT_EQ(called, 0);
  EXPECT_EQ(system_.stats().live, 2u);
  EXPECT_EQ(NextDeadline(), absl::InfiniteDuration());
}

}  // namespace
}  // namespace troupe
