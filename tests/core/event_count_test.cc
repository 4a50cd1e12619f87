#include "troupe/core/event_count.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(EventCountTest, ANotificationAfterPrepareWaitIsNotSleptThrough) {
  EventCount events;
  const EventCount::Key key = events.PrepareWait();
  events.NotifyOne();
  EXPECT_TRUE(events.CommitWait(key));
}

TEST(EventCountTest, WithNobodyWaitingANotificationChangesNothing) {
  EventCount events;
  const EventCount::Key before = events.PrepareWait();
  events.CancelWait();
  events.NotifyOne();
  events.NotifyAll();
  EXPECT_EQ(events.PrepareWait(), before) << "E3";
  events.CancelWait();
}

TEST(EventCountTest, APassedDeadlineEndsTheWait) {
  EventCount events;
  EXPECT_FALSE(events.CommitWait(events.PrepareWait(), SteadyTime{}));
  const EventCount::Key key = events.PrepareWait();
  events.NotifyOne();
  EXPECT_TRUE(events.CommitWait(key, SteadyTime{})) << "notified first, so it did not wait";
}

TEST(EventCountTest, AwaitLooksOnceMoreAfterTheDeadline) {
  EventCount events;
  int looks = 0;
  EXPECT_FALSE(events.Await([&] { return ++looks < 0; }, SteadyTime{}));
  EXPECT_EQ(looks, 2);
  EXPECT_TRUE(events.Await([&] { return ++looks == 4; }, SteadyTime{}));
  EXPECT_EQ(looks, 4);
}

// A semaphore made of a counter and an event count.
class Tokens {
 public:
  void Put() {
    available_.fetch_add(1, std::memory_order_relaxed);
    events_.NotifyOne();
  }

  void Take() {
    while (!TryTake()) {
      const EventCount::Key key = events_.PrepareWait();
      if (TryTake()) return events_.CancelWait();
      events_.CommitWait(key);
    }
  }

 private:
  // Relaxed throughout: it is the event count that must make the count visible in time.
  bool TryTake() {
    int n = available_.load(std::memory_order_relaxed);
    while (n > 0 && !available_.compare_exchange_weak(n, n - 1, std::memory_order_relaxed)) {
    }
    return n > 0;
  }

  std::atomic<int> available_{0};
  EventCount events_;
};

TEST(EventCountStressTest, EveryTokenFindsATakerAndNobodySleepsOn) {
  constexpr int kThreads = 3, kTokens = 20'000;
  Tokens tokens;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTokens; ++i) tokens.Take();
    });
    threads.emplace_back([&] {
      for (int i = 0; i < kTokens; ++i) tokens.Put();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(EventCountStressTest, TwoThreadsTakeTurns) {
  constexpr int kTurns = 5'000;
  Tokens ping, pong;
  std::thread other([&] {
    for (int i = 0; i < kTurns; ++i) {
      ping.Take();
      pong.Put();
    }
  });
  for (int i = 0; i < kTurns; ++i) {
    ping.Put();
    pong.Take();
  }
  other.join();
}

TEST(EventCountStressTest, NotifyAllReleasesEverybody) {
  constexpr int kThreads = 4, kRounds = 500;
  EventCount events;
  std::atomic<int> round{0}, arrived{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int r = 1; r <= kRounds; ++r) {
        events.Await([&] { return round.load(std::memory_order_relaxed) >= r; });
        ++arrived;
      }
    });
  }
  for (int r = 1; r <= kRounds; ++r) {
    round.store(r, std::memory_order_relaxed);
    events.NotifyAll();
    while (arrived.load() < r * kThreads) std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace troupe
