// Ends that meet: children that end while their parent is in a handler, while it ends, and while the
// system shuts down; alarms that go off for askers which end. Whenever it happens, nobody is left
// behind and nobody is counted twice.
#include <atomic>
#include <cstdint>
#include <latch>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Go {};

// How many there are of what a test counts.
class Present {
 public:
  explicit Present(std::atomic<int>& count) : count_(&count) { count.fetch_add(1); }
  Present(Present&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Present& operator=(Present&&) = delete;
  ~Present() {
    if (count_ != nullptr) count_->fetch_sub(1);
  }

 private:
  std::atomic<int>* count_;
};

// Ends in its first turn, on whatever worker.
class Mayfly {
 public:
  explicit Mayfly(std::atomic<int>& alive) : present_(alive) {}
  void OnStart(Context& self) { self.Stop(); }

 private:
  Present present_;
};

class FamilyTest : public testing::TestWithParam<int> {
 protected:
  void ExpectAllEnded(System& system) {
    EXPECT_TRUE(system.Shutdown(absl::Minutes(5)).complete);
    const SystemStats stats = system.stats();
    EXPECT_EQ(stats.live, 0u);
    EXPECT_EQ(stats.spawned, stats.ended);
    EXPECT_EQ(alive_.load(), 0);
  }

  std::atomic<int> alive_{0};
};
INSTANTIATE_TEST_SUITE_P(Workers, FamilyTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

TEST_P(FamilyTest, ChildrenThatEndWhileTheirParentIsInAHandlerAreForgottenAndItGoesOn) {
  static constexpr int kHandlers = 30, kChildren = 300;
  std::latch done(kHandlers);
  System system({.workers = GetParam()});
  auto parent = system.Spawn([&](Go, Context& self) {
    for (int i = 0; i < kChildren; ++i) self.Spawn<Mayfly>(alive_);
    self.Blocking([this] {  // its place goes to another thread, on which they end
      while (alive_.load() > kChildren / 2) std::this_thread::yield();
    });
    for (int i = 0; i < kChildren; ++i) self.Spawn<Mayfly>(alive_);
    done.count_down();
  });
  for (int i = 0; i < kHandlers; ++i) parent.Send(Go{});
  done.wait();
  ExpectAllEnded(system);
}

TEST_P(FamilyTest, ChildrenThatEndWhileTheirParentEndsAreWaitedFor) {
  constexpr int kParents = 300, kChildren = 20;
  System system({.workers = GetParam()});
  for (int p = 0; p < kParents; ++p) {
    auto parent = system.Spawn([this, p](Go, Context& self) {
      for (int i = 0; i < kChildren; ++i) {
        self.Spawn<Mayfly>(alive_);
        self.Spawn([present = Present(alive_)](Go) {});  // ends because its parent does
      }
      if (p % 3 == 0) throw std::runtime_error("ends too");
      if (p % 3 == 1) self.Stop();
    });
    parent.Send(Go{});
    if (p % 3 == 2) parent.Stop(StopWhen::kDrained);
    if (p % 50 == 0) {
      EXPECT_TRUE(system.Join(parent).ok());
    }
  }
  ExpectAllEnded(system);
}

// Has children without end.
class Restless {
 public:
  Restless(std::atomic<int>& alive, std::latch& begun) : alive_(alive), begun_(begun) {}
  void OnStart(Context& self) { self.ref(this).Send(Go{}); }
  void On(Go, Context& self) {
    for (int i = 0; i < 50; ++i) self.Spawn<Mayfly>(alive_);
    if (++handled_ == 3) begun_.count_down();
    self.ref(this).Send(Go{});
  }

 private:
  std::atomic<int>& alive_;
  std::latch& begun_;
  int handled_ = 0;
};

TEST_P(FamilyTest, ChildrenThatEndWhileTheSystemShutsDownAreWaitedFor) {
  constexpr int kRounds = 30, kParents = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::latch begun(kParents);
    System system({.workers = GetParam()});
    for (int p = 0; p < kParents; ++p) system.Spawn<Restless>(alive_, begun);
    begun.wait();
    ExpectAllEnded(system);
  }
}

// ---- askers

struct Question {
  using Reply = int;
};

// Keeps them all waiting.
class Mute {
 public:
  void On(Question, Reply<int> reply) { kept_.push_back(std::move(reply)); }

 private:
  std::vector<Reply<int>> kept_;
};

// Asks with several deadlines, some of which pass before it ends, some meanwhile, some never.
class Asker {
 public:
  Asker(ActorRef<Mute> mute, int seed, std::atomic<int>& alive)
      : mute_(mute), random_(static_cast<unsigned>(seed + 1)), alive_(alive), present_(alive) {}

  void OnStart(Context& self) { self.ref(this).Send(Go{}); }
  void On(Go, Context& self) {
    for (int i = 0; i < 4; ++i) Ask(self, absl::Microseconds(random_() % 200));
    Ask(self, absl::Hours(1));
    if (random_() % 4 == 0) self.Stop();
    if (random_() % 4 == 0) self.ref(this).Stop(StopWhen::kDrained);
  }

 private:
  void Ask(Context& self, absl::Duration timeout) {
    mute_.Ask(Question{}, timeout)
        .Then(self, [this, present = Present(alive_)](absl::StatusOr<int>, Context& me) {
          if (random_() % 4 == 0) me.Stop();
        });
  }

  ActorRef<Mute> mute_;
  std::minstd_rand random_;
  std::atomic<int>& alive_;
  Present present_;
};

TEST_P(FamilyTest, AlarmsThatGoOffForAskersWhichEndFindNobodyAndLeaveNothing) {
  constexpr int kAskers = 2000;
  System system({.workers = GetParam()});
  auto mute = system.Spawn<Mute>();
  for (int i = 0; i < kAskers; ++i) system.Spawn<Asker>(mute, i, alive_);
  while (system.stats().live > kAskers / 2) std::this_thread::yield();  // most end by themselves
  ExpectAllEnded(system);
}

}  // namespace
}  // namespace troupe
