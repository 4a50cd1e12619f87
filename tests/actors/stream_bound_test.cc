// Streams: how much they hold, and what somebody who pushes into one is told.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/streamed.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using stream::Flow;
using stream::Generate;
using stream::Inlet;
using stream::OpenInlet;
using stream::Source;
using stream::StageOptions;

// ---- elements that are asked with

struct Put {
  using Reply = void;
  int n = 0;
};
struct Open {};

// Answers nobody before it is told to, and then everybody.
class Store {
 public:
  explicit Store(std::vector<int>& stored) : stored_(stored) {}
  absl::Status Put_(int n) {
    stored_.push_back(n);
    return n == 13 ? absl::DataLossError("thirteen") : absl::OkStatus();
  }
  void On(Put put, Reply<void> reply) {
    waiting_.push_back({put.n, std::move(reply)});
    if (open_) Answer();
  }
  void On(Open) {
    open_ = true;
    Answer();
  }

 private:
  void Answer() {
    for (auto& [n, reply] : waiting_) reply.Send(Put_(n));
    waiting_.clear();
  }
  std::vector<int>& stored_;
  std::vector<std::pair<int, Reply<void>>> waiting_;
  bool open_ = false;
};

class StreamBoundTest : public Streamed {
 protected:
  Source<Put> Counting() {
    return Generate([this] { return std::optional(Put{made_++}); });
  }
  ActorRef<Store> SpawnStore() { return system_.Spawn<Store>(stored_); }

  int& made_ = Keep<int>();
  std::vector<int>& stored_ = Keep<std::vector<int>>();
};

TEST_F(StreamBoundTest, ASourceMakesNoMoreThanTheWindowsHold) {
  for (const uint32_t window : {1u, 2u, 5u, 64u}) {
    made_ = 0;
    const auto store = SpawnStore();
    const Flow flow = Counting()
                          .Async({.window = window})
                          .Filter([](const Put&) { return true; })
                          .Async({.window = 2 * window})
                          .To(system_, store, 3);
    Run();
    const int all = static_cast<int>(3 * window + 3), not_returned = static_cast<int>(window + 1);
    EXPECT_LE(made_, all);
    EXPECT_GE(made_, all - not_returned) << "credit comes in halves of a window";
    flow.Stop();
    Run();
  }
}

TEST_F(StreamBoundTest, WithASlowEndTheWindowsNeverHoldMore) {
  constexpr uint32_t kWindow = 8;
  int& most = Keep<int>();
  int& done = Keep<int>();
  const Flow flow = Generate([this, &most, &done] {
                      most = std::max(most, made_ - done);
                      return made_ == 5000 ? std::nullopt : std::optional(made_++);
                    })
                        .Async({.window = kWindow})
                        .Map([](int n) { return n; })
                        .Async({.window = kWindow})
                        .ForEach(system_, [&done](int n) { EXPECT_EQ(n, done++); });
  EXPECT_EQ(Watched(flow)->reason, ExitReason::kNormal);
  EXPECT_EQ(done, 5000);
  EXPECT_LE(most, static_cast<int>(2 * kWindow));
  EXPECT_GE(most, static_cast<int>(kWindow / 2)) << "and they are used";
}

TEST_F(StreamBoundTest, WithoutAWindowOneElementIsInHand) {
  auto& store = Keep<std::vector<int>>();
  int& made = Keep<int>();
  (void)Generate([&made] {
    return std::optional(made++);
  }).Map([](int n) {
      return n;
    }).ForEach(system_, [&](int n, Context& self) {
    EXPECT_EQ(made, n + 1);
    store.push_back(n);
    if (n == 99) self.Stop();
  });
  Run();
  EXPECT_GE(store.size(), 100u);
}

TEST_F(StreamBoundTest, ASlowBranchGovernsABroadcast) {
  constexpr uint32_t kWindow = 4;
  auto [fast, slow] = Counting().Broadcast<2>({.window = kWindow});
  int& seen = Keep<int>();
  const Flow quick = std::move(fast).ForEach(system_, [&seen](Put) { ++seen; });
  const auto store = SpawnStore();
  const Flow stuck = std::move(slow).To(system_, store, 2);
  Run();
  EXPECT_EQ(seen, static_cast<int>(kWindow + 2));
  EXPECT_EQ(made_, seen);
  stuck.Stop();
  loop_.RunUntilIdle(100);
  EXPECT_GT(seen, static_cast<int>(kWindow + 2)) << "left out, it holds up nobody";
  quick.Stop();
  Run();
}

