// What a group does as its routees come and go, and with all of them at once: broadcast, and asking for
// the first answer. router_test.cc has how one is chosen.

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
#include "tests/actors/routees.h"
#include "troupe/actors/routing.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

// ---- the table changes

TEST_F(GroupTest, ARouteeIsInOnceAndRemovedOnce) {
  JobGroup group;
  auto routee = Make();
  EXPECT_FALSE(group.Remove(routee));
  EXPECT_TRUE(group.Add(routee));
  EXPECT_FALSE(group.Add(routee));
  EXPECT_EQ(group.size(), 1u);
  EXPECT_TRUE(group.Remove(routee));
  EXPECT_FALSE(group.Remove(routee));
  EXPECT_EQ(group.size(), 0u);
  EXPECT_FALSE(group.Add(ActorRef<Routee>())) << "nobody";
}

TEST_F(GroupTest, CopiesShareTheTable) {
  JobGroup group;
  const Router<Job, Parcel, Query> router = group;
  EXPECT_EQ(router.Send(Job{1}), SendResult::kClosed);
  Fill(group, 1);
  EXPECT_EQ(router.size(), 1u);
  EXPECT_EQ(router.Send(Job{2}), SendResult::kQueued);
  group.Remove(routees_[0]);
  EXPECT_EQ(router.Send(Job{3}), SendResult::kClosed);
  Run();
  EXPECT_EQ(log_, (Log{{2}}));
}

TEST_F(GroupTest, ATableGrowsAndShrinksAndKeepsTheOrder) {
  JobGroup group;
  Fill(group, 100);
  for (int i = 0; i < 100; i += 2) EXPECT_TRUE(group.Remove(routees_[i]));
  EXPECT_EQ(group.size(), 50u);
  for (int i = 0; i < 50; ++i) group.Send(Job{i});
  Run();
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(log_[2 * i].empty());
    EXPECT_EQ(log_[2 * i + 1], std::vector<int>{i});
  }
}

// ---- ended, full, nobody

TEST_F(GroupTest, AnEndedRouteeIsSkippedAndTakenOutByEveryStrategy) {
  const std::vector<Routing<Job, Parcel, Query>> all = {RoundRobin{}, Random{}, SmallestMailbox{},
                                                        ByNumber()};
  for (const auto& routing : all) {
    log_.clear();
    routees_.clear();
    JobGroup group(routing);
    Fill(group, 3);
    routees_[1].Stop();
    Run();
    for (int i = 0; i < 30; ++i) EXPECT_EQ(group.Send(Job{i}), SendResult::kQueued);
    EXPECT_EQ(group.size(), 2u);
    const Counts got = GotEach();
    EXPECT_EQ(got[0] + got[2], 30);
    for (auto& routee : routees_) routee.Stop();
    Run();
    EXPECT_EQ(group.Send(Job{0}), SendResult::kClosed);
    EXPECT_EQ(group.size(), 0u);
  }
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u) << "a plain thread's to nobody";
}

TEST_F(GroupTest, AnEndedRouteeWhoseCellHasANewActorIsNotMistakenForIt) {
  JobGroup group;
  Fill(group, 1);
  routees_[0].Stop();
  Run();
  for (int i = 0; i < 100; ++i) Make();  // one of them gets the cell
  EXPECT_EQ(group.Send(Job{1}), SendResult::kClosed);
  for (int count : GotEach()) EXPECT_EQ(count, 0);
}

TEST_F(GroupTest, WithoutARouteeAnActorsMessageIsADeadLetterAndAnAskFailsAtOnce) {
  Group<Job, Query> group;
  SendResult sent = SendResult::kQueued;
  absl::Status answer;
  auto sender = system_.Spawn([&, router = Router<Job, Query>(group)](End, Context& self) {
    sent = router.Send(Job{1});
    router.Ask(Query{}).Then(self, [&](absl::StatusOr<std::string> a) { answer = a.status(); });
  });
  sender.Send(End{});
  Run();
  EXPECT_EQ(sent, SendResult::kClosed);
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 2u);
  EXPECT_EQ(group.Ask(Query{}).Wait().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(loop_.Now(), absl::UnixEpoch()) << "at once";
}

