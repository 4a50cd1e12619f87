#include "troupe/core/slab.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <new>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

// State 0 and kClosed mean "not in use" (S1).
struct alignas(64) Cell {
  static constexpr uint64_t kClosed = ~uint64_t{0};
  std::atomic<uint64_t> state;
  std::array<std::atomic<uint64_t>, 23> body;
};
static_assert(sizeof(Cell) == 192);

// A cell whose size does not divide that of a span.
struct alignas(64) OddCell {
  std::array<uint64_t, 40> words;
};
static_assert(sizeof(OddCell) == 320);

bool Resident(const void* address) {
  const auto page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  unsigned char resident = 0;
  void* const page =
      reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(address) / page_bytes * page_bytes);
  EXPECT_EQ(mincore(page, 1, &resident), 0);
  return (resident & 1) != 0;
}

TEST(SlabTest, AFreshCellIsAllZeroAndAligned) {
  Slab<OddCell> slab(nullptr);
  for (int i = 0; i < 1'000; ++i) {
    const OddCell* cell = slab.Allocate();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(cell) % 64, 0u);
    for (uint64_t word : cell->words) ASSERT_EQ(word, 0u);
  }
}

TEST(SlabTest, CellsDoNotOverlap) {
  Slab<OddCell> slab(nullptr);
  std::set<uintptr_t> addresses;
  for (int i = 0; i < 20'000; ++i) {
    addresses.insert(reinterpret_cast<uintptr_t>(slab.Allocate()));
  }
  EXPECT_EQ(addresses.size(), 20'000u);
  uintptr_t end_of_previous = 0;
  for (uintptr_t address : addresses) {
    ASSERT_GE(address, end_of_previous);
    end_of_previous = address + sizeof(OddCell);
  }
}

TEST(SlabTest, AFreedCellComesBackAsItWasLeft) {
  Slab<Cell> slab(nullptr);
  Cell* const cell = slab.Allocate();
  cell->state = Cell::kClosed;
  slab.Free(cell);
  EXPECT_EQ(cell->state, Cell::kClosed) << "S2, S3: still there, and untouched";
  EXPECT_EQ(slab.Allocate(), cell);
  EXPECT_EQ(cell->state, Cell::kClosed);
}

TEST(SlabTest, EveryCellLeadsToItsOwner) {
  int mine = 0, other = 0;
  Slab<Cell> slab(&mine), other_slab(&other);
  for (int i = 0; i < 30'000; ++i) {
    ASSERT_EQ(Slab<Cell>::OwnerOf(slab.Allocate()), &mine);
    if (i % 100 == 0) {
      ASSERT_EQ(Slab<Cell>::OwnerOf(other_slab.Allocate()), &other);
    }
  }
}

TEST(SlabTest, StatsCountWhatIsHandedOut) {
  Slab<Cell> slab(nullptr);
  EXPECT_EQ(slab.stats().mapped_bytes, 0u) << "an unused slab costs nothing";
  Cell* const a = slab.Allocate();
  Cell* const b = slab.Allocate();
  EXPECT_EQ(slab.stats().cells_in_use, 2u);
  EXPECT_GT(slab.stats().resident_bytes, 0u);
  slab.Free(a);
  slab.Free(b);
  EXPECT_EQ(slab.stats().cells_in_use, 0u);
}

TEST(SlabTest, AMillionCellsGoBackToTheKernelAndReadZeroAfterwards) {
  constexpr size_t kCells = 1'000'000;
  Slab<Cell> slab(nullptr);
  std::vector<Cell*> cells(kCells);
  for (Cell*& cell : cells) {
    cell = slab.Allocate();
    cell->state.store(Cell::kClosed, std::memory_order_relaxed);
  }
  EXPECT_GE(slab.stats().resident_bytes, kCells * sizeof(Cell));
  EXPECT_LE(slab.stats().mapped_bytes, kCells * sizeof(Cell) * 102 / 100 + (2 << 20));
  for (Cell* cell : cells) slab.Free(cell);
  EXPECT_LE(slab.stats().resident_bytes, size_t{1} << 20);

  size_t resident = 0, zero = 0;
  for (size_t i = 0; i < kCells; i += 1'000) resident += Resident(cells[i]);
  for (size_t i = 0; i < kCells; i += 1'000) zero += cells[i]->state == 0;
  EXPECT_LE(resident, kCells / 1'000 / 50);
  EXPECT_GE(zero, kCells / 1'000 * 49 / 50) << "S1";

  const size_t mapped = slab.stats().mapped_bytes;
  for (Cell*& cell : cells) cell = slab.Allocate();
  EXPECT_EQ(slab.stats().mapped_bytes, mapped) << "the second million needs no new address space";
  EXPECT_EQ(std::set<Cell*>(cells.begin(), cells.end()).size(), kCells);
}

TEST(SlabTest, ForEachVisitsTheCellsInUseOnceEach) {
  Slab<Cell> slab(nullptr);
  std::vector<Cell*> cells(5'000);
  for (Cell*& cell : cells) cell = slab.Allocate();
  std::set<Cell*> expected;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i % 3 == 0) {
      slab.Free(cells[i]);
    } else {
      expected.insert(cells[i]);
    }
  }
  std::set<Cell*> visited;
  slab.ForEach([&](Cell& cell) { EXPECT_TRUE(visited.insert(&cell).second); });
  EXPECT_EQ(visited, expected);
}

TEST(SlabTest, ForEachMayAllocateAndFree) {
  Slab<Cell> slab(nullptr);
  for (int i = 0; i < 1'000; ++i) slab.Allocate()->state = 1;
  slab.ForEach([&](Cell& cell) {
    if (cell.state != 1) return;
    cell.state = Cell::kClosed;
    slab.Free(&cell);
    slab.Allocate()->state = 2;
  });
  EXPECT_EQ(slab.stats().cells_in_use, 1'000u);
}

TEST(SlabCacheTest, ACacheTakesCellsByTheBatchAndGivesThemAllBack) {
  Slab<Cell> slab(nullptr);
  {
    Slab<Cell>::Cache cache(slab);
    std::vector<Cell*> cells;
    for (int i = 0; i < 33; ++i) cells.push_back(cache.Allocate());
    EXPECT_EQ(slab.stats().cells_in_use, 64u);
    for (Cell* cell : cells) cache.Free(cell);
    EXPECT_EQ(slab.stats().cells_in_use, 64u);
    EXPECT_EQ(std::set<Cell*>(cells.begin(), cells.end()).size(), 33u);
  }
  EXPECT_EQ(slab.stats().cells_in_use, 0u);
}

TEST(SlabCacheTest, ACacheThatOnlyGetsCellsPassesThemOn) {
  Slab<Cell> slab(nullptr);
  std::vector<Cell*> cells(1'000);
  for (Cell*& cell : cells) cell = slab.Allocate();
  Slab<Cell>::Cache cache(slab);
  for (Cell* cell : cells) cache.Free(cell);
  EXPECT_LE(slab.stats().cells_in_use, 64u);
  cache.Flush();
  EXPECT_EQ(slab.stats().cells_in_use, 0u);
}

// Fills the address space it is left with. True if the slab says so and goes on working.
bool SurvivesTheEndOfAddressSpace() {
  Slab<Cell> slab(nullptr);
  Cell* const first = slab.Allocate();
  rlimit limit{.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
  size_t allocated = 1;
  try {
    for (;; ++allocated) slab.Allocate();
  } catch (const std::bad_alloc&) {
  }
  if (allocated < 10'000 || slab.stats().cells_in_use != allocated) return false;
  slab.Free(first);
  return slab.Allocate() == first;
}

TEST(SlabTest, NoMoreAddressSpaceIsBadAllocAndLeavesTheSlabUsable) {
#ifdef TROUPE_SANITIZER
  GTEST_SKIP() << "sanitizers need address space for themselves";
#endif
  EXPECT_EXIT(_exit(SurvivesTheEndOfAddressSpace() ? 0 : 1), testing::ExitedWithCode(0), "");
}

// ---- beside

struct Beside {
  std::array<std::atomic<uint64_t>, 4> words;
};

TEST(SlabTest, EachCellHasABesideOfItsOwnThatStaysWhenTheCellIsFreed) {
  constexpr uint64_t kCells = 40'000;  // several chunks
  Slab<OddCell, Beside> slab(nullptr);
  std::vector<OddCell*> cells;
  for (uint64_t i = 0; i < kCells; ++i) {
    cells.push_back(slab.Allocate());
    for (auto& word : slab.BesideOf(cells[i]).words) ASSERT_EQ(word.exchange(i), 0u);
  }
  for (OddCell* cell : cells) slab.Free(cell);
  for (uint64_t i = 0; i < kCells; ++i) {
    for (auto& word : slab.BesideOf(cells[i]).words) ASSERT_EQ(word.load(), i);
  }
}

TEST(SlabTest, ABesideThatNobodyWritesTakesNoMemory) {
  Slab<Cell, Beside> slab(nullptr);
  const Cell* const cell = slab.Allocate();
  EXPECT_FALSE(Resident(&slab.BesideOf(cell)));
  slab.BesideOf(cell).words[0] = 1;
  EXPECT_TRUE(Resident(&slab.BesideOf(cell)));
}

// ---- threads ----------------------------------------------------------------------------------

TEST(SlabStressTest, NoCellIsHandedOutTwiceWhileOthersLookAndPagesComeAndGo) {
  constexpr int kThreads = 3, kSteps = 40'000;
  Slab<Cell> slab(nullptr);
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const uint64_t mark = static_cast<uint64_t>(t) + 1;
      std::mt19937 random(t);
      Slab<Cell>::Cache cache(slab);
      std::vector<Cell*> mine;
      auto free_one = [&] {
        std::swap(mine[random() % mine.size()], mine.back());
        ASSERT_EQ(mine.back()->state.exchange(Cell::kClosed), mark) << "somebody else has it too";
        if (random() % 8 == 0) {
          slab.Free(mine.back());
        } else {
          cache.Free(mine.back());
        }
        mine.pop_back();
      };
      bool growing = true;
      for (int step = 0; step < kSteps; ++step) {
        if (mine.size() > 6'000) growing = false;
        if (mine.empty()) growing = true;
        if (random() % 8 < (growing ? 6u : 2u)) {
          Cell* const cell = random() % 8 == 0 ? slab.Allocate() : cache.Allocate();
          const uint64_t before = cell->state.exchange(mark);
          ASSERT_TRUE(before == 0 || before == Cell::kClosed) << before;
          mine.push_back(cell);
        } else if (!mine.empty()) {
          free_one();
        }
      }
      while (!mine.empty()) free_one();
    });
  }
  std::thread looker([&] {
    while (!done.load()) {
      slab.ForEach([&](Cell& cell) {
        const uint64_t state = cell.state.load(std::memory_order_relaxed);
        ASSERT_TRUE(state <= kThreads || state == Cell::kClosed) << state;
      });
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  looker.join();
  EXPECT_EQ(slab.stats().cells_in_use, 0u);
}

}  // namespace
}  // namespace troupe
