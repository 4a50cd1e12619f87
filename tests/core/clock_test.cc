#include "troupe/core/clock.h"

#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "troupe/core/coarse_clock.h"

namespace troupe {
namespace {

TEST(SystemClockTest, NeverGoesBackAndStartsAtTheWallTime) {
  const absl::Time before = absl::Now();
  SystemClock clock;
  absl::Time previous = clock.Now();
  EXPECT_GE(previous, before - absl::Minutes(1)) << "allows for somebody setting the wall clock";
  for (int i = 0; i < 10'000; ++i) {
    const absl::Time now = clock.Now();
    ASSERT_GE(now, previous);
    previous = now;
  }
}

// In this order, so that it holds however long the thread is kept from running in between.
void ExpectRight(const SystemClock& clock) {
  const absl::Time before = clock.Now();
  const absl::Time rough = clock.RoughNow();
  const absl::Time after = clock.Now();
  ASSERT_GE(rough, before);
  ASSERT_LE(rough, after + Clock::kRoughness);
}

void PassTime(const SystemClock& clock, absl::Duration time) {
  const absl::Time begun = clock.Now();
  while (clock.Now() < begun + time) {
  }
}

TEST(SystemClockTest, TheRoughTimeIsNeverEarlyAndAtMostThatLate) {
  SystemClock clock;
  for (int i = 0; i < 10'000; ++i) {
    ExpectRight(clock);
    if (i % 100 == 0) PassTime(clock, Clock::kRoughness);  // what a reading may be used for
  }
}

// A reading is the thread's, and clocks start at different times.
TEST(SystemClockTest, RoughTimesOfTwoClocksDoNotMix) {
  SystemClock one;
  PassTime(one, absl::Milliseconds(1));
  SystemClock two;
  for (int i = 0; i < 100; ++i) {
    ExpectRight(one);
    ExpectRight(two);
  }
}

TEST(ManualClockTest, TheRoughTimeIsExact) {
  ManualClock clock(absl::UnixEpoch());
  clock.Advance(absl::Nanoseconds(7));
  EXPECT_EQ(clock.RoughNow(), clock.Now());
}

TEST(SystemClockTest, ToSteadyNamesTheSameInstant) {
  SystemClock clock;
  const auto before = SystemClock::Steady::now();
  const auto steady = clock.ToSteady(clock.Now());
  const auto after = SystemClock::Steady::now();
  EXPECT_LE(before, steady);
  EXPECT_LE(steady, after);
}

TEST(SystemClockTest, FarAwayTimesSaturateInsteadOfWrapping) {
  SystemClock clock;
  EXPECT_EQ(clock.ToSteady(absl::InfiniteFuture()), SystemClock::Steady::time_point::max());
  EXPECT_EQ(clock.ToSteady(clock.Now() + absl::Hours(24 * 365 * 300)),
            SystemClock::Steady::time_point::max());
  EXPECT_LT(clock.ToSteady(absl::InfinitePast()), SystemClock::Steady::now());
}

TEST(ManualClockTest, MovesOnlyWhenToldToAndOnlyForward) {
  ManualClock clock(absl::UnixEpoch());
  EXPECT_EQ(clock.Now(), absl::UnixEpoch());
  clock.Advance(absl::Seconds(3));
  EXPECT_EQ(clock.Now(), absl::UnixEpoch() + absl::Seconds(3));
  clock.Advance(-absl::Seconds(1));
  clock.AdvanceTo(absl::UnixEpoch());
  EXPECT_EQ(clock.Now(), absl::UnixEpoch() + absl::Seconds(3));
  clock.AdvanceTo(absl::UnixEpoch() + absl::Seconds(5));
  EXPECT_EQ(clock.Now(), absl::UnixEpoch() + absl::Seconds(5));
}

TEST(ManualClockTest, ThreadsMayAdvanceItAtOnce) {
  ManualClock clock;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) clock.Advance(absl::Milliseconds(1));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clock.Now(), absl::UnixEpoch() + absl::Seconds(4));
}

TEST(CoarseClockTest, StandsStillUntilItIsRefreshed) {
  ManualClock clock;
  CoarseClock coarse(clock);
  EXPECT_EQ(coarse.NowMs(), 0);
  clock.Advance(absl::Milliseconds(7) + absl::Microseconds(900));
  EXPECT_EQ(coarse.NowMs(), 0);
  coarse.Refresh(clock);
  EXPECT_EQ(coarse.NowMs(), 7) << "whole milliseconds";
}

TEST(CoarseClockTest, NeverGoesBackWhoeverRefreshesIt) {
  ManualClock clock;
  CoarseClock coarse(clock);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      int64_t previous_ms = 0;
      for (int i = 0; i < 5'000; ++i) {
        clock.Advance(absl::Microseconds(100));
        coarse.Refresh(clock);
        ASSERT_GE(coarse.NowMs(), previous_ms);
        previous_ms = coarse.NowMs();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(coarse.NowMs(), 1'500);
}

}  // namespace
}  // namespace troupe
