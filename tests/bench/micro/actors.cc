// What actors do, one thing at a time, on one thread and without the thread pool.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Spawn

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Increment {};
struct Get {
  using Reply = int64_t;
};

class Counter {
 public:
  void On(Increment) { ++count_; }
  int64_t On(Get) { return count_; }

 private:
  int64_t count_ = 0;
};

// ---- messages

void SendAndHandleAll(benchmark::State& state, const ActorOptions& options) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto counter = system.Spawn<Counter>(options);
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) counter.Send(Increment{});
    loop.RunUntilIdle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// From Send to the end of the handler.
void SendAndHandle(benchmark::State& state) { SendAndHandleAll(state, {}); }
BENCHMARK(SendAndHandle)->Arg(1)->Arg(100);

// The same with a mailbox that has room for all of them: what each policy costs where it is not
// needed.
void SendAndHandleBounded(benchmark::State& state, WhenFull when_full) {
  SendAndHandleAll(state, {.capacity = 100, .when_full = when_full});
}
BENCHMARK_CAPTURE(SendAndHandleBounded, kBlock, WhenFull::kBlock)->Arg(1)->Arg(100);
BENCHMARK_CAPTURE(SendAndHandleBounded, kFail, WhenFull::kFail)->Arg(1)->Arg(100);
BENCHMARK_CAPTURE(SendAndHandleBounded, kDropNewest, WhenFull::kDropNewest)->Arg(1)->Arg(100);
BENCHMARK_CAPTURE(SendAndHandleBounded, kDropOldest, WhenFull::kDropOldest)->Arg(1)->Arg(100);

// A mailbox of one, and nobody who makes room: refused, or the one that waits is thrown out.
void SendToAFullMailbox(benchmark::State& state, WhenFull when_full) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto counter = system.Spawn<Counter>({.capacity = 1, .when_full = when_full});
  counter.Send(Increment{});
  for (auto _ : state) benchmark::DoNotOptimize(counter.Send(Increment{}));
}
BENCHMARK_CAPTURE(SendToAFullMailbox, kFail, WhenFull::kFail);
BENCHMARK_CAPTURE(SendToAFullMailbox, kDropNewest, WhenFull::kDropNewest);
BENCHMARK_CAPTURE(SendToAFullMailbox, kDropOldest, WhenFull::kDropOldest);

// ---- rights

struct Feed {
  using Reply = void;
  int64_t times;
};
using ToCounter = Recipient<Increment, Get>;

class Feeder {
 public:
  explicit Feeder(const ToCounter& to) : to_(to) {}
  void On(Feed feed) {
    for (int64_t i = 0; i < feed.times; ++i) to_.Send(Increment{});
  }

 private:
  const ToCounter to_;
};

// What the hop through a caretaker adds to a message, on one worker and by the real clock.
void SendByRight(benchmark::State& state, const std::function<ToCounter(ToCounter)>& weaken) {
  constexpr int64_t kMessages = 10'000;
  System system({.workers = 1});
  const ToCounter right = weaken(system.Spawn<Counter>());
  auto feeder = system.Spawn<Feeder>(right);
  for (auto _ : state) {
    if (!feeder.Ask(Feed{kMessages}).Wait().ok()) state.SkipWithError("the feeder has ended");
    benchmark::DoNotOptimize(right.Ask(Get{}).Wait());  // it comes after them
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
}
BENCHMARK_CAPTURE(SendByRight, itself, [](ToCounter right) { return right; })->UseRealTime();
BENCHMARK_CAPTURE(SendByRight, revocable, [](ToCounter right) {
  return right.Attenuate();
})->UseRealTime();
BENCHMARK_CAPTURE(SendByRight, limited, [](ToCounter right) {
  return right.Limit(1'000'000'000, absl::Microseconds(1));
})->UseRealTime();

// ---- asks

struct AskFor {
  int64_t times;
};

class Asker {
 public:
  Asker(ActorRef<Counter> counter, int64_t& answers) : counter_(counter), answers_(answers) {}
  void On(AskFor ask, Context& self) {
    for (int64_t i = 0; i < ask.times; ++i) {
      counter_.Ask(Get{}).Then(self, [this](absl::StatusOr<int64_t> answer) {
        if (answer.ok()) ++answers_;
      });
    }
  }

 private:
  const ActorRef<Counter> counter_;
  int64_t& answers_;
};

// From an actor, with its deadline, to the end of the continuation.
void AskThen(benchmark::State& state) {
  int64_t answers = 0;
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto asker = system.Spawn<Asker>(system.Spawn<Counter>(), answers);
  for (auto _ : state) {
    asker.Send(AskFor{state.range(0)});
    loop.RunUntilIdle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  if (answers != state.iterations() * state.range(0)) state.SkipWithError("answers are missing");
}
BENCHMARK(AskThen)->Arg(1)->Arg(100);

// ---- births and ends

void SpawnAndStop(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  for (auto _ : state) {
    system.Spawn<Counter>().Stop();
    loop.RunUntilIdle();
  }
}
BENCHMARK(SpawnAndStop);

class Parent {
 public:
  void OnStart(Context& self) { self.Spawn<Counter>(); }
};

// Two actors, and the second ends because the first does.
void SpawnAndStopWithAChild(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  for (auto _ : state) {
    auto parent = system.Spawn<Parent>();
    loop.RunUntilIdle();
    parent.Stop();
    loop.RunUntilIdle();
  }
  if (system.stats().spawned != 2 * static_cast<uint64_t>(state.iterations())) {
    state.SkipWithError("children are missing");
  }
}
BENCHMARK(SpawnAndStopWithAChild);

// ---- timers

// While so many others are pending.
void SendAfterAndCancel(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto counter = system.Spawn<Counter>();
  for (int64_t i = 0; i < state.range(0); ++i) {
    system.SendAfter(absl::Seconds(i * 7919 % 1000), counter, Increment{});
  }
  for (auto _ : state) {
    if (!system.SendAfter(absl::Seconds(500), counter, Increment{}).Cancel()) {
      state.SkipWithError("there was nothing to cancel");
    }
  }
}
BENCHMARK(SendAfterAndCancel)->Arg(0)->Arg(10'000);

}  // namespace
}  // namespace troupe
