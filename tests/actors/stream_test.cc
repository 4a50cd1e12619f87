// Streams: order, steps, ends, failure and cancelling. How much they hold is in stream_bound_test.cc.
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "tests/actors/streamed.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using stream::Flow;
using stream::From;
using stream::Generate;
using stream::Inlet;
using stream::Merge;
using stream::OpenInlet;
using stream::Source;
using stream::StageOptions;

class StreamTest : public Streamed {};

// ---- order, steps

TEST_F(StreamTest, ElementsComeInOrderThroughAllActors) {
  for (const uint32_t window : {1u, 2u, 3u, 7u, 256u}) {
    const StageOptions options{.window = window};
    auto all = UpTo(1000)
                   .Async(options)
                   .Map([](int n) { return 2 * n; })
                   .Filter([](int n) { return n % 3 == 0; })
                   .Async(options)
                   .Map([](int n) { return std::to_string(n); })
                   .Collect(system_)
                   .Wait();
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->size(), 334u);
    for (int i = 0; i < 334; ++i) EXPECT_EQ((*all)[i], std::to_string(6 * i));
  }
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(StreamTest, AStreamThatNeverSaysAsyncIsOneActor) {
  const uint64_t before = system_.stats().spawned;
  (void)UpTo(3).Map([](int n) { return n; }).Batch(2).ForEach(system_, [](std::vector<int>) {});
  EXPECT_EQ(system_.stats().spawned - before, 1u);
}

TEST_F(StreamTest, NothingRunsBeforeItsEnd) {
  int& made = Keep<int>();
  auto source =
      Generate([&made] { return std::optional<int>(++made); }).Async().Map([](int n) { return n; });
  Run();
  EXPECT_EQ(made, 0);
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(StreamTest, ElementsMayBeMoveOnlyAndMayBeBools) {
  std::vector<std::unique_ptr<int>> owned;
  for (int n : Numbers(10)) owned.push_back(std::make_unique<int>(n));
  auto all = From(std::move(owned))
                 .Async({.window = 2})
                 .Filter([](const std::unique_ptr<int>& p) { return *p > 1; })
                 .Merge(From(std::vector<std::unique_ptr<int>>()))
                 .Map([](std::unique_ptr<int> p) { return *p == 5; })
                 .Async({.window = 3})
                 .Batch(3)
                 .Collect(system_)
                 .Wait();
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(*all, (std::vector<std::vector<bool>>{
                      {false, false, false}, {true, false, false}, {false, false}}));
}

TEST_F(StreamTest, WhatARangeHoldsIsMovedOutAndWhatAViewShowsIsCopied) {
  std::vector<std::string> words{"one", "two"};
  EXPECT_EQ(*From(std::views::all(words)).Collect(system_).Wait(), words);
  EXPECT_EQ(words[0], "one");
  EXPECT_EQ(*From(std::move(words)).Collect(system_).Wait(),
            (std::vector<std::string>{"one", "two"}));
}

TEST_F(StreamTest, TheLastBatchHoldsWhatIsLeft) {
  EXPECT_EQ(*UpTo(5).Batch(2).Collect(system_).Wait(),
            (std::vector<std::vector<int>>{{0, 1}, {2, 3}, {4}}));
  EXPECT_EQ(*UpTo(4).Async({.window = 1}).Batch(2).Async({.window = 1}).Collect(system_).Wait(),
            (std::vector<std::vector<int>>{{0, 1}, {2, 3}}));
  EXPECT_TRUE(UpTo(0).Batch(2).Collect(system_).Wait()->empty());
}

TEST_F(StreamTest, ABatchThatHasWaitedLongEnoughGoesOn) {
  auto [inlet, source] = OpenInlet<int>();
  auto& batches = Keep<std::vector<std::vector<int>>>();
  (void)std::move(source)
      .Batch(3, absl::Seconds(10))
      .Async()
      .ForEach(system_, [&](std::vector<int> b) { batches.push_back(b); });
  Run();
  EXPECT_EQ(inlet.TryPush(1), SendResult::kQueued);
  Advance(absl::Seconds(9));
  EXPECT_EQ(inlet.TryPush(2), SendResult::kQueued);
  Run();
  EXPECT_TRUE(batches.empty());
  Advance(absl::Seconds(1));
  EXPECT_EQ(batches, (std::vector<std::vector<int>>{{1, 2}}));
  for (int n : {3, 4, 5, 6}) EXPECT_EQ(inlet.TryPush(std::move(n)), SendResult::kQueued);
  Advance(absl::Seconds(9));
  EXPECT_EQ(batches.back(), (std::vector<int>{3, 4, 5})) << "a full one waits for no time";
  Advance(absl::Seconds(1));
  EXPECT_EQ(batches.back(), (std::vector<int>{6})) << "each has its time from its first element";
  Advance(absl::Hours(1));
  EXPECT_EQ(batches.size(), 3u) << "no empty ones";
}

TEST_F(StreamTest, AFilterThatLetsNothingThroughLetsOthersRun) {
  int& tried = Keep<int>();
  const Flow flow = Generate([&tried] {
                      return std::optional<int>(++tried);
                    }).Filter([](int) {
                        return false;
                      }).ForEach(system_, [](int) {});
  int& other = Keep<int>();
  system_.Spawn([&other](int n) { other = n; }).Send(5);
  loop_.RunUntilIdle(10);
  EXPECT_EQ(other, 5);
  flow.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 1u);
}