TEST_F(RouterTest, ADefaultRouterHasNoRoutees) {
  const Router<Job, Query> router;
  const Router<Job, Query> copy = router;
  EXPECT_EQ(copy.Send(Job{1}), SendResult::kClosed);
  EXPECT_EQ(copy.TrySend(Job{1}), SendResult::kClosed);
  EXPECT_EQ(copy.Broadcast(Job{1}), 0u);
  EXPECT_EQ(copy.size(), 0u);
  EXPECT_EQ(copy.Ask(Query{}).Wait().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(copy.AskFirst(Query{}).Wait().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(GroupTest, AFullRouteeDoesWhatItsPolicySays) {
  Group<Job> group;
  group.Add(Make({.capacity = 1, .when_full = WhenFull::kFail}));
  group.Add(Make({.capacity = 1, .when_full = WhenFull::kDropNewest}));
  group.Add(Make({.capacity = 1, .when_full = WhenFull::kDropOldest}));
  group.Add(Make({.capacity = 1, .when_full = WhenFull::kBlock}));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(group.Send(Job{1}), SendResult::kQueued);
  EXPECT_EQ(group.Send(Job{2}), SendResult::kFull);
  EXPECT_EQ(group.Send(Job{2}), SendResult::kDropped);
  EXPECT_EQ(group.Send(Job{2}), SendResult::kQueued);
  EXPECT_EQ(group.TrySend(Job{2}), SendResult::kFull);
  Run();
  EXPECT_EQ(log_, (Log{{1}, {1}, {2}, {1}}));
  EXPECT_EQ(system_.stats().dead_letters_total(), 4u);
}

// ---- broadcast

TEST_F(GroupTest, ABroadcastReachesEveryRouteeAndCountsThem) {
  JobGroup group;
  Fill(group, 3);
  EXPECT_EQ(group.Broadcast(Job{7}), 3u);
  routees_[1].Stop();
  Run();
  EXPECT_EQ(group.TryBroadcast(Job{8}), 2u);
  Run();
  EXPECT_EQ(log_, (Log{{7, 8}, {}, {7, 8}}));  // 1 was stopped before it had a turn
  EXPECT_EQ(group.size(), 2u);
}

TEST_F(GroupTest, ABroadcastTellsWhomItDidNotReach) {
  Group<Job> group;
  group.Add(Make());
  group.Add(Make({.capacity = 1, .when_full = WhenFull::kBlock}));
  EXPECT_EQ(group.TryBroadcast(Job{1}), 2u);
  EXPECT_EQ(group.TryBroadcast(Job{2}), 1u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 1u);
  EXPECT_EQ(group.Broadcast(Job{3}), 2u) << "which waits for room";
  Run();
  EXPECT_EQ(log_, (Log{{1, 2, 3}, {1, 3}}));
}

TEST_F(RouterTest, ALargeMessageIsBroadcastWithoutCopies) {
  using Image = std::shared_ptr<const std::string>;
  auto& seen = Keep<std::vector<const std::string*>>();
  Group<Image> group;
  for (int i = 0; i < 3; ++i) {
    group.Add(system_.Spawn([&seen](Image image) { seen.push_back(image.get()); }));
  }
  const auto image = std::make_shared<const std::string>("large");
  EXPECT_EQ(group.Broadcast(image), 3u);
  Run();
  EXPECT_EQ(seen, std::vector<const std::string*>(3, image.get()));
}

// ---- scatter-gather-first

// Answers when it is told to.
class Oracle {
 public:
  explicit Oracle(std::optional<Reply<int>>& kept) : kept_(kept) {}
  void On(Hold, Reply<int> reply) { kept_ = std::move(reply); }

 private:
  std::optional<Reply<int>>& kept_;
};

class AskFirstTest : public Simulated {
 protected:
  using Kept = std::vector<std::optional<Reply<int>>>;

  void SetUp() override {
    kept_.resize(3);
    for (auto& kept : kept_) {
      oracles_.push_back(system_.Spawn<Oracle>(kept));
      group_.Add(oracles_.back());
    }
    asker_ = system_.Spawn([this](End, Context& self) {
      group_.AskFirst(Hold{}, absl::Seconds(10)).Then(self, [this](absl::StatusOr<int> answer) {
        answers_.push_back(std::move(answer));
      });
    });
    asker_.Send(End{});
    Run();
    for (const auto& kept : kept_) ASSERT_TRUE(kept.has_value());
  }
  void TearDown() override {
    kept_.clear();
    system_.Shutdown(absl::Seconds(10));
  }

  Kept& kept_ = Keep<Kept>();
  std::vector<ActorRef<Oracle>> oracles_;
  Group<Hold> group_;
  Recipient<End> asker_;
  std::vector<absl::StatusOr<int>> answers_;
};

TEST_F(AskFirstTest, TheFirstGoodAnswerIsTheAnswer) {
  kept_[1]->Send(5);
  Run();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(*answers_[0], 5);
  kept_[0]->Send(6);
  kept_[2].reset();
  Run();
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(AskFirstTest, AfterTheFirstGoodAnswerTheOthersLearnThatNobodyWaits) {
  EXPECT_TRUE(static_cast<bool>(*kept_[0]));
  kept_[1]->Send(5);
  EXPECT_FALSE(static_cast<bool>(*kept_[0]));
  EXPECT_FALSE(static_cast<bool>(*kept_[2]));
}

TEST_F(AskFirstTest, AfterTheDeadlineTheOthersLearnItToo) {
  kept_[0]->Send(absl::NotFoundError("not here"));
  Advance(absl::Seconds(10));
  EXPECT_FALSE(static_cast<bool>(*kept_[1]));
  EXPECT_FALSE(static_cast<bool>(*kept_[2]));
}

TEST_F(AskFirstTest, AnErrorIsNoAnswerWhileOthersMayHaveOne) {
  kept_[0]->Send(absl::NotFoundError("not here"));
  oracles_[1].Stop();
  kept_[1].reset();  // dropped
  Run();
  EXPECT_TRUE(answers_.empty());
  kept_[2]->Send(7);
  Run();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(*answers_[0], 7);
}

TEST_F(AskFirstTest, WhenAllHaveFailedTheLastErrorIsTheAnswer) {
  kept_[2]->Send(absl::NotFoundError("not here"));
  kept_[0]->Send(absl::DataLossError("unreadable"));
  Run();
  EXPECT_TRUE(answers_.empty());
  kept_[1].reset();
  Run();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kAborted);
}

TEST_F(AskFirstTest, ThereIsOneDeadlineForAll) {
  Advance(absl::Seconds(9));
  EXPECT_TRUE(answers_.empty());
  kept_[0]->Send(absl::NotFoundError("not here"));
  Advance(absl::Seconds(1));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kDeadlineExceeded);
  kept_[1]->Send(5);
  Run();
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(AskFirstTest, AnAskerThatEndsIsNotAnsweredAndThoseAskedLearnIt) {
  class Asker {
   public:
    Asker(Router<Hold> router, int& answers) : router_(std::move(router)), answers_(answers) {}
    void On(End, Context& self) {
      router_.AskFirst(Hold{}).Then(self, [this](absl::StatusOr<int>) { ++answers_; });
    }

   private:
    const Router<Hold> router_;
    int& answers_;
  };
  int answers = 0;
  auto asker = system_.Spawn<Asker>(group_, answers);
  asker.Send(End{});
  Run();
  asker.Stop();
  Run();
  for (auto& kept : kept_) {
    EXPECT_FALSE(static_cast<bool>(*kept));
    kept->Send(5);
  }
  Run();
  EXPECT_EQ(answers, 0);
}

TEST_F(AskFirstTest, OneThatIsNeitherWaitedForNorContinuedIsNeverSent) {
  for (auto& kept : kept_) kept.reset();
  {
    auto pending = group_.AskFirst(Hold{});
    auto moved = std::move(pending);
  }
  Run();
  for (const auto& kept : kept_) EXPECT_FALSE(kept.has_value());
}

TEST_F(GroupTest, ARequestThatIsStillQueuedAtTheDeadlineIsDropped) {
  struct Busy {
    ManualScheduler& loop;
    int& handled;
    int On(Hold) { return ++handled; }
    void On(End) { loop.Advance(absl::Seconds(20)); }  // others run meanwhile
  };
  Group<Hold> group;
  auto& handled = Keep<int>();
  auto busy = system_.Spawn<Busy>(Busy{loop_, handled});
  group.Add(busy);
  auto asker = system_.Spawn([&group](End, Context& self) {
    group.AskFirst(Hold{}, absl::Seconds(10)).Then(self, [](absl::StatusOr<int>) {});
  });
  busy.Send(End{});
  asker.Send(End{});
  Run();
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

TEST_F(GroupTest, APlainThreadWaitsForTheFirstAnswer) {
  JobGroup group;
  Fill(group, 3);
  routees_[0].Stop();
  Run();
  absl::StatusOr<std::string> answer = group.AskFirst(Query{}).Wait();
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(*answer == "1" || *answer == "2") << *answer;
}

TEST_F(RouterTest, WaitingForTheFirstAnswerInAHandlerIsRefused) {
  Group<Hold> group;
  group.Add(system_.Spawn([](Hold) { return 1; }));
  absl::Status refused;
  auto sender = system_.Spawn([&](End) { refused = group.AskFirst(Hold{}).Wait().status(); });
  sender.Send(End{});
  Run();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RouterTest, AVoidAnswerIsGatheredToo) {
  struct Do {
    using Reply = void;
  };
  Group<Do> group;
  group.Add(system_.Spawn([](Do) -> absl::Status { return absl::NotFoundError("not me"); }));
  EXPECT_EQ(group.AskFirst(Do{}).Wait().code(), absl::StatusCode::kNotFound);
  group.Add(system_.Spawn([](Do) -> absl::Status { return absl::OkStatus(); }));
  EXPECT_TRUE(group.AskFirst(Do{}).Wait().ok());
}

TEST_F(RouterTest, FullAndThrowingRouteesAreErrorsAmongOthers) {
  Group<Hold> group;
  auto full = system_.Spawn({.capacity = 1, .when_full = WhenFull::kFail}, [](Hold) { return 1; });
  full.Send(Hold{});
  group.Add(full);
  EXPECT_EQ(group.AskFirst(Hold{}).Wait().status().code(), absl::StatusCode::kResourceExhausted);
  group.Add(system_.Spawn([](Hold) -> int { throw std::runtime_error("out of ink"); }));
  full.Send(Hold{});
  EXPECT_EQ(group.AskFirst(Hold{}).Wait().status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace troupe
