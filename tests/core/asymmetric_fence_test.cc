#include "troupe/core/asymmetric_fence.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr int kRounds = 10'000;

// Two threads write each to its own word and then read the other's, again and again.
class StoreBuffers {
 public:
  // How often neither saw what the other had written.
  int BothBlind() {
    int blind = 0;
    std::thread frequent([this] {
      for (int round = 1; round <= kRounds; ++round) {
        Meet(2 * round - 1);
        frequent_.store(round, std::memory_order_relaxed);
        LightFence();
        frequent_saw_ = rare_.load(std::memory_order_relaxed);
        Meet(2 * round);
      }
    });
    for (int round = 1; round <= kRounds; ++round) {
      Meet(2 * round - 1);
      rare_.store(round, std::memory_order_relaxed);
      HeavyFence();
      const int rare_saw = frequent_.load(std::memory_order_relaxed);
      Meet(2 * round);
      // Written before the other begins the next round: it waits for this thread.
      if (frequent_saw_ != round && rare_saw != round) ++blind;
    }
    frequent.join();
    return blind;
  }

 private:
  // The nth time that the two wait for each other. Turning, so that they leave at the same moment.
  void Meet(int n) {
    arrivals_.fetch_add(1);
    for (int looks = 1; arrivals_.load() < 2 * n; ++looks) {
      if (looks % 1024 == 0) std::this_thread::yield();  // the other may have no core
    }
  }

  alignas(64) std::atomic<int> arrivals_{0};
  alignas(64) std::atomic<int> frequent_{0};
  alignas(64) std::atomic<int> rare_{0};
  alignas(64) int frequent_saw_ = 0;
};

// One test, because a process prepares its fences once.
TEST(AsymmetricFenceTest, OneOfTwoSeesTheOthersStoreBeforeAndAfterTheFencesArePrepared) {  // F1
  EXPECT_FALSE(asymmetric_fence_internal::light_is_enough.load()) << "not prepared";
  EXPECT_EQ(StoreBuffers().BothBlind(), 0);
  PrepareAsymmetricFences();
  EXPECT_EQ(StoreBuffers().BothBlind(), 0);
  PrepareAsymmetricFences();
  EXPECT_EQ(StoreBuffers().BothBlind(), 0) << "twice is once";
}

// As a system does that starts beside one which runs.
TEST(AsymmetricFenceTest, TheFencesMayBePreparedWhileTheyAreInUse) {
  std::atomic<bool> done{false};
  std::thread preparer([&done] {
    while (!done.load()) PrepareAsymmetricFences();
  });
  EXPECT_EQ(StoreBuffers().BothBlind(), 0);
  done.store(true);
  preparer.join();
}

}  // namespace
}  // namespace troupe
