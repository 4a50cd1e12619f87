// Coroutine handlers on real threads: answers, deadlines and ends race for suspended handlers.
#include <array>
#include <atomic>
#include <cstdint>
#include <latch>
#include <random>
#include <stdexcept>
#include <stop_token>
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

// ---- FirstOf, Offload, and several runs of one actor at a time

class Mixer {
 public:
  explicit Mixer(Layer leaves) : leaves_(std::move(leaves)) {}

  ReentrantTask<absl::StatusOr<int64_t>> On(Count count) {
    FrameCount frame;
    std::vector<PendingAsk<int64_t>> asks;
    for (ActorRef<Node> leaf : leaves_) asks.push_back(leaf.Ask(count, count.timeout));
    const absl::StatusOr<int64_t> first = co_await FirstOf(std::move(asks));
    if (!first.ok()) co_return first.status();
    const absl::StatusOr<int64_t> offloaded = co_await Offload([] { return int64_t{1}; });
    if (!offloaded.ok()) co_return offloaded.status();
    co_return *first + *offloaded;
  }
  void On(Fail, Context& self) { self.Fail(absl::AbortedError("told to")); }

 private:
  const Layer leaves_;
};

// Several threads ask one mixer, which may be told to end after it has answered some of them. The
// number of good answers.
int MixManyTimes(absl::Duration timeout, bool ends) {
  constexpr int kAskers = 3;
  constexpr int kAsks = 60;
  std::atomic<int> good{0};
  {
    System system({.workers = 3});
    const Layer leaves = SpawnLayer(system, {});
    auto mixer = system.Spawn<Mixer>(leaves);
    std::vector<std::thread> askers;
    for (int t = 0; t < kAskers; ++t) {
      askers.emplace_back([&, t] {
        for (int i = 0; i < kAsks; ++i) {
          const absl::StatusOr<int64_t> sum = mixer.Ask(Count{timeout}, timeout).Wait();
          if (sum.ok()) {
            EXPECT_EQ(*sum, 2);
            good.fetch_add(1);
          }
          if (ends && i == kAsks / 2) leaves[t].Stop();
          if (ends && t == 0 && i == kAsks * 2 / 3) mixer.Send(Fail{});
        }
      });
    }
    for (std::thread& asker : askers) asker.join();
  }
  EXPECT_EQ(frames.load(), 0);
  return good.load();
}

TEST(CoroutineStressTest, TheFirstOfManyAnswersAndWhatIsOffloadedComeToReentrantHandlers) {
  EXPECT_EQ(MixManyTimes(absl::Minutes(5), false), 180);
  EXPECT_GT(MixManyTimes(absl::Minutes(5), true), 40) << "of the first thread alone";
  for (int microseconds : {20, 100, 500}) MixManyTimes(absl::Microseconds(microseconds), false);
}

struct Go {};
struct HasEnded {
  using Reply = bool;
};

TEST(OffloadTest, WhileItBlocksOthersAreServedAndItsActorEndsAfterIt) {
  std::latch begun(1);
  std::latch unwound(1);
  std::latch may_return(1);
  std::latch ended(1);
  std::atomic<bool> returned{false};
  struct Blocked {
    std::latch& begun;
    std::latch& unwound;
    std::latch& may_return;
    std::atomic<bool>& returned;
    Task<> On(Go) {
      struct Tell {
        std::latch& unwound;
        ~Tell() { unwound.count_down(); }
      } tell{unwound};
      (void)co_await Offload([this] {
        begun.count_down();
        may_return.wait();
        returned = true;
      });
    }
  };
  struct Watcher {
    AnyRef whom;
    std::latch& ended;
    std::atomic<bool>& returned;
    bool has_ended = false;
    void OnStart(Context& self) { self.Watch(whom); }
    bool On(HasEnded) { return has_ended; }
    void On(Down) {
      has_ended = true;
      EXPECT_TRUE(returned.load());
      ended.count_down();
    }
  };
  System system({.workers = 1});
  auto blocked = system.Spawn<Blocked>(Blocked{begun, unwound, may_return, returned});
  auto watcher = system.Spawn<Watcher>(Watcher{blocked, ended, returned});
  blocked.Send(Go{});
  begun.wait();
  EXPECT_FALSE(watcher.Ask(HasEnded{}, absl::Minutes(5)).Wait().value_or(true));
  blocked.Stop();
  unwound.wait();
  EXPECT_FALSE(watcher.Ask(HasEnded{}, absl::Minutes(5)).Wait().value_or(true));
  may_return.count_down();
  ended.wait();
}

