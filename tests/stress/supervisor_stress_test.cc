// Children that fail on all workers while others send to them, ask them, stop them and end their
// tree: every message is handled once, or lost with a failure, or a dead letter.
#include <atomic>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Item {
  bool fatal;
};
struct Question {
  using Reply = int;
  bool fatal;
};

struct Tally {
  std::atomic<int64_t> handled{0};
  std::atomic<int64_t> failed{0};
  std::atomic<int64_t> lives{0};
};

class Fragile {
 public:
  explicit Fragile(Tally& tally) : tally_(tally) { tally_.lives.fetch_add(1); }
  ~Fragile() { tally_.lives.fetch_sub(1); }
  void OnStart(Context& self) {
    self.Spawn([](Item) {});  // a family ends with each life
    self.SendEvery(absl::Milliseconds(1), self.ref(this), Tick{});
  }
  void On(Item m) { Handle(m.fatal); }
  int On(Question m) {
    Handle(m.fatal);
    return 1;
  }

 private:
  struct Tick {};

 public:
  void On(Tick) {}

 private:
  void Handle(bool fatal) {
    if (fatal) {
      tally_.failed.fetch_add(1);
      throw std::runtime_error("fragile");
    }
    tally_.handled.fetch_add(1);
  }

  Tally& tally_;
};

constexpr SupervisorOptions Unlimited(Strategy strategy) {
  return {.strategy = strategy, .intensity = 1'000'000'000};
}

class SupervisorStressTest : public testing::TestWithParam<int> {
 protected:
  static constexpr int kSenders = 4;

  void Send(const std::vector<ActorRef<Fragile>>& to, int sender, int count) {
    for (int i = 0; i < count; ++i) {
      const ActorRef<Fragile>& child = to[(i * 7 + sender) % to.size()];
      const bool fatal = i % 50 == sender;
      if (i % 200 == 0) {
        const auto answer = child.Ask(Question{fatal}, absl::InfiniteDuration()).Wait();
        if (absl::IsResourceExhausted(answer.status())) continue;  // an ask does not wait for room
      } else {
        child.Send(Item{fatal});
      }
      sent_.fetch_add(1);
    }
  }
  // Returns when `child` has handled what was sent before.
  void Drain(const ActorRef<Fragile>& child) {
    absl::StatusOr<int> answer;
    do {
      answer = child.Ask(Question{false}, absl::InfiniteDuration()).Wait();
    } while (absl::IsResourceExhausted(answer.status()));
    EXPECT_TRUE(answer.ok()) << answer.status();
    sent_.fetch_add(1);
  }
  template <class Work>
  void FromManyThreads(Work work) {
    std::vector<std::thread> threads;
    for (int s = 0; s < kSenders; ++s) threads.emplace_back(work, s);
    for (std::thread& thread : threads) thread.join();
  }

  Tally tally_;
  std::atomic<int64_t> sent_{0};
};
INSTANTIATE_TEST_SUITE_P(Workers, SupervisorStressTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

TEST_P(SupervisorStressTest, EveryMessageIsHandledOnceOrLostWithTheFailureItCaused) {
  for (uint32_t capacity : {kUnbounded, 16u}) {
    System system({.workers = GetParam()});
    SupervisorTree tree(system, Unlimited(Strategy::kOneForOne));
    std::vector<ActorRef<Fragile>> children;
    for (int i = 0; i < 8; ++i) {
      children.push_back(tree.Add<Fragile>({.actor = {.capacity = capacity}}, std::ref(tally_)));
    }
    tree.Start();
    FromManyThreads([&](int sender) { Send(children, sender, 4000); });
    for (const auto& child : children) Drain(child);
    EXPECT_EQ(tally_.handled + tally_.failed, sent_);
    EXPECT_TRUE(system.Shutdown(absl::Minutes(5)).complete);
    EXPECT_EQ(tally_.lives, 0);
    EXPECT_EQ(system.stats().live, 0u);
  }
  EXPECT_GT(tally_.failed, 100);
}

TEST_P(SupervisorStressTest, GroupsThatAreMadeAnewKeepTheirMailboxes) {
  for (Strategy strategy : {Strategy::kOneForAll, Strategy::kRestForOne}) {
    System system({.workers = GetParam()});
    SupervisorTree tree(system, Unlimited(strategy));
    std::vector<ActorRef<Fragile>> children;
    children.push_back(tree.Add<Fragile>({}, std::ref(tally_)));
    auto sub = tree.AddSupervisor({}, Unlimited(strategy));
    for (int i = 0; i < 3; ++i) children.push_back(sub.Add<Fragile>({}, std::ref(tally_)));
    children.push_back(tree.Add<Fragile>({}, std::ref(tally_)));
    tree.Start();
    FromManyThreads([&](int sender) {
      Send(children, sender, 1000);
      if (sender == 0) children[2].Stop();
    });
    for (const auto& child : children) Drain(child);
    EXPECT_EQ(tally_.handled + tally_.failed, sent_);
    EXPECT_TRUE(system.Shutdown(absl::Minutes(5)).complete);
    EXPECT_EQ(tally_.lives, 0);
  }
}

TEST_P(SupervisorStressTest, ATreeThatIsEndedAtAnyTimeLosesNothingUncounted) {
  for (int round = 0; round < 30; ++round) {
    System system({.workers = GetParam()});
    SupervisorTree tree(system,
                        Unlimited(round % 2 == 0 ? Strategy::kOneForOne : Strategy::kOneForAll));
    std::vector<ActorRef<Fragile>> children;
    for (int i = 0; i < 4; ++i) {
      const Restart restart = i % 2 == 0 ? Restart::kPermanent : Restart::kTransient;
      children.push_back(tree.Add<Fragile>(
          {.name = std::to_string(i), .restart = restart, .shutdown = absl::InfiniteDuration()},
          std::ref(tally_)));
    }
    auto root = tree.Start();
    FromManyThreads([&](int sender) {
      Send(children, sender, 100 + round);
      if (sender == 0) root.Stop();
      if (sender == 1) children[1].Stop();
      if (sender == 2) {
        (void)root.Ask(TerminateChild{"3"}).Wait();
        (void)root.Ask(RestartChild{"3"}).Wait();
      }
      Send(children, sender, 50);
    });
    EXPECT_TRUE(system.Shutdown(absl::Minutes(5)).complete);
    EXPECT_EQ(tally_.lives, 0);
    const SystemStats stats = system.stats();
    EXPECT_EQ(stats.live, 0u);
    // What the dead letters also count: timers' messages, and the requests of the third sender.
    EXPECT_LE(tally_.handled + tally_.failed, sent_);
    EXPECT_GE(tally_.handled + tally_.failed + static_cast<int64_t>(stats.dead_letters_total()),
              sent_);
    tally_.handled = tally_.failed = sent_ = 0;
  }
}

}  // namespace
}  // namespace troupe
