// Coroutine handlers on real threads: answers, deadlines and ends race for suspended handlers.
#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

constexpr int kLayers = 4;
constexpr int kWidth = 6;

// Asks two actors of the next layer and adds what they say; the last layer says 1.
struct Count {
  using Reply = int64_t;
  absl::Duration timeout;
};
struct Fail {};

std::atomic<int64_t> frames{0};
struct FrameCount {
  FrameCount() { frames.fetch_add(1); }
  FrameCount(const FrameCount&) = delete;
  ~FrameCount() { frames.fetch_sub(1); }
};

class Node {
 public:
  explicit Node(std::vector<ActorRef<Node>> next) : next_(std::move(next)) {}

  Task<absl::StatusOr<int64_t>> On(Count count) {
    FrameCount frame;
    if (next_.empty()) co_return 1;
    const size_t i = random_() % next_.size();
    const size_t k = random_() % next_.size();
    if (random_() % 2 == 0) {
      auto [a, b] =
          co_await AllOf(next_[i].Ask(count, count.timeout), next_[k].Ask(count, count.timeout));
      if (!a.ok()) co_return a.status();
      if (!b.ok()) co_return b.status();
      co_return *a + *b;
    }
    absl::StatusOr<int64_t> a = co_await next_[i].Ask(count, count.timeout);
    if (!a.ok()) co_return a.status();
    absl::StatusOr<int64_t> b = co_await next_[k].Ask(count, count.timeout);
    if (!b.ok()) co_return b.status();
    co_return *a + *b;
  }
  void On(Fail, Context& self) { self.Fail(absl::AbortedError("told to")); }

 private:
  std::vector<ActorRef<Node>> next_;
  std::minstd_rand random_{static_cast<unsigned>(next_.size())};
};

using Layer = std::vector<ActorRef<Node>>;

Layer SpawnLayer(System& system, const Layer& next) {
  Layer layer;
  for (int i = 0; i < kWidth; ++i) layer.push_back(system.Spawn<Node>(next));
  return layer;
}

std::array<Layer, kLayers> SpawnAll(System& system) {
  std::array<Layer, kLayers> layers;
  Layer next;
  for (int i = kLayers; i-- > 0;) next = layers[i] = SpawnLayer(system, next);
  return layers;
}

constexpr int64_t kExpected = int64_t{1} << (kLayers - 1);

void AskManyTimes(const Layer& first, int times, absl::Duration timeout, bool may_fail) {
  for (int i = 0; i < times; ++i) {
    const absl::StatusOr<int64_t> sum = first[i % kWidth].Ask(Count{timeout}, timeout).Wait();
    if (!may_fail) ASSERT_TRUE(sum.ok()) << sum.status();
    if (sum.ok()) ASSERT_EQ(*sum, kExpected);
  }
}

TEST(CoroutineStressTest, EveryAskIsAnsweredAndNoFrameIsLeft) {
  {
    System system({.workers = 3});
    const auto layers = SpawnAll(system);
    std::vector<std::thread> askers;
    for (int t = 0; t < 3; ++t) {
      askers.emplace_back([&] { AskManyTimes(layers[0], 300, absl::Minutes(5), false); });
    }
    for (std::thread& asker : askers) asker.join();
  }
  EXPECT_EQ(frames.load(), 0);
}

TEST(CoroutineStressTest, ActorsThatEndMeanwhileUnwindTheirHandlers) {
  for (int round = 0; round < 20; ++round) {
    {
      System system({.workers = 3});
      const auto layers = SpawnAll(system);
      std::vector<std::thread> askers;
      for (int t = 0; t < 2; ++t) {
        askers.emplace_back([&] { AskManyTimes(layers[0], 60, absl::Minutes(5), true); });
      }
      for (int i = 0; i < kWidth; ++i) {
        for (int layer = 1; layer < kLayers; ++layer) {
          if ((i + layer + round) % 2 == 0) layers[layer][i].Stop();
          if ((i + layer + round) % 3 == 0) layers[layer][i].Send(Fail{});
          std::this_thread::yield();
        }
      }
      for (std::thread& asker : askers) asker.join();
    }
    ASSERT_EQ(frames.load(), 0);
  }
}

// Deadlines of microseconds: expiry, answer and the drop of expired requests meet.
TEST(CoroutineStressTest, DeadlinesRaceWithAnswers) {
  {
    System system({.workers = 3});
    const auto layers = SpawnAll(system);
    std::vector<std::thread> askers;
    for (int t = 0; t < 3; ++t) {
      askers.emplace_back(
          [&, t] { AskManyTimes(layers[0], 300, absl::Microseconds(20 + 60 * t), true); });
    }
    for (std::thread& asker : askers) asker.join();
    AskManyTimes(layers[0], kWidth, absl::Minutes(5), false);  // and all of them still work
  }
  EXPECT_EQ(frames.load(), 0);
}

}  // namespace
}  // namespace troupe