// ---- merge, broadcast

TEST_F(StreamTest, MergedSourcesHaveEqualShares) {
  std::vector<Source<int>> sources;
  for (int i = 0; i < 3; ++i) {
    sources.push_back(Generate([i] { return std::optional<int>(i); }));
  }
  std::vector<int>& seen = Keep<std::vector<int>>();
  const Flow flow =
      Merge(std::move(sources), {.window = 8}).ForEach(system_, [&](int i) { seen.push_back(i); });
  while (seen.size() < 3000) loop_.RunOne();
  flow.Stop();
  for (int i : {0, 1, 2}) EXPECT_NEAR(std::ranges::count(seen, i), seen.size() / 3, 24) << i;
  Run();
}

TEST_F(StreamTest, AMergeCompletesWithTheLastOfItsSources) {
  auto [inlet, source] = OpenInlet<int>();
  auto& seen = Keep<std::vector<int>>();
  const Flow flow =
      UpTo(3).Merge(std::move(source)).ForEach(system_, [&](int n) { seen.push_back(n); });
  Run();
  EXPECT_EQ(seen, Numbers(3));
  EXPECT_EQ(system_.stats().live, 2u) << "the source that has completed is gone";
  EXPECT_EQ(inlet.TryPush(3), SendResult::kQueued);
  inlet.Close();
  EXPECT_EQ(Watched(flow)->reason, ExitReason::kNormal);
  EXPECT_EQ(seen, Numbers(4));
  EXPECT_TRUE(Merge(std::vector<Source<int>>()).Collect(system_).Wait()->empty());
}

TEST_F(StreamTest, EveryBranchGetsEveryElement) {
  auto [left, right] = UpTo(100).Broadcast<2>({.window = 4});
  auto merged = std::move(left)
                    .Map([](int n) { return -n; })
                    .Merge(std::move(right), {.window = 2})
                    .Collect(system_)
                    .Wait();
  ASSERT_TRUE(merged.ok()) << merged.status();
  std::vector<int> up, down;
  for (int n : *merged) (n < 0 || (n == 0 && down.empty()) ? down : up).push_back(n < 0 ? -n : n);
  EXPECT_EQ(down, Numbers(100));
  EXPECT_EQ(up, Numbers(100));
}

TEST_F(StreamTest, ABranchThatEndsOrIsNeverRunIsLeftOut) {
  auto [first, second, third] = UpTo(100).Broadcast<3>({.window = 2});
  auto& seen = Keep<std::vector<int>>();
  const Flow failing = std::move(first).ForEach(system_, [](int n) {
    if (n == 10) throw std::runtime_error("ten");
  });
  const Flow good = std::move(second).ForEach(system_, [&](int n) { seen.push_back(n); });
  Run();
  EXPECT_TRUE(seen.empty()) << "the third may still come";
  {
    const auto dropped = std::move(third);
  }
  EXPECT_EQ(Watched(good)->reason, ExitReason::kNormal);
  EXPECT_EQ(Watched(failing)->reason, ExitReason::kNoSuchActor);
  EXPECT_EQ(seen, Numbers(100));
}