struct WhereAmI {
  using Reply = std::thread::id;
};
struct WhereIsIt {
  using Reply = std::thread::id;
  ActorOptions where;
};

TEST(OffloadTest, ItRunsOnTheDispatcherThatWasChosen) {
  System system({.workers = 1,
                 .dispatchers = {{.name = "disk", .kind = DispatcherKind::kBlocking, .workers = 1},
                                 {.name = "compute", .workers = 1}}});
  auto asker = system.Spawn([](WhereIsIt m) -> Task<absl::StatusOr<std::thread::id>> {
    try {
      co_return co_await Offload(&std::this_thread::get_id, m.where);
    } catch (const std::invalid_argument& e) {
      co_return absl::InvalidArgumentError(e.what());
    }
  });
  const auto offloaded_to = [&](const ActorOptions& where) {
    return asker.Ask(WhereIsIt{where}, absl::Minutes(5)).Wait();
  };
  for (const char* name : {"disk", "compute"}) {  // of one thread each
    auto lives_there =
        system.Spawn({.dispatcher = name}, [](WhereAmI) { return std::this_thread::get_id(); });
    const auto there = lives_there.Ask(WhereAmI{}, absl::Minutes(5)).Wait();
    ASSERT_TRUE(there.ok());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(offloaded_to({.dispatcher = name}).value(), *there);
    EXPECT_NE(offloaded_to({}).value(), *there);
    EXPECT_NE(offloaded_to({.placement = Placement::kDedicatedThread}).value(), *there);
  }
  EXPECT_EQ(offloaded_to({.dispatcher = "dsik"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- stops against answers, room, messages and ends

struct Item {};
struct Ping {
  using Reply = int;
};
struct Begin {
  uint64_t seed;
};

struct Tally {
  std::atomic<int64_t> sent{0};      // Enqueue said OK
  std::atomic<int64_t> handled{0};   // and the store had it
  std::atomic<int64_t> put{0};       // into the mailbox
  std::atomic<int64_t> received{0};  // out of it
  std::atomic<int64_t> cancelled{0};
};

struct Store {
  Tally& tally;
  void On(Item) { tally.handled.fetch_add(1); }
  int On(Ping) { return 1; }
};

class Stopped {
 public:
  Stopped(Recipient<Item, Ping> store, OpenedMailbox<int> box, Sender<std::stop_source> stoppers,
          Tally& tally, std::latch& done)
      : store_(store), box_(std::move(box)), stoppers_(stoppers), tally_(tally), done_(done) {}

  Task<> On(Begin begin) {
    FrameCount frame;
    std::minstd_rand random(begin.seed);
    for (int i = 0; i < 400; ++i) {
      std::stop_source stop;
      const std::stop_token token = stop.get_token();
      if (random() % 4 != 0) stoppers_.Send(std::move(stop));
      const absl::Duration soon = absl::Microseconds(random() % 200);
      switch (random() % 5) {
        case 0:
          Note(co_await Cancellable(Sleep(soon), token));
          break;
        case 1:
          Note((co_await Cancellable(store_.Ask(Ping{}), token)).status());
          break;
        case 2:
          tally_.sent +=
              Note(co_await Cancellable(store_.Enqueue(Item{}, absl::Seconds(9)), token));
          break;
        case 3:
          tally_.put += box_.sender.TrySend(i) == SendResult::kQueued;
          break;
        default:
          tally_.received +=
              Note((co_await Cancellable(box_.receiver.Receive(soon), token)).status());
      }
    }
    done_.count_down();
  }

 private:
  bool Note(const absl::Status& status) {
    tally_.cancelled += absl::IsCancelled(status);
    return status.ok();
  }

  Recipient<Item, Ping> store_;
  OpenedMailbox<int> box_;
  Sender<std::stop_source> stoppers_;
  Tally& tally_;
  std::latch& done_;
};

void StopAll(Receiver<std::stop_source> stops) {
  for (;;) {
    absl::StatusOr<Received<std::stop_source>> next = stops.Receive().Wait();
    if (!next.ok()) return;
    next->message.request_stop();
  }
}

// What was told is what happened: nothing is sent or received after it was called off, nothing twice.
TEST(CoroutineStress, AStopAndWhatIsWaitedForComeToOneEnd) {
  constexpr int kClients = 8;
  Tally tally;
  std::latch done(kClients);
  {
    System system({.workers = 3});
    auto store = system.Spawn<Store>({.capacity = 2, .when_full = WhenFull::kBlock}, Store{tally});
    auto box = system.OpenMailbox<int>("", {.capacity = 4, .when_full = WhenFull::kFail});
    auto stops = system.OpenMailbox<std::stop_source>("", {.capacity = kUnbounded});
    std::thread stopper(&StopAll, *stops.receiver.Share());
    std::thread other(&StopAll, *stops.receiver.Share());
    for (int i = 0; i < kClients; ++i) {
      system
          .Spawn<Stopped>(store, OpenedMailbox<int>{box.sender, *box.receiver.Share()},
                          stops.sender, tally, done)
          .Send(Begin{static_cast<uint64_t>(i + 1)});
    }
    done.wait();
    store.Ask(Ping{}).Wait().IgnoreError();  // behind all that it has
    while (box.receiver.TryReceive().has_value()) ++tally.received;
    stops.receiver.Close(Backlog::kDrop);
    stopper.join();
    other.join();
  }
  EXPECT_EQ(tally.sent, tally.handled);
  EXPECT_EQ(tally.put, tally.received);
  EXPECT_GT(tally.cancelled, 0);
  EXPECT_EQ(frames, 0);
}

TEST(CoroutineStress, AStopAndTheEndOfTheActorComeToOneEnd) {
  constexpr int kClients = 8;
  Tally tally;
  std::latch done(1000000);  // nobody waits for it
  {
    System system({.workers = 3});
    auto store = system.Spawn<Store>({.capacity = 2, .when_full = WhenFull::kBlock}, Store{tally});
    auto box = system.OpenMailbox<int>("", {.capacity = 4, .when_full = WhenFull::kFail});
    auto stops = system.OpenMailbox<std::stop_source>("", {.capacity = kUnbounded});
    std::thread stopper(&StopAll, *stops.receiver.Share());
    for (int round = 0; round < 20; ++round) {
      std::vector<ActorRef<Stopped>> clients;
      for (int i = 0; i < kClients; ++i) {
        clients.push_back(
            system.Spawn<Stopped>(store, OpenedMailbox<int>{box.sender, *box.receiver.Share()},
                                  stops.sender, tally, done));
        clients.back().Send(Begin{static_cast<uint64_t>(round * kClients + i + 1)});
      }
      store.Ask(Ping{}).Wait().IgnoreError();
      for (ActorRef<Stopped> client : clients) client.Stop();
    }
    store.Ask(Ping{}).Wait().IgnoreError();
    stops.receiver.Close(Backlog::kDrop);
    stopper.join();
  }
  EXPECT_LE(tally.sent, tally.handled) << "an end may come before the sender is told";
  EXPECT_EQ(frames, 0);
}

}  // namespace
}  // namespace troupe
