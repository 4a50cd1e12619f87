// Streams on real threads: nothing is lost or doubled, each source's elements come in order, no
// window is overrun, and a stream that is stopped anywhere, at any time, leaves nothing behind.

#include <atomic>
#include <cstdint>
#include <optional>
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

using stream::Flow;
using stream::Generate;
using stream::Inlet;
using stream::Merge;
using stream::OpenInlet;
using stream::Source;

struct Element {
  int source;
  uint64_t n;
};

class StreamStressTest : public testing::TestWithParam<int> {
 protected:
  System system_{{.workers = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Workers, StreamStressTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

Source<Element> Count(int source, uint64_t elements, std::atomic<int64_t>& held,
                      std::atomic<int64_t>& most) {
  return Generate([=, &held, &most, n = uint64_t{0}]() mutable -> std::optional<Element> {
    if (n == elements) return std::nullopt;
    const int64_t now = held.fetch_add(1) + 1;
    int64_t before = most.load();
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    return Element{source, n++};
  });
}

TEST_P(StreamStressTest, NothingIsLostOrOutOfOrderAndNoWindowIsOverrun) {
  constexpr int kSources = 4;
  constexpr uint64_t kElements = 20'000;
  constexpr uint32_t kWindow = 16;
  std::atomic<int64_t> held{0}, most{0};
  std::vector<Source<Element>> sources;
  for (int i = 0; i < kSources; ++i) sources.push_back(Count(i, kElements, held, most));
  auto [left, right] = Merge(std::move(sources), {.window = kWindow})
                           .Async({.window = kWindow})
                           .Broadcast<2>({.window = kWindow});
  const auto check = [next = std::vector<uint64_t>(kSources)](uint64_t& count, Element e) mutable {
    EXPECT_EQ(e.n, next[e.source]++);
    ++count;
  };
  std::jthread other([&, right = std::move(right)]() mutable {
    EXPECT_EQ(*std::move(right).Fold(system_, uint64_t{0}, check).Wait(), kSources * kElements);
  });
  EXPECT_EQ(*std::move(left)
                 .Map([&held](Element e) { return held.fetch_sub(1), e; })
                 .Fold(system_, uint64_t{0}, check)
                 .Wait(),
            kSources * kElements);
  EXPECT_LE(most.load(), int64_t{kWindow} * (kSources + 1 + 1));
}

// Two threads push into one inlet.
TEST_P(StreamStressTest, ManyMayPushIntoOneInlet) {
  constexpr uint64_t kElements = 20'000;
  auto [inlet, source] = OpenInlet<Element>({.window = 8});
  std::vector<uint64_t> next(2);
  const Flow flow = std::move(source).Async({.window = 8}).ForEach(system_, [&next](Element e) {
    EXPECT_EQ(e.n, next[e.source]++);
  });
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([i, inlet = inlet] {
      for (uint64_t n = 0; n < kElements;) {
        const SendResult result = inlet.TryPush(Element{i, n});
        ASSERT_NE(result, SendResult::kClosed);
        if (result == SendResult::kQueued) {
          ++n;
        } else {
          EXPECT_TRUE(inlet.Room().Wait().ok());
        }
      }
    });
  }
  std::jthread closer([&, inlet = inlet] {
    threads.clear();
    inlet.Close();
  });
  ASSERT_TRUE(system_.Join(flow, absl::Minutes(5)).ok());
  EXPECT_EQ(next, (std::vector<uint64_t>{kElements, kElements}));
}

TEST_P(StreamStressTest, WhereverAndWheneverItIsStoppedNothingIsLeft) {
  std::minstd_rand random(7);
  for (int round = 0; round < 200; ++round) {
    std::atomic<uint64_t> seen{0};
    const ActorOptions actor{.name = "of the stream"};
    auto endless =
        Generate([n = uint64_t{0}]() mutable { return std::optional(Element{0, n++}); }, actor);
    auto [left, right] = std::move(endless)
                             .Async({.window = 4, .actor = actor})
                             .Broadcast<2>({.window = 4, .actor = actor});
    const Flow flow = std::move(left)
                          .Merge(std::move(right).Async({.window = 1, .actor = actor}),
                                 {.window = 4, .actor = actor})
                          .Batch(3, absl::Milliseconds(1))
                          .Async({.actor = actor})
                          .ForEach(system_, [&](std::vector<Element>) { seen.fetch_add(1); });
    const uint64_t until = random() % 200;
    while (seen.load() < until) std::this_thread::yield();
    if (round % 2 == 0) {
      flow.Stop();
    } else {
      std::vector<ActorStats> actors = system_.actors();
      std::erase_if(actors, [](const ActorStats& a) { return a.name.empty(); });  // a joiner
      ASSERT_FALSE(actors.empty());
      internal::StopActor(actors[random() % actors.size()].ref, StopWhen::kNow);
    }
    ASSERT_TRUE(system_.Join(flow, absl::Minutes(5)).ok());
    // The others follow; each is seen off before `seen` goes.
    for (const ActorStats& actor : system_.actors()) {
      ASSERT_TRUE(system_.Join(actor.ref, absl::Minutes(5)).ok());
    }
  }
  EXPECT_TRUE(system_.Shutdown(absl::Minutes(5)).complete);
}

}  // namespace
}  // namespace troupe
