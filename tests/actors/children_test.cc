#include "troupe/actors/internal/children.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <latch>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/ended_children.h"
#include "troupe/core/slab.h"
#include "troupe/troupe.h"

namespace troupe::internal {
namespace {

class Cells : public testing::Test {
 protected:
  ActorCell& NewCell() { return *slab_.Allocate(); }

 private:
  CellSlab slab_{nullptr};
};

// ---- Children

using ChildrenTest = Cells;

std::set<ActorCell*> In(const Children& children) {
  std::set<ActorCell*> found;
  children.ForEach([&](ActorCell& child) { EXPECT_TRUE(found.insert(&child).second); });
  return found;
}

TEST_F(ChildrenTest, AllThatWereAddedAndNotRemovedAreThere) {
  Children children;
  std::map<uint32_t, ActorCell*> expected;
  std::mt19937 random(1);
  for (int step = 0; step < 10'000; ++step) {
    const size_t target = step / 50 % 100;  // grows and shrinks, across several capacities
    if (expected.size() <= target) {
      ActorCell& child = NewCell();
      const uint32_t slot = children.Add(child);
      ASSERT_TRUE(expected.emplace(slot, &child).second) << "two children in one slot";
    } else {
      auto at = expected.begin();
      std::advance(at, random() % expected.size());
      children.Remove(at->first);
      expected.erase(at);
    }
    ASSERT_EQ(children.size(), expected.size());
  }
  std::set<ActorCell*> left;
  for (const auto& [slot, child] : expected) left.insert(child);
  EXPECT_EQ(In(children), left);
}

TEST_F(ChildrenTest, EmptySaysWhetherAllWereRemoved) {
  Children children;
  EXPECT_TRUE(children.empty());
  const uint32_t a = children.Add(NewCell());
  const uint32_t b = children.Add(NewCell());
  children.Remove(a);
  EXPECT_FALSE(children.empty());
  children.Remove(b);
  EXPECT_TRUE(children.empty());
  EXPECT_TRUE(In(children).empty());
}

TEST_F(ChildrenTest, SlotsAreUsedAgainSoThatTheyAreNeverMoreThanTheMostChildrenAtOnce) {
  Children children;
  for (int i = 0; i < 1'000; ++i) {
    const uint32_t a = children.Add(NewCell());
    const uint32_t b = children.Add(NewCell());
    EXPECT_LT(std::max(a, b), 2u);
    children.Remove(i % 2 == 0 ? a : b);
    children.Remove(i % 2 == 0 ? b : a);
  }
}

// ---- EndedChildren

using EndedChildrenTest = Cells;

std::vector<ActorCell*> Listed(ActorCell* first) {
  std::vector<ActorCell*> listed;
  for (ActorCell* c = first; c != nullptr; c = EndedChildren::Next(*c)) listed.push_back(c);
  return listed;
}

TEST_F(EndedChildrenTest, TheCellsThemselvesAreTheList) {
  EndedChildren ended;
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(ended.TakeAll(), nullptr);
  ActorCell& a = NewCell();
  ActorCell& b = NewCell();
  (void)ended.Push(a);
  (void)ended.Push(b);
  EXPECT_FALSE(ended.empty());
  EXPECT_EQ(Listed(ended.TakeAll()), (std::vector<ActorCell*>{&b, &a}));
  EXPECT_TRUE(ended.empty());
}

TEST_F(EndedChildrenTest, OneOfManyWakesUntilTheyAreTaken) {
  EndedChildren ended;
  for (int round = 0; round < 3; ++round) {
    for (uint64_t n = 1; n <= 3 * EndedChildren::kUnnoted; ++n) {
      EXPECT_EQ(ended.Push(NewCell()), n == EndedChildren::kUnnoted) << n;
    }
    EXPECT_EQ(Listed(ended.TakeAll()).size(), 3 * EndedChildren::kUnnoted);
  }
}

TEST_F(EndedChildrenTest, WhoWaitsIsWokenByTheOneItAskedFor) {
  EndedChildren ended;
  ASSERT_TRUE(ended.WakeAfter(2));
  EXPECT_FALSE(ended.Push(NewCell()));
  EXPECT_TRUE(ended.Push(NewCell()));
  EXPECT_FALSE(ended.Push(NewCell()));
}

TEST_F(EndedChildrenTest, WhoWaitsForManyIsWokenByTheUsualOne) {
  EndedChildren ended;
  ASSERT_TRUE(ended.WakeAfter(1'000'000));
  for (uint64_t n = 1; n < EndedChildren::kUnnoted; ++n) EXPECT_FALSE(ended.Push(NewCell()));
  EXPECT_TRUE(ended.Push(NewCell()));
}

TEST_F(EndedChildrenTest, NobodyMayWaitWhileSomeHaveCome) {
  EndedChildren ended;
  (void)ended.Push(NewCell());
  EXPECT_FALSE(ended.WakeAfter(1));
  (void)ended.TakeAll();
  EXPECT_TRUE(ended.WakeAfter(1));
}

TEST_F(EndedChildrenTest, ManyThreadsPushAndEachCellComesOutOnceAndTheLastOneWakes) {
  constexpr int kThreads = 4;
  constexpr int kEach = 20'000;
  EndedChildren ended;
  std::atomic<int> wakes{0};
  std::latch begin(kThreads + 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    std::vector<ActorCell*> cells(kEach);
    for (ActorCell*& cell : cells) cell = &NewCell();
    threads.emplace_back([&, cells = std::move(cells)] {
      begin.arrive_and_wait();
      for (ActorCell* cell : cells) {
        if (ended.Push(*cell)) {
          wakes.fetch_add(1);
          wakes.notify_one();
        }
      }
    });
  }
  begin.arrive_and_wait();
  std::set<ActorCell*> out;
  int seen = 0;
  for (size_t left = kThreads * kEach; left != 0;) {
    if (ended.WakeAfter(left)) {  // as an actor that waits for its children
      wakes.wait(seen);
      seen = wakes.load();
    }
    const std::vector<ActorCell*> taken = Listed(ended.TakeAll());
    out.insert(taken.begin(), taken.end());
    left -= taken.size();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(out.size(), size_t{kThreads} * kEach);
}

// ---- both, in a system

struct Go {};

class Brief {
 public:
  void OnStart(Context& self) { self.Stop(); }
};

class Parent {
 public:
  explicit Parent(int children) : children_(children) {}
  void On(Go, Context& self) {
    for (int i = 0; i < children_; ++i) self.Spawn<Brief>();
  }

 private:
  const int children_;
};

using FamilyCellsTest = Simulated;

TEST_F(FamilyCellsTest, AParentEndsAfterItsChildrenHoweverManyEndsItHasNotNoted) {
  for (int children : {1, 2, 7, 8, 9, 63, 64, 65, 200}) {
    auto parent = system_.Spawn<Parent>(children);
    parent.Send(Go{});
    Run();
    EXPECT_EQ(system_.stats().live, 1u);
    parent.Stop();
    Run();
    EXPECT_EQ(system_.stats().live, 0u) << children;
  }
}

TEST_F(FamilyCellsTest, AParentThatStopsAtOnceWaitsForEveryChild) {
  for (int children : {1, 2, 7, 8, 9, 63, 64, 65, 200}) {
    auto parent = system_.Spawn<Parent>(children);
    parent.Send(Go{});
    parent.Stop();
    Run();
    EXPECT_EQ(system_.stats().live, 0u) << children;
  }
}

}  // namespace
}  // namespace troupe::internal
