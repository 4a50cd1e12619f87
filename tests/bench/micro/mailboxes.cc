// What goes through a mailbox: between coroutines, between plain threads, to several receivers.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Mailbox

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "oneapi/tbb/concurrent_queue.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Item {
  int64_t number;
};

// ---- plain threads: one sends, the calling one receives

constexpr int64_t kItems = 200'000;
constexpr uint32_t kCapacity = 1024;

void MailboxOfThreads(benchmark::State& state) {
  System system({.workers = 1});
  for (auto _ : state) {
    auto [sender, receiver] = system.OpenMailbox<Item>("", {.capacity = kCapacity});
    std::jthread producer([&sender = sender] {
      for (int64_t i = 0; i < kItems; ++i) sender.Send(Item{i});
    });
    int64_t sum = 0;
    for (int64_t i = 0; i < kItems; ++i) sum += receiver.Receive().Wait()->message.number;
    if (sum != kItems * (kItems - 1) / 2) state.SkipWithError("items are missing");
  }
  state.SetItemsProcessed(state.iterations() * kItems);
}
BENCHMARK(MailboxOfThreads)->UseRealTime();

// What one writes by hand.
class LockedQueue {
 public:
  void Push(Item item) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [this] { return items_.size() < kCapacity; });
    items_.push_back(item);
    has_items_.notify_one();
  }
  Item Pop() {
    std::unique_lock lock(mutex_);
    has_items_.wait(lock, [this] { return !items_.empty(); });
    const Item item = items_.front();
    items_.pop_front();
    has_room_.notify_one();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_items_;
  std::condition_variable has_room_;
  std::deque<Item> items_;
};

class TbbQueue {
 public:
  TbbQueue() { items_.set_capacity(kCapacity); }
  void Push(Item item) { items_.push(item); }
  Item Pop() {
    Item item;
    items_.pop(item);
    return item;
  }

 private:
  tbb::concurrent_bounded_queue<Item> items_;
};

// Both ends wait. FixedMailbox: what is left if there are neither envelopes nor several of either.
class FixedQueue {
 public:
  void Push(Item item) { items_.Send(item); }
  Item Pop() { return *items_.Receive(); }

 private:
  FixedMailbox<Item, kCapacity> items_;
};

template <class Queue>
void QueueOfThreads(benchmark::State& state) {
  for (auto _ : state) {
    Queue queue;
    std::jthread producer([&queue] {
      for (int64_t i = 0; i < kItems; ++i) queue.Push(Item{i});
    });
    int64_t sum = 0;
    for (int64_t i = 0; i < kItems; ++i) sum += queue.Pop().number;
    if (sum != kItems * (kItems - 1) / 2) state.SkipWithError("items are missing");
  }
  state.SetItemsProcessed(state.iterations() * kItems);
}
BENCHMARK(QueueOfThreads<LockedQueue>)->Name("MailboxOfThreads/mutex_condvar")->UseRealTime();
BENCHMARK(QueueOfThreads<TbbQueue>)->Name("MailboxOfThreads/tbb_bounded_queue")->UseRealTime();
BENCHMARK(QueueOfThreads<FixedQueue>)->Name("MailboxOfThreads/fixed_mailbox")->UseRealTime();

// A message forth and one back, so each is waited for.
void MailboxRoundTrip(benchmark::State& state) {
  System system({.workers = 1});
  auto [there, requests] =
      system.OpenMailbox<Item>("", {.capacity = static_cast<uint32_t>(state.range(0))});
  auto [back, answers] =
      system.OpenMailbox<Item>("", {.capacity = static_cast<uint32_t>(state.range(0))});
  std::jthread echo([back = back, &requests = requests] {
    for (;;) {
      auto item = requests.Receive().Wait();
      if (!item.ok()) return;
      back.Send(item->message);
    }
  });
  for (auto _ : state) {
    there.Send(Item{1});
    benchmark::DoNotOptimize(answers.Receive().Wait());
  }
  requests.Close(Backlog::kDrop);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MailboxRoundTrip)->Arg(0)->Arg(1024)->UseRealTime();

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h

// ---- coroutines

struct Start {
  using Reply = int64_t;
  int64_t items;
};

class Producer {
 public:
  explicit Producer(Sender<Item> out) : out_(out) {}
  Task<int64_t> On(Start start) {
    for (int64_t i = 0; i < start.items; ++i) {
      if (!(co_await out_.Enqueue(Item{i})).ok()) co_return i;
    }
    co_return start.items;
  }

 private:
  const Sender<Item> out_;
};

