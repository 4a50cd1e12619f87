#include "troupe/actors/internal/shard.h"

#include <cstdint>
#include <latch>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"

namespace troupe::internal {
namespace {

class ShardTest : public testing::Test {
 protected:
  size_t CellsInUse() const { return slab_.stats().cells_in_use; }
  void TakeAndNote() {
    const Shard::Taken taken = shard_.Take();
    EXPECT_EQ(taken.incarnation % 2, 0u);
    EXPECT_TRUE(incarnations_.insert(taken.incarnation).second);
    EXPECT_TRUE(cells_.insert(taken.cell).second);
  }

  // The analysis does not follow a lock from one function into another.
  void Hold() ABSL_NO_THREAD_SAFETY_ANALYSIS { ASSERT_TRUE(shard_.lock().TryAcquire()); }
  void LetGo() ABSL_NO_THREAD_SAFETY_ANALYSIS { shard_.lock().Release(); }

  Slab<ActorCell> slab_{nullptr};
  Shard shard_{slab_};
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
    shard_.RetireAll(*first);
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
            ASSERT_EQ(cell->next, mark);
            shard_.Retire(*cell);
          }
          mine.clear();
        }
      }
      for (ActorCell* cell : mine) shard_.Retire(*cell);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shard_.spawned(), uint64_t{kThreads} * kRounds);
}

TEST_F(ShardTest, SomebodyIsInsideUntilTheCountOfAnEndIsFinished) {
  EXPECT_FALSE(shard_.inside());
  shard_.BeginCountEnd();
  EXPECT_TRUE(shard_.inside());
  EXPECT_EQ(shard_.ended(), 1u);
  shard_.FinishCountEnd();
  EXPECT_FALSE(shard_.inside());
  EXPECT_EQ(shard_.ended(), 1u);
}

}  // namespace
}  // namespace troupe::internal
