#include "troupe/core/futex.h"

#include <chrono>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(FutexTest, AWordThatIsAlreadyDifferentIsNotWaitedFor) {
  std::atomic<uint32_t> word{1};
  EXPECT_TRUE(FutexWait(word, 0));
}

TEST(FutexTest, APassedDeadlineIsReported) {
  std::atomic<uint32_t> word{1};
  EXPECT_FALSE(FutexWait(word, 1, std::chrono::steady_clock::now()));
  EXPECT_FALSE(FutexWait(word, 1, SteadyTime{})) << "long ago";
  EXPECT_FALSE(FutexWait(word, 1, SteadyTime::min())) << "before the machine started";
}

TEST(FutexTest, ADeadlineIsInTheFutureAndLongOnesAreNever) {
  const SteadyTime now = std::chrono::steady_clock::now();
  EXPECT_GE(SteadyDeadline(absl::Hours(1)), now + std::chrono::hours(1));
  EXPECT_GE(SteadyDeadline(-absl::InfiniteDuration()), now);
  EXPECT_LT(SteadyDeadline(absl::ZeroDuration()), now + std::chrono::hours(1));
  EXPECT_EQ(SteadyDeadline(absl::InfiniteDuration()), kNoDeadline);
}

TEST(FutexTest, WakingNobodyWakesNobody) {
  std::atomic<uint32_t> word{1};
  EXPECT_EQ(FutexWake(word, 1), 0);
  EXPECT_EQ(FutexWake(word, kWakeAll), 0);
}

TEST(FutexTest, TwoThreadsTakeTurns) {
  constexpr uint32_t kTurns = 5'000;
  std::atomic<uint32_t> turn{0};
  auto play = [&turn](uint32_t parity) {
    for (uint32_t t = parity; t < kTurns; t += 2) {
      for (uint32_t seen; (seen = turn.load(std::memory_order_acquire)) != t;) {
        FutexWait(turn, seen);
      }
      turn.store(t + 1, std::memory_order_release);
      FutexWake(turn, 1);
    }
  };
  std::thread odd(play, 1);
  play(0);
  odd.join();
  EXPECT_EQ(turn, kTurns);
}

TEST(FutexTest, WakeAllReleasesEverybody) {
  std::atomic<uint32_t> word{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (word.load(std::memory_order_acquire) == 0) FutexWait(word, 0);
    });
  }
  word.store(1, std::memory_order_release);
  FutexWake(word, kWakeAll);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace troupe
