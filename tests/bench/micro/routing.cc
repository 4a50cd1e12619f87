// What a router adds to a Send: beside ActorRef::Send, by strategy, by the number of routees, and
// with several senders at once.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Route

#include <cstdint>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Job {
  int64_t n = 0;
};
struct Done {
  using Reply = int64_t;
};

class Counter {
 public:
  void On(Job job) { sum_ += job.n; }
  int64_t On(Done) { return sum_; }

 private:
  int64_t sum_ = 0;
};

using Counters = std::vector<ActorRef<Counter>>;

Counters SpawnCounters(System& system, int64_t n) {
  Counters counters;
  for (int64_t i = 0; i < n; ++i) counters.push_back(system.Spawn<Counter>());
  return counters;
}
Group<Job> GroupOf(const Counters& counters, Routing<Job> routing) {
  Group<Job> group(std::move(routing));
  for (const auto& counter : counters) group.Add(counter);
  return group;
}

// ---- one thread, from Send to the end of the handler

constexpr int64_t kBatch = 128;

template <class Send>
void SendAndHandleBatches(benchmark::State& state, ManualScheduler& loop, Send send) {
  for (auto _ : state) {
    for (int64_t i = 0; i < kBatch; ++i) send(i);
    loop.RunUntilIdle();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

// The routees in turn, by hand.
void RouteByHand(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  const Counters counters = SpawnCounters(system, state.range(0));
  const size_t n = counters.size();
  SendAndHandleBatches(state, loop, [&](int64_t i) { counters[i % n].Send(Job{i}); });
}
BENCHMARK(RouteByHand)->Arg(1)->Arg(4)->Arg(32);

void Route(benchmark::State& state, const Routing<Job>& routing) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  const Group<Job> group = GroupOf(SpawnCounters(system, state.range(0)), routing);
  SendAndHandleBatches(state, loop, [&](int64_t i) { group.Send(Job{i}); });
}
BENCHMARK_CAPTURE(Route, RoundRobin, RoundRobin())->Arg(1)->Arg(4)->Arg(32);
BENCHMARK_CAPTURE(Route, Random, Random())->Arg(4)->Arg(32);
BENCHMARK_CAPTURE(Route, SmallestMailbox, SmallestMailbox())->Arg(4)->Arg(32);
BENCHMARK_CAPTURE(Route, ByKey, ByKey([](const Job& job) { return job.n; }))->Arg(4)->Arg(32);

// ---- several sending threads, two workers

constexpr int kRoutees = 4;

struct Shared {
  System system{{.workers = 2}};
  Counters counters = SpawnCounters(system, kRoutees);
  Group<Job> group = GroupOf(counters, RoundRobin());
};
Shared& TheShared() {
  static Shared shared;
  return shared;
}

template <class Send>
void SendFromThreads(benchmark::State& state, const Counters& counters, Send send) {
  for (auto _ : state) {
    for (int64_t i = 0; i < kBatch * 8; ++i) send(i);
    for (const auto& counter : counters) benchmark::DoNotOptimize(counter.Ask(Done{}).Wait().ok());
  }
  state.SetItemsProcessed(state.iterations() * kBatch * 8);
}

void RouteByHandFromThreads(benchmark::State& state) {
  const Counters counters = TheShared().counters;
  SendFromThreads(state, counters, [&](int64_t i) { counters[i % kRoutees].Send(Job{i}); });
}
BENCHMARK(RouteByHandFromThreads)->ThreadRange(1, 4)->UseRealTime();

void RouteFromThreads(benchmark::State& state) {
  const Router<Job> router = TheShared().group;
  SendFromThreads(state, TheShared().counters, [&](int64_t i) { router.Send(Job{i}); });
}
BENCHMARK(RouteFromThreads)->ThreadRange(1, 4)->UseRealTime();

}  // namespace
}  // namespace troupe
