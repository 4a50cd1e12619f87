// A lock for a few instructions: one holds it at a time, sees what was done before, and nobody who
// waits is forgotten.
#include "troupe/core/short_lock.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

template <class F>
void InThreads(int threads, F body) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(body, i);
  for (std::thread& thread : all) thread.join();
}

TEST(ShortLockTest, WhatIsDoneUnderTheLockIsSeenByTheNextAndDoneByOneAtATime) {
  constexpr int kThreads = 6;
  constexpr int64_t kEach = 30'000;
  ShortLock lock;
  int64_t count = 0;  // plain: a sanitizer would see a race
  std::atomic<int> inside{0};
  std::atomic<int> together{0};
  InThreads(kThreads, [&](int) {
    for (int64_t i = 0; i < kEach; ++i) {
      const ShortLockHolder hold(lock);
      if (inside.fetch_add(1, std::memory_order_relaxed) != 0) together.fetch_add(1);
      ++count;
      inside.fetch_sub(1, std::memory_order_relaxed);
    }
  });
  EXPECT_EQ(count, kThreads * kEach);
  EXPECT_EQ(together.load(), 0);
}

// The holder keeps it for longer than anybody looks, so that all others go to sleep.
TEST(ShortLockTest, WhoeverSleepsIsWoken) {
  constexpr int kThreads = 5;
  for (int round = 0; round < 10; ++round) {
    ShortLock lock;
    std::atomic<int> trying{0};
    int taken = 0;
    InThreads(kThreads, [&](int) {
      trying.fetch_add(1);
      const ShortLockHolder hold(lock);
      if (taken++ > 0) return;
      while (trying.load() < kThreads) std::this_thread::yield();
      for (int i = 0; i < 50; ++i) std::this_thread::yield();
    });
    EXPECT_EQ(taken, kThreads);
  }
}

// Sleepers and newcomers: who is woken may lose against one who comes just then, and sleeps again.
TEST(ShortLockTest, NobodyIsForgottenWhileOthersComeAndGo) {
  constexpr int kThreads = 8;
  ShortLock lock;
  std::vector<int> turns(kThreads);
  InThreads(kThreads, [&](int me) {
    for (int i = 0; i < 300; ++i) {
      {
        const ShortLockHolder hold(lock);
        ++turns[me];
        if (i % 16 == 0) std::this_thread::yield();
      }
      if (i % 3 == 0) std::this_thread::yield();
    }
  });
  EXPECT_EQ(turns, std::vector<int>(kThreads, 300));
}

TEST(ShortLockTest, ItIsFreeAgainAfterItsHolder) {
  ShortLock lock;
  for (int i = 0; i < 3; ++i) {
    const ShortLockHolder hold(lock);
  }
  lock.Lock();
  lock.Unlock();
}

}  // namespace
}  // namespace troupe