class Consumer {
 public:
  explicit Consumer(Receiver<Item> in) : in_(std::move(in)) {}
  Task<int64_t> On(Start start) {
    int64_t sum = 0;
    for (int64_t i = 0; i < start.items; ++i) {
      absl::StatusOr<Received<Item>> item = co_await in_.Receive();
      if (!item.ok()) co_return -1;
      sum += item->message.number;
    }
    co_return sum;
  }

 private:
  Receiver<Item> in_;
};

// range(0): capacity; range(1): workers.
void MailboxOfCoroutines(benchmark::State& state) {
  System system({.workers = static_cast<int>(state.range(1))});
  auto [sender, receiver] =
      system.OpenMailbox<Item>("", {.capacity = static_cast<uint32_t>(state.range(0))});
  auto consumer = system.Spawn<Consumer>(std::move(receiver));
  auto producer = system.Spawn<Producer>(sender);
  for (auto _ : state) {
    std::jthread other([&] {
      benchmark::DoNotOptimize(producer.Ask(Start{kItems}, absl::InfiniteDuration()).Wait());
    });
    const auto sum = consumer.Ask(Start{kItems}, absl::InfiniteDuration()).Wait();
    if (sum.value_or(0) != kItems * (kItems - 1) / 2) state.SkipWithError("items are missing");
  }
  state.SetItemsProcessed(state.iterations() * kItems);
}
BENCHMARK(MailboxOfCoroutines)
    ->Args({0, 1})
    ->Args({0, 2})
    ->Args({64, 1})
    ->Args({64, 2})
    ->Args({1024, 1})
    ->Args({1024, 2})
    ->UseRealTime();

struct Go {};

// range(0): receivers that compete for what one sends, on two workers.
void MailboxOfManyReceivers(benchmark::State& state) {
  System system({.workers = 2});
  auto [sender, receiver] = system.OpenMailbox<Item>("", {.capacity = kCapacity});
  struct Reader {
    Receiver<Item> in;
    std::atomic<int64_t>* taken;
    Task<> On(Go) {
      while ((co_await in.Receive()).ok()) {
        if (taken->fetch_add(1) + 1 == kItems) taken->notify_one();
      }
    }
  };
  std::atomic<int64_t> taken{0};
  for (int64_t i = 0; i < state.range(0); ++i) {
    system.Spawn<Reader>(Reader{*receiver.Share(), &taken}).Send(Go());
  }
  auto producer = system.Spawn<Producer>(sender);
  for (auto _ : state) {
    taken = 0;
    benchmark::DoNotOptimize(producer.Ask(Start{kItems}, absl::InfiniteDuration()).Wait());
    for (int64_t now = taken; now < kItems; now = taken) taken.wait(now);
  }
  receiver.Close(Backlog::kDrop);
  state.SetItemsProcessed(state.iterations() * kItems);
}
BENCHMARK(MailboxOfManyReceivers)->Arg(2)->Arg(8)->Arg(64)->UseRealTime();

// One that receives from whichever of two has something, on two workers.
void MailboxSelect(benchmark::State& state) {
  System system({.workers = 2});
  auto [to_a, a] = system.OpenMailbox<Item>("", {.capacity = kCapacity});
  auto [to_b, b] = system.OpenMailbox<Item>("", {.capacity = kCapacity});
  struct Selecting {
    Receiver<Item> a;
    Receiver<Item> b;
    Task<int64_t> On(Start start) {
      for (int64_t i = 0; i < start.items; ++i) {
        if (!(co_await Select(a, b)).ok()) co_return i;
      }
      co_return start.items;
    }
  };
  auto selecting = system.Spawn<Selecting>(Selecting{std::move(a), std::move(b)});
  auto first = system.Spawn<Producer>(to_a);
  auto second = system.Spawn<Producer>(to_b);
  for (auto _ : state) {
    std::jthread one([&] {
      benchmark::DoNotOptimize(first.Ask(Start{kItems / 2}, absl::InfiniteDuration()).Wait());
    });
    std::jthread two([&] {
      benchmark::DoNotOptimize(second.Ask(Start{kItems / 2}, absl::InfiniteDuration()).Wait());
    });
    const auto got = selecting.Ask(Start{kItems}, absl::InfiniteDuration()).Wait();
    if (got.value_or(0) != kItems) state.SkipWithError("items are missing");
  }
  state.SetItemsProcessed(state.iterations() * kItems);
}
BENCHMARK(MailboxSelect)->UseRealTime();

#endif

}  // namespace
}  // namespace troupe