TEST_F(StreamBoundTest, AnswersAreTheCreditOfTo) {
  const auto store = SpawnStore();
  const Flow flow = UpTo(10).Map([](int n) { return Put{n}; }).To(system_, store, 4);
  Run();
  EXPECT_TRUE(stored_.empty());
  store.Send(Open{});
  EXPECT_EQ(Watched(flow)->reason, ExitReason::kNormal);
  EXPECT_EQ(stored_, Numbers(10));
}

TEST_F(StreamBoundTest, AnErrorForAnAnswerFailsTheStream) {
  const auto store = SpawnStore();
  store.Send(Open{});
  const Flow flow = Counting().Async().To(system_, store, 4);
  EXPECT_EQ(Watched(flow)->status, absl::DataLossError("thirteen"));
  EXPECT_LE(stored_.size(), 14u + 4u);
}

TEST_F(StreamBoundTest, AStreamToAnActorThatEndsFails) {
  const auto store = SpawnStore();
  const Flow flow = Counting().Async().To(system_, store, 4);
  Run();
  store.Stop();
  EXPECT_EQ(Watched(flow)->reason, ExitReason::kFailed);
  EXPECT_EQ(system_.stats().live, watchers());
}

// ---- pushing

TEST_F(StreamBoundTest, AnInletTakesAWindowAndNoMore) {
  auto [inlet, source] = OpenInlet<std::unique_ptr<int>>({.window = 3});
  for (int n : {0, 1, 2}) {
    EXPECT_EQ(inlet.TryPush(std::make_unique<int>(n)), SendResult::kQueued) << "before it runs";
  }
  auto fourth = std::make_unique<int>(3);
  EXPECT_EQ(inlet.TryPush(std::move(fourth)), SendResult::kFull);
  ASSERT_NE(fourth, nullptr) << "still the caller's";
  auto& seen = Keep<std::vector<int>>();
  const Flow flow =
      std::move(source).ForEach(system_, [&](std::unique_ptr<int> p) { seen.push_back(*p); });
  auto& end = Watch(flow);
  Run();
  EXPECT_EQ(inlet.TryPush(std::move(fourth)), SendResult::kQueued);
  inlet.Close();
  EXPECT_EQ(inlet.TryPush(std::make_unique<int>(4)), SendResult::kClosed);
  Run();
  EXPECT_EQ(end->reason, ExitReason::kNormal);
  EXPECT_EQ(seen, Numbers(4));
}

struct Go {};
// Pushes as long as there is room, and goes on when there is again.
class Pusher {
 public:
  Pusher(Inlet<Put> inlet, int end, int& pushed) : inlet_(inlet), end_(end), pushed_(pushed) {}
  void On(Go, Context& self) {
    for (;;) {
      if (pushed_ == end_) return inlet_.Close();
      const SendResult result = inlet_.TryPush(Put{pushed_});
      if (result == SendResult::kClosed) return self.Stop();
      if (result == SendResult::kFull) break;
      ++pushed_;
    }
    inlet_.Room().Then(self, [this](absl::Status room, Context& self) {
      if (!room.ok()) return self.Stop();
      On(Go{}, self);
    });
  }

 private:
  Inlet<Put> inlet_;
  const int end_;
  int& pushed_;
};

TEST_F(StreamBoundTest, AnActorPushesAsTheStreamTakes) {
  auto [inlet, source] = OpenInlet<Put>({.window = 4});
  const auto store = SpawnStore();
  const Flow flow = std::move(source).Async({.window = 2}).To(system_, store, 1);
  int& pushed = Keep<int>();
  const auto pusher = system_.Spawn<Pusher>(std::move(inlet), 10, pushed);
  pusher.Send(Go{});
  Run();
  EXPECT_EQ(pushed, 4 + 2 + 1);
  store.Send(Open{});
  EXPECT_EQ(Watched(flow)->reason, ExitReason::kNormal);
  EXPECT_EQ(stored_, Numbers(10));
}

TEST_F(StreamBoundTest, WhoWaitsForRoomIsToldOfTheEnd) {
  auto [inlet, source] = OpenInlet<Put>({.window = 4});
  EXPECT_FALSE(inlet.Room().Wait().ok()) << "it does not run yet";
  const Flow flow = std::move(source).To(system_, SpawnStore(), 1);
  int& pushed = Keep<int>();
  const auto pusher = system_.Spawn<Pusher>(inlet, 10, pushed);
  pusher.Send(Go{});
  Run();
  flow.Stop();
  Run();
  EXPECT_EQ(Watched(pusher)->reason, ExitReason::kNoSuchActor) << "it has stopped itself";
  EXPECT_EQ(inlet.TryPush(Put{}), SendResult::kClosed);
}

