#include "troupe/actors/internal/shard.h"

#include <atomic>
#include <cstdint>
#include <latch>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"
#include "troupe/core/event_count.h"

namespace troupe::internal {
namespace {

class ShardTest : public testing::Test {
 protected:
  size_t CellsInUse() const { return slab_.stats().cells_in_use; }
  void TakeAndNote() {
    const Shard::Taken taken = shard_.Take();
    EXPECT_EQ(taken.incarnation % 4, 0u);
    EXPECT_TRUE(incarnations_.insert(taken.incarnation).second);
    EXPECT_TRUE(cells_.insert(taken.cell).second);
  }

  // The analysis does not follow a lock from one function into another.
  void Hold() ABSL_NO_THREAD_SAFETY_ANALYSIS { ASSERT_TRUE(shard_.lock().TryAcquire()); }
  void LetGo() ABSL_NO_THREAD_SAFETY_ANALYSIS { shard_.lock().Release(); }

  CellSlab slab_{nullptr};
  Shard shard_{slab_};
  std::atomic<bool> stopping_{false};
  EventCount drained_;
  std::set<ActorCell*> cells_;
  std::set<uint64_t> incarnations_{0};
};

TEST_F(ShardTest, CellsAndIncarnationsAreDistinctAndCounted) {
  for (int i = 0; i < 1'000; ++i) TakeAndNote();
  EXPECT_EQ(shard_.spawned(), 1'000u);
}

TEST_F(ShardTest, WhoFindsTheShardHeldTakesFromTheSlabAndIsCountedAllTheSame) {
  TakeAndNote();
  Hold();
  for (int i = 0; i < 100; ++i) TakeAndNote();
  LetGo();
  TakeAndNote();
  EXPECT_EQ(shard_.spawned(), 102u);
}

TEST_F(ShardTest, WhoFindsTheShardHeldRetiresToTheSlab) {
  const Shard::Taken taken = shard_.Take();
  const size_t before = CellsInUse();
  Hold();
  shard_.Retire(*taken.cell);
  LetGo();
  EXPECT_EQ(CellsInUse(), before - 1);
}

TEST_F(ShardTest, OneThatIsNotHeldKeepsWhatIsRetired) {
  const Shard::Taken taken = shard_.Take();
  const size_t before = CellsInUse();
  shard_.Retire(*taken.cell);
  EXPECT_EQ(CellsInUse(), before);
  EXPECT_EQ(shard_.Take().cell, taken.cell);
}

TEST_F(ShardTest, AListIsRetiredWholeWhetherTheShardIsHeldOrNot) {
  for (const bool held : {false, true}) {
    const size_t before = CellsInUse();
    ActorCell* first = nullptr;
    for (int i = 0; i < 200; ++i) {
      ActorCell* const cell = shard_.Take().cell;
      cell->next = std::exchange(first, cell);
    }
    if (held) Hold();
    shard_.Retire(*first);
    if (held) LetGo();
    EXPECT_LE(CellsInUse(), before + 64) << "more than a shard keeps";
  }
}

TEST_F(ShardTest, ThreadsThatMeetTakeAndRetireAndNoCellIsGivenTwice) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 10'000;
  std::latch begin(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto mark = reinterpret_cast<Runnable*>(uintptr_t{64} * (t + 1));
      begin.arrive_and_wait();
      std::vector<ActorCell*> mine;
      for (int round = 0; round < kRounds; ++round) {
        mine.push_back(shard_.Take().cell);
        mine.back()->next = mark;  // by which one that two have would show
        if (round % 3 == 2) {
          for (ActorCell* cell : mine) {
            ASSERT_EQ(std::exchange(cell->next, nullptr), mark);
            shard_.Retire(*cell);
          }
          mine.clear();
        }
      }
      for (ActorCell* cell : mine) {
        cell->next = nullptr;
        shard_.Retire(*cell);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shard_.spawned(), uint64_t{kThreads} * kRounds);
}

TEST_F(ShardTest, EndsAreCountedAndTakeTheirCellsBackWhetherTheShardIsHeldOrNot) {
  const Shard::Taken a = shard_.Take();
  const Shard::Taken b = shard_.Take();
  const size_t before = CellsInUse();
  shard_.CountEnd(nullptr, stopping_, drained_);
  EXPECT_EQ(shard_.ended(), 1u);
  shard_.CountEnd(a.cell, stopping_, drained_);
  EXPECT_EQ(shard_.ended(), 2u);
  EXPECT_EQ(shard_.Take().cell, a.cell);
  Hold();
  shard_.CountEnd(b.cell, stopping_, drained_);
  shard_.CountEnd(nullptr, stopping_, drained_);
  LetGo();
  EXPECT_EQ(shard_.ended(), 4u);
  EXPECT_EQ(CellsInUse(), before - 1);
  EXPECT_FALSE(shard_.inside());
}

TEST_F(ShardTest, WhoHoldsTheShardIsInside) {
  EXPECT_FALSE(shard_.inside());
  Hold();
  EXPECT_TRUE(shard_.inside());
  LetGo();
  EXPECT_FALSE(shard_.inside());
  shard_.AwaitLeft();
}

// What StopAll and AwaitEmpty do, against ends that are counted meanwhile: none of them is missed.
TEST_F(ShardTest, WhoStopsLearnsOfTheLastEnd) {
  constexpr int kThreads = 2;
  for (int round = 0; round < 300; ++round) {
    const uint64_t all = shard_.ended() + kThreads;
    stopping_ = false;
    std::latch begin(kThreads + 1);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        begin.arrive_and_wait();
        shard_.CountEnd(nullptr, stopping_, drained_);
      });
    }
    begin.arrive_and_wait();
    stopping_ = true;
    shard_.AwaitLeft();
    drained_.Await([&] { return shard_.ended() == all; });
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace troupe::internal
