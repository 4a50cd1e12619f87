// The parts that a message passes through, one at a time.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Mailbox

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/core/mailbox_queue.h"
#include "troupe/core/node_pool.h"
#include "troupe/core/runnable.h"
#include "troupe/core/slab.h"
#include "troupe/core/steal_deque.h"
#include "troupe/core/timer_queue.h"

namespace troupe {
namespace {

struct alignas(64) Node : MailboxNode {};

void MailboxPushAndTake(benchmark::State& state) {
  const auto batch = static_cast<size_t>(state.range(0));
  std::vector<Node> nodes(batch);
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  for (auto _ : state) {
    for (Node& node : nodes) benchmark::DoNotOptimize(queue.Push(node));
    benchmark::DoNotOptimize(queue.TakeAll().first);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(MailboxPushAndTake)->Arg(1)->Arg(64);

void NodePoolAllocateAndFree(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    void* node = AllocateNode(bytes);
    benchmark::DoNotOptimize(node);
    FreeNode(node, bytes);
  }
}
BENCHMARK(NodePoolAllocateAndFree)->Arg(64)->Arg(256)->Arg(1024);

// More than a thread keeps for itself: the price of moving batches to the centre and back.
void NodePoolAllocateManyThenFree(benchmark::State& state) {
  std::vector<void*> nodes(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    for (void*& node : nodes) node = AllocateNode(64);
    for (void* node : nodes) FreeNode(node, 64);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(NodePoolAllocateManyThenFree)->Arg(64)->Arg(10'000)->Arg(1'000'000);

struct alignas(64) Cell {
  char bytes[128];
};

void SlabCacheAllocateAndFree(benchmark::State& state) {
  Slab<Cell> slab(nullptr);
  Slab<Cell>::Cache cache(slab);
  std::vector<Cell*> cells(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    for (Cell*& cell : cells) cell = cache.Allocate();
    for (Cell* cell : cells) cache.Free(cell);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(SlabCacheAllocateAndFree)->Arg(1)->Arg(1000);

struct Job : Runnable {
  Job() : Runnable([](Runnable&, const Budget&) { return Outcome::kDone; }) {}
};

void StealDequePushAndPop(benchmark::State& state) {
  StealDeque<> deque;
  Job job;
  for (auto _ : state) {
    benchmark::DoNotOptimize(deque.PushBack(job));
    benchmark::DoNotOptimize(deque.PopFront());
  }
}
BENCHMARK(StealDequePushAndPop);

void StealDequeStealHalf(benchmark::State& state) {
  StealDeque<> victim;
  StealDeque<> thief;
  std::array<Job, 128> jobs;
  for (auto _ : state) {
    for (Job& job : jobs) benchmark::DoNotOptimize(victim.PushBack(job));
    while (Runnable* stolen = victim.StealHalfInto(thief)) benchmark::DoNotOptimize(stolen);
    while (Runnable* mine = thief.PopFront()) benchmark::DoNotOptimize(mine);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(jobs.size()));
}
BENCHMARK(StealDequeStealHalf);

void TimerQueuePushAndRemove(benchmark::State& state) {
  TimerQueue queue;
  std::vector<std::unique_ptr<Timer>> others;
  for (int64_t i = 0; i < state.range(0); ++i) {
    others.push_back(std::make_unique<Timer>());
    others.back()->deadline = absl::UnixEpoch() + absl::Seconds(i * 7919 % 1000);
    queue.Push(*others.back());
  }
  Timer timer;
  timer.deadline = absl::UnixEpoch() + absl::Seconds(500);
  for (auto _ : state) {
    queue.Push(timer);
    benchmark::DoNotOptimize(queue.Remove(timer));
  }
}
BENCHMARK(TimerQueuePushAndRemove)->Arg(10)->Arg(10'000);

}  // namespace
}  // namespace troupe