TEST_F(StreamBoundTest, AStreamFailsWithTheActorThatPushed) {
  auto [inlet, source] = OpenInlet<Put>({.window = 4});
  auto& seen = Keep<std::vector<int>>();
  const Flow flow =
      std::move(source).Async().ForEach(system_, [&](Put put) { seen.push_back(put.n); });
  int& pushed = Keep<int>();
  const auto pusher = system_.Spawn<Pusher>(std::move(inlet), 1 << 20, pushed);
  pusher.Send(Go{});
  loop_.RunUntilIdle(50);
  pusher.Stop();
  EXPECT_TRUE(absl::IsAborted(Watched(flow)->status));
  EXPECT_EQ(seen, Numbers(pushed)) << "behind all that it had pushed";
}

TEST_F(StreamBoundTest, CloseMayFailTheStream) {
  auto [inlet, source] = OpenInlet<int>();
  EXPECT_EQ(inlet.TryPush(0), SendResult::kQueued);
  inlet.Close(absl::DataLossError("gone"));
  inlet.Close();
  auto& seen = Keep<std::vector<int>>();
  const Flow flow = std::move(source).Async().ForEach(system_, [&](int n) { seen.push_back(n); });
  EXPECT_EQ(Watched(flow)->status, absl::DataLossError("gone"));
  EXPECT_EQ(seen, Numbers(1));
}

TEST_F(StreamBoundTest, ASourceThatIsDroppedClosesItsInlet) {
  auto [inlet, source] = OpenInlet<int>();
  {
    const auto dropped = std::move(source);
  }
  EXPECT_EQ(inlet.TryPush(0), SendResult::kClosed);
  EXPECT_EQ(Inlet<int>().TryPush(0), SendResult::kClosed);
}

// ---- any order of events

// What comes of a stream with everything in it does not depend on who runs when.
TEST(StreamSimulation, EveryOrderOfTurnsKeepsTheElementsAndTheBound) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ManualScheduler loop({.seed = seed});
    System system({.scheduler = &loop});
    const uint32_t window = 1 + seed % 5;
    int made = 0, done = 0, most = 0;
    auto [left, right] = Generate([&] {
                           most = std::max(most, made - done);
                           return made == 300 ? std::nullopt : std::optional(made++);
                         })
                             .Async({.window = window})
                             .Broadcast<2>({.window = window});
    auto odd = std::move(left).Filter([](int n) { return n % 2 == 1; }).Async({.window = window});
    auto even = std::move(right).Filter([](int n) { return n % 2 == 0; });
    (void)std::move(odd)
        .Merge(std::move(even), {.window = window})
        .Batch(2)
        .Async({.window = window})
        .ForEach(system, [&](std::vector<int> b) { done += static_cast<int>(b.size()); });
    loop.RunUntilIdle();
    EXPECT_EQ(done, 300);
    // Source to hub; hub to odd (even); odd to its merging actor; to the merge; batches of two.
    EXPECT_LE(most, static_cast<int>(window * (1 + 1 + 1 + 2 + 2) + 2));
    EXPECT_EQ(system.stats().live, 0u);
    EXPECT_EQ(system.stats().dead_letters_total(), 0u);
  }
}

// Whoever is stopped, and whenever: all end, and the end of the stream is told.
TEST(StreamSimulation, WhoeverIsStoppedAndWheneverNothingIsLeft) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ManualScheduler loop({.seed = seed});
    System system({.scheduler = &loop});
    auto [left, right] = Endless().Async({.window = 3}).Broadcast<2>({.window = 2});
    (void)std::move(left)
        .Merge(std::move(right), {.window = 3})
        .Async({.window = 1})
        .ForEach(system, [](int) {});
    loop.RunUntilIdle(static_cast<int>(seed / 7 % 60));
    const std::vector<ActorStats> actors = system.actors();
    internal::StopActor(actors[seed % actors.size()].ref, StopWhen::kNow);
    loop.RunUntilIdle(100'000);
    EXPECT_EQ(system.stats().live, 0u);
  }
}

}  // namespace
}  // namespace troupe
