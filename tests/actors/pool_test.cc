#include "troupe/actors/pool.h"

#include <functional>
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
#include "tests/actors/simulated.h"
#include "troupe/actors/pool_options.h"
#include "troupe/actors/routing.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Job {
  int n = 0;
};
struct Break {};
struct Leave {};
struct Slow {
  std::function<void()> meanwhile;
};
struct Who {
  using Reply = int;
  int key = 0;
};

// What the workers of a test have in common. Each has a number, in the order of their making.
struct Shop {
  int made = 0;
  int present = 0;
  std::vector<std::pair<int, int>> handled;  // worker, job
  std::function<void()> on_make = [] {};
};

class Worker {
 public:
  explicit Worker(Shop* shop) : shop_(shop) {
    shop->on_make();
    me_ = shop->made++;
    ++shop->present;
  }
  ~Worker() { --shop_->present; }

  void On(Job job) { shop_->handled.emplace_back(me_, job.n); }
  void On(Break) { throw std::runtime_error("tool " + std::to_string(me_) + " is broken"); }
  void On(Leave, Context& self) { self.Stop(); }
  void On(const Slow& m) { m.meanwhile(); }
  int On(Who) { return me_; }

 private:
  Shop* const shop_;
  int me_ = 0;
};

class PoolTest : public Simulated {
 protected:
  using WorkerPool = Pool<Job, Break, Leave, Slow, Who>;

  WorkerPool Make(PoolOptions options, Routing<Job, Break, Leave, Slow, Who> routing = {}) {
    auto pool = SpawnPool<Worker, Job, Break, Leave, Slow, Who>(system_, std::move(routing),
                                                                std::move(options), &shop_);
    watcher_.Send(AnyRef(pool));
    return pool;
  }
  // The ends of the pools so far.
  const std::vector<Down>& ends() {
    Run();
    return ends_;
  }
  void Fill(const WorkerPool& pool, int jobs) {
    for (int i = 0; i < jobs; ++i) EXPECT_EQ(pool.Send(Job{i}), SendResult::kQueued);
  }
  static int Ask(const WorkerPool& pool, int key = 0) {
    return pool.Ask(Who{key}).Wait().value_or(-1);
  }

  class Watcher {
   public:
    explicit Watcher(std::vector<Down>& ends) : ends_(ends) {}
    void On(AnyRef who, Context& self) { self.Watch(who); }
    void On(Down down) { ends_.push_back(std::move(down)); }

   private:
    std::vector<Down>& ends_;
  };

  Shop& shop_ = Keep<Shop>();
  std::vector<Down>& ends_ = Keep<std::vector<Down>>();
  Recipient<AnyRef> watcher_ = system_.Spawn<Watcher>(ends_);
};

TEST_F(PoolTest, TheWorkersAreThereWhenSpawnPoolReturns) {
  auto pool = Make({.size = 3});
  EXPECT_EQ(shop_.made, 3);
  EXPECT_EQ(pool.size(), 3u);
  Fill(pool, 4);
  Run();
  EXPECT_EQ(shop_.handled, (std::vector<std::pair<int, int>>{{0, 0}, {0, 3}, {1, 1}, {2, 2}}));
}

TEST_F(PoolTest, AnActorThatSpawnsAPoolMayUseItInTheSameHandler) {
  auto boss = system_.Spawn([this](Leave, Context& self) {
    auto pool = SpawnPool<Worker, Job>(self, RoundRobin{}, {.size = 2}, &shop_);
    EXPECT_EQ(pool.Send(Job{1}), SendResult::kQueued);
  });
  boss.Send(Leave{});
  Run();
  EXPECT_EQ(shop_.handled, (std::vector<std::pair<int, int>>{{0, 1}}));
  boss.Stop();
  Run();
  EXPECT_EQ(shop_.present, 0) << "the pool and its workers end with its parent";
}

TEST_F(PoolTest, OptionsForWorkersAndForThePoolActorAreTheirs) {
  Make({.size = 2, .worker = {.name = "worker", .capacity = 1}, .name = "pool"});
  int workers = 0, pools = 0;
  for (const ActorStats& actor : system_.actors()) {
    workers += actor.name == "worker";
    pools += actor.name == "pool";
  }
  EXPECT_EQ(workers, 2);
  EXPECT_EQ(pools, 1);
}

TEST_F(PoolTest, OptionsOutOfRangeThrow) {
  EXPECT_THROW(Make({.size = 0}), std::invalid_argument);
  EXPECT_THROW(Make({.size = 3, .max_size = 2}), std::invalid_argument);
  EXPECT_THROW(Make({.backlog_per_worker = 0}), std::invalid_argument);
  EXPECT_THROW(Make({.resize_period = absl::ZeroDuration()}), std::invalid_argument);
  EXPECT_THROW(Make({.max_restarts = -1}), std::invalid_argument);
  EXPECT_THROW(Make({.worker = {.capacity = 0}}), std::invalid_argument);
  Run();
  EXPECT_EQ(system_.stats().live, 1u) << "the watcher";
}

// ---- ends

