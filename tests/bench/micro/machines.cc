// What a state machine adds to a message, and what a move and a postponed message cost.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Machine

#include <cstdint>

#include "benchmark/benchmark.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Count {};
struct Switch {};
struct Later {};

class PlainCounter {
 public:
  void On(Count) { ++count_; }

 private:
  int64_t count_ = 0;
};

struct Left {};
struct Right {};

class Machine {
 public:
  void On(Left&, Count) { ++left_; }
  void On(Right&, Count) { ++right_; }
  Right On(Left&, Switch) { return {}; }
  Left On(Right&, Switch) { return {}; }
  Postponed On(Left&, Later);
  void On(Right&, Later) { ++right_; }
  StateMachine<Left, Right> state{{.postponed = 1'000'000}};

 private:
  int64_t left_ = 0, right_ = 0;
};

template <class A, class M>
void SendAll(benchmark::State& state) {
  constexpr int64_t kBatch = 128;
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto actor = system.Spawn<A>();
  for (auto _ : state) {
    for (int64_t i = 0; i < kBatch; ++i) actor.Send(M{});
    loop.RunUntilIdle();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

// From Send to the end of the handler.
void MachineNone(benchmark::State& state) { SendAll<PlainCounter, Count>(state); }
BENCHMARK(MachineNone);
void MachineStays(benchmark::State& state) { SendAll<Machine, Count>(state); }
BENCHMARK(MachineStays);
void MachineMoves(benchmark::State& state) { SendAll<Machine, Switch>(state); }
BENCHMARK(MachineMoves);

// Postponed, and handled after the next move.
void MachinePostpones(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto machine = system.Spawn<Machine>();
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) machine.Send(Later{});
    machine.Send(Switch{});
    machine.Send(Switch{});
    loop.RunUntilIdle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(MachinePostpones)->Arg(100)->Arg(100'000);

}  // namespace
}  // namespace troupe
