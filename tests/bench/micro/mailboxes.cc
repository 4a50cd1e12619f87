// What goes through a mailbox: between coroutines, between plain threads, to several receivers.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Mailbox

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

#endif

}  // namespace
}  // namespace troupe