TEST_F(PoolTest, StoppingThePoolEndsItsWorkersFirst) {
  auto pool = Make({.size = 3});
  Run();
  pool.Stop();
  ASSERT_EQ(ends().size(), 1u);
  EXPECT_EQ(ends_[0].who, AnyRef(pool));
  EXPECT_EQ(ends_[0].reason, ExitReason::kNormal);
  EXPECT_EQ(shop_.present, 0);
  EXPECT_EQ(pool.Send(Job{1}), SendResult::kClosed);
}

TEST_F(PoolTest, ADefaultPoolHasNoWorkers) {
  WorkerPool pool;
  pool.Stop();
  EXPECT_FALSE(AnyRef(pool));
  EXPECT_EQ(pool.Send(Job{1}), SendResult::kClosed);
}

TEST_F(PoolTest, AfterShutdownAPoolIsNobodyAndMakesNoWorkers) {
  system_.Shutdown(absl::Seconds(10));
  auto pool = Make({.size = 2});
  EXPECT_FALSE(AnyRef(pool));
  EXPECT_EQ(shop_.made, 0);
  EXPECT_EQ(pool.Send(Job{1}), SendResult::kClosed);
}

TEST_F(PoolTest, AWorkerThatEndsNormallyIsNotReplacedAndThePoolEndsWithTheLast) {
  auto pool = Make({.size = 2});
  pool.Send(Leave{});
  EXPECT_TRUE(ends().empty());
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ(Ask(pool), 1);
  pool.Send(Leave{});
  ASSERT_EQ(ends().size(), 1u);
  EXPECT_EQ(ends_[0].reason, ExitReason::kNormal);
  EXPECT_EQ(shop_.made, 2);
}

// ---- failures

TEST_F(PoolTest, AWorkerThatFailsIsReplacedInItsPlace) {
  auto pool = Make({.size = 3}, ByKey([](const auto& m) {
                     if constexpr (requires { m.key; }) return m.key;
                     return 0;
                   }));
  const int owner = Ask(pool, 0);
  std::vector<int> before;
  for (int key = 0; key < 20; ++key) before.push_back(Ask(pool, key));
  pool.Send(Break{});  // key 0
  Run();
  EXPECT_EQ(shop_.made, 4);
  EXPECT_EQ(shop_.present, 3);
  for (int key = 0; key < 20; ++key) {
    EXPECT_EQ(Ask(pool, key), before[key] == owner ? 3 : before[key]);
  }
  EXPECT_TRUE(ends().empty());
}

TEST_F(PoolTest, TooManyFailuresWithinThePeriodFailThePool) {
  auto pool = Make({.size = 2, .max_restarts = 3, .restart_period = absl::Seconds(5)});
  for (int i = 0; i < 3; ++i) {
    pool.Send(Break{});
    EXPECT_TRUE(ends().empty());
  }
  pool.Send(Break{});
  ASSERT_EQ(ends().size(), 1u);
  EXPECT_EQ(ends_[0].reason, ExitReason::kFailed);
  EXPECT_NE(ends_[0].status.message().find("is broken"), absl::string_view::npos)
      << ends_[0].status;
  EXPECT_EQ(shop_.present, 0);
  EXPECT_EQ(shop_.made, 5);
}

TEST_F(PoolTest, FailuresThatAreLongPastDoNotCount) {
  auto pool = Make({.size = 2, .max_restarts = 3, .restart_period = absl::Seconds(5)});
  for (int i = 0; i < 20; ++i) {
    pool.Send(Break{});
    Advance(absl::Seconds(2));
  }
  EXPECT_TRUE(ends().empty());
  EXPECT_EQ(shop_.made, 22);
}

TEST_F(PoolTest, WithoutRestartsTheFirstFailureFailsThePool) {
  auto pool = Make({.size = 2, .max_restarts = 0});
  pool.Send(Break{});
  ASSERT_EQ(ends().size(), 1u);
  EXPECT_EQ(ends_[0].reason, ExitReason::kFailed);
}

TEST_F(PoolTest, WhatAWorkersConstructorThrowsComesOutOfSpawnPoolAndNothingIsLeft) {
  shop_.on_make = [this] {
    if (shop_.made == 2) throw std::length_error("no bench left");
  };
  EXPECT_THROW(Make({.size = 3}), std::length_error);
  Run();
  EXPECT_EQ(shop_.present, 0);
  EXPECT_EQ(system_.stats().live, 1u) << "the watcher";
}

TEST_F(PoolTest, AConstructorThatThrowsOnReplacementCountsAsAFailure) {
  auto pool = Make({.size = 2, .max_restarts = 3});
  Run();
  int attempts = 0;
  shop_.on_make = [&attempts] {
    if (++attempts < 3) throw std::length_error("no bench left");
  };
  pool.Send(Break{});
  EXPECT_TRUE(ends().empty());
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(shop_.present, 2);
  shop_.on_make = [] { throw 7; };
  pool.Send(Break{});
  ASSERT_EQ(ends().size(), 1u);
  EXPECT_EQ(ends_[0].reason, ExitReason::kFailed);
}

