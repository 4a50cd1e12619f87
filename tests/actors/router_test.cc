#include "troupe/actors/router.h"

#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/actors/routees.h"
#include "troupe/actors/routing.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

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

}  // namespace
}  // namespace troupe
