#include "troupe/actors/router.h"

#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/routing.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using RouterTest = Simulated;
using Counts = std::vector<int>;

struct Job {
  int n = 0;
};
struct Parcel {  // move-only
  std::unique_ptr<int> content;
};
struct Query {
  using Reply = std::string;
  int key = 0;
};
struct Hold {
  using Reply = int;
};
struct End {};

// What each routee got.
using Log = std::vector<std::vector<int>>;

class Routee {
 public:
  Routee(Log& log, size_t me) : log_(log), me_(me) {}
  void On(Job job) { log_[me_].push_back(job.n); }
  void On(Parcel parcel) { log_[me_].push_back(*parcel.content); }
  std::string On(Query) { return std::to_string(me_); }
  void On(End, Context& self) { self.Stop(); }

 private:
  Log& log_;
  const size_t me_;
};

using JobGroup = Group<Job, Parcel, Query>;

class GroupTest : public Simulated {
 protected:
  // A routee that writes into log_[its number].
  ActorRef<Routee> Make(const ActorOptions& options = {}) {
    log_.emplace_back();
    routees_.push_back(system_.Spawn<Routee>(options, log_, log_.size() - 1));
    return routees_.back();
  }
  void Fill(const JobGroup& group, int routees) {
    for (int i = 0; i < routees; ++i) ASSERT_TRUE(group.Add(Make()));
  }
  Counts GotEach() {
    Run();
    Counts counts;
    for (const auto& got : log_) counts.push_back(static_cast<int>(got.size()));
    return counts;
  }

  Log& log_ = Keep<Log>();
  std::vector<ActorRef<Routee>> routees_;
};

// ---- round robin

TEST_F(GroupTest, RoundRobinTakesEachInTurn) {
  JobGroup group;
  Fill(group, 3);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(group.Send(Job{i}), SendResult::kQueued);
  Run();
  EXPECT_EQ(log_, (Log{{0, 3, 6}, {1, 4}, {2, 5}}));
}

TEST_F(GroupTest, EachCopyGoesRoundByItselfAPlaceFurtherOn) {
  JobGroup group;
  Fill(group, 3);
  const Router<Job, Parcel, Query> one = group;
  const Router<Job, Parcel, Query> two = group;
  one.Send(Job{10});
  two.Send(Job{20});
  one.Send(Job{11});
  two.Send(Job{21});
  group.Send(Job{0});
  Run();
  EXPECT_EQ(log_, (Log{{21, 0}, {10}, {20, 11}}));
}

TEST_F(GroupTest, AMovedRouterGoesOnWhereItWas) {
  JobGroup group;
  Fill(group, 3);
  Router<Job, Parcel, Query> first(std::move(group));
  first.Send(Job{0});
  Router<Job, Parcel, Query> second;
  second = std::move(first);
  second.Send(Job{1});
  Run();
  EXPECT_EQ(log_, (Log{{0}, {1}, {}}));
  EXPECT_EQ(first.Send(Job{2}), SendResult::kClosed) << "it has no routees any more";
}

TEST_F(GroupTest, WhatOneSenderSendsToOneRouteeComesInOrder) {
  JobGroup group;
  Fill(group, 2);
  for (int i = 0; i < 1000; ++i) group.Send(Job{i});
  Run();
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(log_[0][i], 2 * i);
    ASSERT_EQ(log_[1][i], 2 * i + 1);
  }
}

TEST_F(GroupTest, MoveOnlyMessagesAreSentAndAsked) {
  JobGroup group;
  Fill(group, 1);
  EXPECT_EQ(group.Send(Parcel{std::make_unique<int>(5)}), SendResult::kQueued);
  EXPECT_EQ(group.TrySend(Parcel{std::make_unique<int>(6)}), SendResult::kQueued);
  Run();
  EXPECT_EQ(log_, (Log{{5, 6}}));
}

TEST_F(GroupTest, RouteesMayBeOfDifferentClasses) {
  int sum = 0;
  Group<Job> group;
  EXPECT_TRUE(group.Add(Make()));
  EXPECT_TRUE(group.Add(system_.Spawn([&sum](Job job) { sum += job.n; })));
  group.Send(Job{1});
  group.Send(Job{2});
  Run();
  EXPECT_EQ(log_, (Log{{1}}));
  EXPECT_EQ(sum, 2);
}

TEST_F(GroupTest, ARouterTravelsInAMessageAndIsUsedByAnActor) {
  struct Use {
    Router<Job> router;
  };
  Group<Job> group;
  group.Add(Make());
  group.Add(Make());
  auto sender = system_.Spawn([](Use use) {
    for (int i = 0; i < 4; ++i) use.router.Send(Job{i});
  });
  sender.Send(Use{group});
  EXPECT_EQ(GotEach(), (Counts{2, 2}));
}