TEST_F(StreamTest, TheLastBranchToEndTakesTheSourceWithIt) {
  auto [left, right] = Endless().Broadcast<2>();
  const Flow one = std::move(left).ForEach(system_, [](int) {});
  const Flow other = std::move(right).ForEach(system_, [](int) {});
  loop_.RunUntilIdle(100);
  one.Stop();
  loop_.RunUntilIdle(100);
  EXPECT_EQ(system_.stats().live, 2u);
  other.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

// ---- completion, failure, cancelling

TEST_F(StreamTest, AnExceptionEndsTheStreamBehindTheElementsBeforeIt) {
  const auto throw_at = [](int at) {
    return
        [at](int n) { return n == at ? throw std::runtime_error("no " + std::to_string(n)) : n; };
  };
  for (const uint32_t window : {1u, 2u, 256u}) {
    auto& seen = Keep<std::vector<int>>();
    const Flow flow = UpTo(1000)
                          .Map(throw_at(20))
                          .Async({.window = window})
                          .Map(throw_at(700))
                          .Async({.window = window})
                          .ForEach(system_, [&](int n) { seen.push_back(n); });
    const Down down = *Watched(flow);
    EXPECT_EQ(down.reason, ExitReason::kFailed);
    EXPECT_EQ(down.status, absl::InternalError("no 20"));
    EXPECT_EQ(seen, Numbers(20));
  }
  EXPECT_EQ(UpTo(9)
                .Batch(4)
                .Map([](std::vector<int> b) { return b.at(2); })
                .Collect(system_)
                .Wait()
                .status()
                .code(),
            absl::StatusCode::kInternal);
}

TEST_F(StreamTest, AFailureInTheMiddleEndsBothSidesWithItsStatus) {
  const Flow flow = Endless({.name = "source"})
                        .Async({.actor = {.name = "middle"}})
                        .Map([](int n) { return n == 5 ? throw std::runtime_error("five") : n; })
                        .Async()
                        .ForEach(system_, [](int) {});
  const auto source = Named("source"), middle = Named("middle");
  std::vector<std::optional<Down>*> ends = {&Watch(source), &Watch(middle), &Watch(flow)};
  Run();
  for (const auto* end : ends) {
    ASSERT_TRUE(end->has_value());
    EXPECT_EQ((*end)->reason, ExitReason::kFailed);
    EXPECT_EQ((*end)->status, absl::InternalError("five"));
  }
}

TEST_F(StreamTest, AnEndThatThrowsFailsTheStreamUpToItsSource) {
  const Flow flow = Endless({.name = "source"}).Async().ForEach(system_, [](int n) {
    if (n == 7) throw std::runtime_error("seven");
  });
  auto& source = Watch(Named("source"));
  EXPECT_EQ(Watched(flow)->status, absl::InternalError("seven"));
  EXPECT_EQ(source->status, absl::InternalError("seven"));
  EXPECT_EQ(system_.stats().live, watchers());
}

TEST_F(StreamTest, StopCancelsUpToTheSource) {
  const Flow flow =
      Endless({.name = "source"}).Async().Merge(Endless()).ForEach(system_, [](int) {});
  auto& source = Watch(Named("source"));
  auto& end = Watch(flow);
  loop_.RunUntilIdle(50);
  flow.Stop();
  Run();
  EXPECT_EQ(end->reason, ExitReason::kNormal);
  EXPECT_EQ(source->reason, ExitReason::kNormal);
  EXPECT_EQ(system_.stats().live, watchers());
}

TEST_F(StreamTest, AStageThatIsStoppedAloneFailsWhatComesAfterIt) {
  auto& seen = Keep<std::vector<int>>();
  const Flow flow = Endless({.name = "source"}).Async({.window = 4}).ForEach(system_, [&](int n) {
    seen.push_back(n);
  });
  loop_.RunUntilIdle(20);
  internal::StopActor(Named("source"), StopWhen::kNow);
  EXPECT_TRUE(absl::IsAborted(Watched(flow)->status));
  EXPECT_EQ(seen, Numbers(static_cast<int>(seen.size()))) << "all that it had sent";
}

TEST_F(StreamTest, AStreamEndsWithTheActorThatRunsIt) {
  struct Owner {
    void OnStart(Context& self) {
      (void)Endless().Async().ForEach(self, [](int) {});
    }
    void On(int) {}
  };
  const auto owner = system_.Spawn<Owner>();
  loop_.RunUntilIdle(10);
  EXPECT_EQ(system_.stats().live, 3u);
  owner.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(StreamTest, DuringShutdownNoStreamIsRun) {
  auto late = Endless().Async();
  auto [left, right] = Endless().Broadcast<2>();
  system_.Shutdown(absl::Seconds(1));
  EXPECT_FALSE(std::move(late).ForEach(system_, [](int) {}));
  EXPECT_FALSE(std::move(left).ForEach(system_, [](int) {}));
  EXPECT_FALSE(Endless().Collect(system_).Wait().ok());
}

TEST_F(StreamTest, FoldAnswersWithTheValueOrTheFailure) {
  const auto add = [](int& sum, int n) { sum += n; };
  EXPECT_EQ(*UpTo(101).Async().Fold(system_, 0, add).Wait(), 5050);
  EXPECT_EQ(Generate([n = 0]() mutable {
              return ++n == 3 ? throw std::runtime_error("three") : std::optional(n);
            })
                .Async()
                .Fold(system_, 0, add)
                .Wait()
                .status(),
            absl::InternalError("three"));
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(StreamTest, WhatCannotBeIsRefused) {
  EXPECT_THROW((void)UpTo(1).Async({.window = 0}), std::invalid_argument);
  EXPECT_THROW((void)UpTo(1).Async({.actor = {.capacity = 5}}), std::invalid_argument);
  EXPECT_THROW((void)UpTo(1).Batch(0), std::invalid_argument);
  EXPECT_THROW((void)UpTo(1).Batch(1, absl::ZeroDuration()), std::invalid_argument);
  EXPECT_THROW((void)OpenInlet<int>({.window = 0}), std::invalid_argument);
  auto source = UpTo(1);
  (void)std::move(source).Async();
  EXPECT_THROW((void)std::move(source).Async(), std::logic_error);
}

}  // namespace
}  // namespace troupe
