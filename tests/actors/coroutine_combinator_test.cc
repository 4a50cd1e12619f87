// AllOf, FirstOf, AskFirst and Offload, awaited.
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "oneapi/tbb/blocked_range.h"
#include "oneapi/tbb/parallel_reduce.h"
#include "oneapi/tbb/task_arena.h"
#include "tests/actors/awaiting.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using CoroutineCombinatorTest = Awaiting;

// ---- several at once

struct Name {
  using Reply = std::string;
};

TEST_F(CoroutineCombinatorTest, AllOfSendsAllAsksAndWaitsForTheLastAnswer) {
  struct Actor {
    Recipient<Get> from;
    Recipient<Name> name;
    Notes& notes;
    Task<> On(Go) {
      auto [a, n, b] = co_await AllOf(from.Ask(Get{}), name.Ask(Name{}), from.Ask(Get{}));
      notes.push_back(*n + std::to_string(*a) + std::to_string(*b));
    }
  };
  auto name = system_.Spawn([](Name) { return std::string("x"); });
  system_.Spawn<Actor>(Actor{slow_, name, notes_}).Send(Go{});
  Run();
  ASSERT_EQ(asked_.size(), 2u);
  Answer(2, 1);
  EXPECT_EQ(notes_, Notes{});
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"x12"}));
}

struct Many {
  std::vector<Recipient<Get>> from;
  Notes& notes;
  std::vector<PendingAsk<int>> Asks() {
    std::vector<PendingAsk<int>> asks;
    for (auto& who : from) asks.push_back(who.Ask(Get{}));
    return asks;
  }
  Task<> On(Go) {
    for (const absl::StatusOr<int>& got : co_await AllOf(Asks())) {
      notes.push_back(got.ok() ? std::to_string(*got) : "error");
    }
    notes.push_back("all");
  }
  Task<absl::StatusOr<int>> On(Sum) { co_return co_await FirstOf(Asks()); }
};

TEST_F(CoroutineCombinatorTest, AllOfManyKeepsTheOrderOfTheAsks) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  system_.Spawn<Many>(Many{{slow_, ended, slow_}, notes_}).Send(Go{});
  Run();
  Answer(3, 1);
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"1", "error", "3", "all"}));
}

TEST_F(CoroutineCombinatorTest, AllOfNoneIsThereAtOnce) {
  system_.Spawn<Many>(Many{{}, notes_}).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"all"}));
}

TEST_F(CoroutineCombinatorTest, FirstOfIsTheFirstGoodAnswer) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  auto many = system_.Spawn<Many>(Many{{slow_, ended, slow_}, notes_});
  auto& result = Keep<std::optional<absl::StatusOr<int>>>();
  struct Asker {
    ActorRef<Many> whom;
    std::optional<absl::StatusOr<int>>& result;
    Task<> On(Go) { result = co_await whom.Ask(Sum{}); }
  };
  system_.Spawn<Asker>(Asker{many, result}).Send(Go{});
  Run();
  EXPECT_FALSE(result.has_value()) << "an error does not win";
  Answer(2, 1);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->value_or(-1), 2);
  Answer(1, 0);  // too late, and harmless
  EXPECT_EQ(result->value_or(-1), 2);
}

TEST_F(CoroutineCombinatorTest, FirstOfTakesSingleAsksToo) {
  struct Actor {
    Recipient<Get> a;
    Recipient<Get> b;
    Notes& notes;
    Task<> On(Go) {
      notes.push_back(std::to_string((co_await FirstOf(a.Ask(Get{}), b.Ask(Get{}))).value_or(-1)));
    }
  };
  system_.Spawn<Actor>(Actor{slow_, slow_, notes_}).Send(Go{});
  Run();
  Answer(2, 1);
  EXPECT_EQ(notes_, (Notes{"2"}));
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CoroutineCombinatorTest, FirstOfFailsWhenAllFail) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  auto many = system_.Spawn<Many>(Many{{ended, ended}, notes_});
  EXPECT_EQ(many.Ask(Sum{}).Wait().status().code(), absl::StatusCode::kUnavailable);
  auto none = system_.Spawn<Many>(Many{{}, notes_});
  EXPECT_EQ(none.Ask(Sum{}).Wait().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(CoroutineCombinatorTest, OnceFirstOfHasItsAnswerTheOthersLearnThatNobodyWaits) {
  auto many = system_.Spawn<Many>(Many{{slow_, slow_, slow_}, notes_});
  system_
      .Spawn([many](Go, Context& self) { many.Ask(Sum{}).Then(self, [](absl::StatusOr<int>) {}); })
      .Send(Go{});
  Run();
  EXPECT_EQ(AskedAndWaiting(), 3);
  Answer(2, 1);
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CoroutineCombinatorTest, FirstOfEndsWithTheLatestDeadlineOfItsAsksAndThenNobodyWaits) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go) {
      std::vector<PendingAsk<int>> asks;
      asks.push_back(from.Ask(Get{}, absl::Seconds(1)));
      asks.push_back(from.Ask(Get{}, absl::Seconds(3)));
      const absl::StatusOr<int> got = co_await FirstOf(std::move(asks));
      notes.push_back(std::string(absl::StatusCodeToString(got.status().code())));
    }
  };
  system_.Spawn<Actor>(Actor{slow_, notes_}).Send(Go{});
  Run();
  Advance(absl::Seconds(3) - absl::Milliseconds(1));
  EXPECT_EQ(AskedAndWaiting(), 2);
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(notes_, (Notes{"DEADLINE_EXCEEDED"}));
  EXPECT_EQ(AskedAndWaiting(), 0);
}