TEST_F(PoolTest, AWorkerThatFailsInOnStartDoesNotGoRoundForEver) {
  class StillBorn {
   public:
    explicit StillBorn(int& made) { ++made; }
    void OnStart() { throw std::runtime_error("not today"); }
    void On(Job) {}
  };
  int made = 0;
  auto pool = SpawnPool<StillBorn, Job>(system_, RoundRobin{}, {.size = 1, .max_restarts = 4},
                                        std::ref(made));
  watcher_.Send(AnyRef(pool));
  ASSERT_EQ(ends().size(), 1u);
  EXPECT_EQ(ends_[0].reason, ExitReason::kFailed);
  EXPECT_EQ(made, 5);
}

// ---- elastic

PoolOptions Elastic() {
  return {.size = 2, .max_size = 5, .backlog_per_worker = 10, .resize_period = absl::Seconds(1)};
}

// A worker that is in a handler while time passes; what it is sent meanwhile waits.
TEST_F(PoolTest, AnElasticPoolHasAWorkerForSoManyMessagesWithinItsBounds) {
  auto pool = Make(Elastic());
  Advance(absl::Seconds(3));
  EXPECT_EQ(pool.size(), 2u) << "nothing to do";
  pool.Send(Slow{[&] {  // worker 0, which gets every second one of the jobs
    Fill(pool, 18);
    Advance(absl::Seconds(1));
    EXPECT_EQ(pool.size(), 2u) << "it has 9 waiting and 1 in the handler";
    Fill(pool, 2 * 21);
    Advance(absl::Seconds(1));
    EXPECT_EQ(pool.size(), 4u) << "30 and 1";
    for (int i = 0; i < 1000; ++i) pool.Send(Job{i});
    Advance(absl::Seconds(1));
    EXPECT_EQ(pool.size(), 5u) << "hundreds";
    Advance(absl::Seconds(10));
    EXPECT_EQ(pool.size(), 5u);
  }});
  Run();
  EXPECT_EQ(shop_.handled.size(), 18u + 42u + 1000u);
  EXPECT_EQ(shop_.made, 5);
}

TEST_F(PoolTest, AnElasticPoolWithNothingToDoLosesAWorkerEachPeriodDownToItsSize) {
  auto pool = Make(Elastic());
  pool.Send(Slow{[&] {
    Fill(pool, 200);
    Advance(absl::Seconds(1));
  }});
  Run();
  EXPECT_EQ(pool.size(), 5u);
  for (size_t size : {4, 3, 2, 2, 2}) {
    Advance(absl::Seconds(1));
    EXPECT_EQ(pool.size(), size);
  }
  EXPECT_EQ(shop_.present, 2);
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
  EXPECT_TRUE(ends().empty());
}

TEST_F(PoolTest, AWorkerThatIsToGoStillGetsWhatWasOnItsWay) {
  auto pool = Make(Elastic(), ByKey([](const auto& m) {
                     if constexpr (requires { m.key; }) return m.key;
                     return 0;
                   }));
  pool.Send(Slow{[&] {
    for (int i = 0; i < 25; ++i) pool.Send(Job{i});
    Advance(absl::Seconds(1));
  }});
  Run();
  ASSERT_EQ(pool.size(), 3u);
  int key = 0;
  while (Ask(pool, key) != 2) ++key;
  auto chosen = pool.Ask(Who{key});  // and not sent yet
  Advance(absl::Seconds(1));
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_NE(Ask(pool, key), 2) << "out of the table";
  EXPECT_EQ(std::move(chosen).Wait().value_or(-1), 2) << "and alive";
  Advance(absl::Seconds(1));
  EXPECT_EQ(shop_.present, 2);
}

TEST_F(PoolTest, AWorkerThatIsToGoHandlesWhatItHas) {
  auto pool = Make(Elastic());
  pool.Send(Slow{[&] {
    Fill(pool, 50);
    Advance(absl::Seconds(1));
  }});
  Run();
  ASSERT_EQ(pool.size(), 3u);
  shop_.handled.clear();
  // Worker 2, the next to go, is busy for three looks; the others have nothing to do.
  while (Ask(pool) != 1) {
  }
  pool.Send(Slow{[&] {  // after worker 1 it is worker 2's turn
    pool.Send(Job{1});
    pool.Send(Job{2});
    pool.Send(Job{3});
    Advance(absl::Seconds(3));
    EXPECT_EQ(pool.size(), 2u);
  }});
  Run();
  EXPECT_EQ(shop_.handled.size(), 3u);
  EXPECT_EQ(shop_.present, 2);
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(PoolTest, AnElasticPoolIsBackAtItsSizeAfterNormalEnds) {
  auto pool = Make(Elastic());
  pool.Send(Leave{});
  pool.Send(Leave{});
  Run();
  EXPECT_EQ(pool.size(), 0u);
  EXPECT_EQ(pool.Send(Job{1}), SendResult::kClosed);
  Advance(absl::Seconds(1));
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(pool.Send(Job{2}), SendResult::kQueued);
  EXPECT_TRUE(ends().empty());
}

TEST_F(PoolTest, APoolThatIsNotElasticUsesNoTimer) {
  Make({.size = 2});
  Run();
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace troupe