// ---- random

TEST_F(GroupTest, RandomGivesEveryRouteeAFairShare) {
  constexpr int kMessages = 4000;
  JobGroup group(Random{.seed = 1});
  Fill(group, 4);
  for (int i = 0; i < kMessages; ++i) group.Send(Job{i});
  for (int count : GotEach()) {
    EXPECT_GT(count, kMessages / 4 * 9 / 10);
    EXPECT_LT(count, kMessages / 4 * 11 / 10);
  }
}

TEST_F(GroupTest, RandomRepeatsItselfForTheSameSeedAndNotForAnother) {
  for (uint64_t seed : {7, 7, 8}) {
    JobGroup group(Random{.seed = seed});
    Fill(group, 5);
    for (int i = 0; i < 100; ++i) group.Send(Job{i});
    Run();
  }
  const Log first(log_.begin(), log_.begin() + 5);
  const Log again(log_.begin() + 5, log_.begin() + 10);
  const Log other(log_.begin() + 10, log_.end());
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST_F(GroupTest, CopiesOfARandomRouterDrawDifferentSequences) {
  JobGroup group(Random{.seed = 7});
  Fill(group, 5);
  const JobGroup copy = group;
  for (int i = 0; i < 100; ++i) group.Send(Job{i});
  Run();
  const Log first = std::exchange(log_, Log(5));
  for (int i = 0; i < 100; ++i) copy.Send(Job{i});
  Run();
  EXPECT_NE(first, log_);
}

// ---- smallest mailbox

TEST_F(GroupTest, SmallestMailboxAvoidsWhoHasMore) {
  JobGroup group(SmallestMailbox{});
  Fill(group, 3);
  for (int i = 0; i < 5; ++i) routees_[0].Send(Job{100});
  for (int i = 0; i < 3; ++i) routees_[2].Send(Job{100});
  for (int i = 0; i < 7; ++i) group.Send(Job{i});
  // 5 + 0, 0 + 5, 3 + 2
  EXPECT_EQ(GotEach(), (Counts{5, 5, 5}));
}

TEST_F(GroupTest, SmallestMailboxCountsBoundedMailboxesToo) {
  JobGroup group(SmallestMailbox{});
  group.Add(Make({.capacity = 10}));
  group.Add(Make());
  for (int i = 0; i < 5; ++i) routees_[0].Send(Job{100});
  for (int i = 0; i < 5; ++i) group.Send(Job{i});
  EXPECT_EQ(GotEach(), (Counts{5, 5}));
}

TEST_F(GroupTest, SmallestMailboxTakesIdleOnesInTurn) {
  JobGroup group(SmallestMailbox{});
  Fill(group, 3);
  for (int i = 0; i < 6; ++i) {
    group.Send(Job{i});
    Run();
  }
  EXPECT_EQ(log_, (Log{{0, 3}, {1, 4}, {2, 5}}));
}

TEST_F(RouterTest, SmallestMailboxCountsTheMessageThatIsBeingHandled) {
  auto& group = Keep<std::optional<Group<Job>>>();
  group.emplace(SmallestMailbox{});
  int others = 0;
  // In its handler, where its mailbox is empty, it sends to the group.
  group->Add(system_.Spawn([&group](Job job) {
    if (job.n > 0) group->Send(Job{job.n - 1});
  }));
  group->Add(system_.Spawn([&others](Job) { ++others; }));
  group->Send(Job{1});
  Run();
  EXPECT_EQ(others, 1);
}

// ---- by key

auto ByNumber() {
  return ByKey([](const auto& m) {
    if constexpr (requires { m.n; }) {
      return m.n;
    } else if constexpr (requires { m.key; }) {
      return m.key;
    } else {
      return *m.content;
    }
  });
}

TEST_F(GroupTest, TheSameKeyGoesToTheSameRouteeWhateverTheMessage) {
  JobGroup group(ByNumber());
  Fill(group, 8);
  const Router<Job, Parcel, Query> copy = group;
  for (int key = 0; key < 50; ++key) {
    absl::StatusOr<std::string> who = group.Ask(Query{key}).Wait();
    ASSERT_TRUE(who.ok());
    group.Send(Job{key});
    copy.Send(Parcel{std::make_unique<int>(key)});
    Run();
    const auto& got = log_[std::stoul(*who)];
    ASSERT_GE(got.size(), 2u);
    EXPECT_EQ(got.back(), key);
    EXPECT_EQ(got[got.size() - 2], key);
  }
}

TEST_F(GroupTest, KeysAreSpreadEvenly) {
  constexpr int kKeys = 8000;
  JobGroup group(ByNumber());
  Fill(group, 8);
  for (int key = 0; key < kKeys; ++key) group.Send(Job{key});
  for (int count : GotEach()) {
    EXPECT_GT(count, kKeys / 8 * 85 / 100);
    EXPECT_LT(count, kKeys / 8 * 115 / 100);
  }
}

// Which routee has each key.
std::map<int, size_t> OwnersIn(const Log& log) {
  std::map<int, size_t> owners;
  for (size_t routee = 0; routee < log.size(); ++routee) {
    for (int key : log[routee]) owners[key] = routee;
  }
  return owners;
}

TEST_F(GroupTest, WhenARouteeGoesOnlyItsKeysMoveAndItsSuccessorTakesThemOver) {
  constexpr int kKeys = 1000;
  JobGroup group(ByNumber());
  Fill(group, 5);
  const auto send_all = [&] {
    for (auto& got : log_) got.clear();
    for (int key = 0; key < kKeys; ++key) group.Send(Job{key});
    Run();
    return OwnersIn(log_);
  };
  const auto before = send_all();
  group.Remove(routees_[2]);
  const auto without = send_all();
  Counts inherited(5);
  for (const auto& [key, owner] : before) {
    if (owner == 2) {
      ++inherited[without.at(key)];
    } else {
      EXPECT_EQ(without.at(key), owner);
    }
  }
  EXPECT_EQ(inherited[2], 0);
  for (size_t other : {0, 1, 3, 4}) EXPECT_GT(inherited[other], 20) << other;

  group.Add(Make());  // routee 5 takes the free place
  const auto after = send_all();
  for (const auto& [key, owner] : before) EXPECT_EQ(after.at(key), owner == 2 ? 5 : owner);
}

TEST_F(GroupTest, ANewcomerTakesSomeKeysFromEachAndLeavesTheRest) {
  constexpr int kKeys = 1000;
  JobGroup group(ByNumber());
  Fill(group, 4);
  for (int key = 0; key < kKeys; ++key) group.Send(Job{key});
  Run();
  const auto before = OwnersIn(log_);
  for (auto& got : log_) got.clear();
  group.Add(Make());
  for (int key = 0; key < kKeys; ++key) group.Send(Job{key});
  Run();
  Counts lost(4);
  for (const auto& [key, owner] : OwnersIn(log_)) {
    if (owner == 4) {
      ++lost[before.at(key)];
    } else {
      EXPECT_EQ(owner, before.at(key));
    }
  }
  for (int keys : lost) EXPECT_GT(keys, 20);
  EXPECT_LT(std::accumulate(lost.begin(), lost.end(), 0), kKeys / 5 * 13 / 10);
}

TEST_F(RouterTest, KeysMayBeStringsAndEnums) {
  enum class Colour { kRed, kBlue };
  struct Named {
    std::string name;
  };
  struct Coloured {
    Colour colour;
  };
  class Shard {
   public:
    explicit Shard(std::map<std::string, int>& seen) : seen_(seen) {}
    void On(const Named& m) { seen_[m.name] += 1; }
    void On(const Coloured& m) { seen_[m.colour == Colour::kRed ? "red" : "blue"] += 1; }

   private:
    std::map<std::string, int>& seen_;
  };
  auto& seen = Keep<std::vector<std::map<std::string, int>>>();
  seen.resize(4);
  struct Key {
    std::string operator()(const Named& m) const { return m.name; }
    Colour operator()(const Coloured& m) const { return m.colour; }
  };
  Group<Named, Coloured> group(ByKey(Key{}));
  for (auto& each : seen) group.Add(system_.Spawn<Shard>(each));
  for (int i = 0; i < 40; ++i) group.Send(Named{"name " + std::to_string(i % 20)});
  for (int i = 0; i < 4; ++i) group.Send(Coloured{i % 2 == 0 ? Colour::kRed : Colour::kBlue});
  Run();
  size_t distinct = 0;
  for (const auto& each : seen) {
    EXPECT_FALSE(each.empty());
    distinct += each.size();
    for (const auto& [name, count] : each) EXPECT_EQ(count, 2) << name;
  }
  EXPECT_EQ(distinct, 22u);
}

TEST_F(RouterTest, WhatTheKeyFunctionThrowsComesOutOfTheSendAndNothingIsSent) {
  Group<Job> group(ByKey([](const Job& job) {
    if (job.n < 0) throw std::out_of_range("no key");
    return job.n;
  }));
  int handled = 0;
  group.Add(system_.Spawn([&handled](Job) { ++handled; }));
  EXPECT_THROW(group.Send(Job{-1}), std::out_of_range);
  group.Send(Job{1});
  Run();
  EXPECT_EQ(handled, 1);
}

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

TEST_F(AskFirstTest, AnAskerThatEndsIsNotAnswered) {
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
  for (auto& kept : kept_) kept->Send(5);
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