TEST_F(CoroutineCombinatorTest, AnAskOfFirstOfThatHasBeenSentBeforeIsAnError) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go) {
      PendingAsk<int> sent = from.Ask(Get{});
      (void)co_await std::move(sent);
      std::vector<PendingAsk<int>> asks;
      asks.push_back(std::move(sent));
      const absl::StatusOr<int> got = co_await FirstOf(std::move(asks));
      notes.push_back(std::string(absl::StatusCodeToString(got.status().code())));
    }
  };
  system_.Spawn<Actor>(Actor{system_.Spawn([](Get) { return 1; }), notes_}).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"FAILED_PRECONDITION"}));
}

TEST_F(CoroutineCombinatorTest, ARoutersFirstAnswerIsAwaitedLikeAnyOther) {
  struct Asker {
    Router<Get> router;
    Task<absl::StatusOr<int>> On(Sum) { co_return co_await router.AskFirst(Get{}); }
  };
  Group<Get> group;
  group.Add(slow_);
  group.Add(system_.Spawn([](Get) { return 3; }));
  auto asker = system_.Spawn<Asker>(Asker{group});
  EXPECT_EQ(asker.Ask(Sum{}).Wait().value_or(-1), 3);
  EXPECT_EQ(AskedAndWaiting(), 0) << "the slow one may save its work";
}

// ---- Offload

TEST_F(CoroutineCombinatorTest, OffloadYieldsWhatTheFunctionReturns) {
  struct Actor {
    Notes& notes;
    Task<> On(Go) {
      const absl::StatusOr<int> number = co_await Offload([] { return 5; });
      notes.push_back(std::to_string(number.value_or(-1)));
      const absl::Status nothing = co_await Offload([] {});
      notes.push_back(nothing.ok() ? "done" : "error");
      const absl::StatusOr<int> refused =
          co_await Offload([]() -> absl::StatusOr<int> { return absl::NotFoundError("no file"); });
      notes.push_back(std::string(refused.status().message()));
      const absl::StatusOr<std::unique_ptr<int>> moved =
          co_await Offload([p = std::make_unique<int>(9)]() mutable { return std::move(p); });
      notes.push_back(std::to_string(**moved));
      const absl::Status thrown = co_await Offload([] { throw std::runtime_error("disk"); });
      notes.push_back(std::string(thrown.message()));
    }
  };
  system_.Spawn<Actor>(Actor{notes_}).Send(Go{});
  Run();
  ASSERT_EQ(notes_.size(), 5u);
  EXPECT_EQ(notes_[0], "5");
  EXPECT_EQ(notes_[1], "done");
  EXPECT_EQ(notes_[2], "no file");
  EXPECT_EQ(notes_[3], "9");
  EXPECT_NE(notes_[4].find("disk"), std::string::npos) << notes_[4];
  EXPECT_EQ(system_.stats().live, 2u) << "slow_ and the actor; what ran the functions is gone";
}

TEST_F(CoroutineCombinatorTest, WhatIsOffloadedMayBeAParallelAlgorithmInAnArenaOfOneTbb) {
  struct Actor {
    oneapi::tbb::task_arena& arena;
    Task<absl::StatusOr<int>> On(Sum) {
      co_return co_await Offload([this] {
        return arena.execute([] {
          using Range = oneapi::tbb::blocked_range<int>;
          return oneapi::tbb::parallel_reduce(
              Range(0, 1'000), 0,
              [](const Range& range, int sum) {
                for (int i = range.begin(); i != range.end(); ++i) sum += i;
                return sum;
              },
              std::plus<>());
        });
      });
    }
  };
  oneapi::tbb::task_arena arena(2);
  EXPECT_EQ(system_.Spawn<Actor>(Actor{arena}).Ask(Sum{}).Wait().value_or(-1), 499'500);
}

TEST_F(CoroutineCombinatorTest, OffloadWithoutTimeLeftIsAnErrorAndLeavesNobodyBehind) {
  struct Actor {
    Notes& notes;
    Task<int> On(Sum) {
      co_await Sleep(absl::Seconds(2));  // beyond the asker's deadline
      const absl::StatusOr<int> late = co_await Offload([] { return 5; });
      notes.push_back(late.status().ToString().substr(0, 17));
      co_return 0;
    }
  };
  struct Asker {
    ActorRef<Actor> whom;
    Task<> On(Go) { (void)co_await whom.Ask(Sum{}, absl::Seconds(1)); }
  };
  auto actor = system_.Spawn<Actor>(Actor{notes_});
  auto asker = system_.Spawn<Asker>(Asker{actor});
  asker.Send(Go{});
  Run();
  Advance(absl::Seconds(3));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(system_.stats().live, 3u) << "slow_, the actor and the asker";
}

}  // namespace
}  // namespace troupe
