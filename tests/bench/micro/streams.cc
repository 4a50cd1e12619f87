// What an element costs on its way through a stream: by window, in one actor and in three, on one and
// two workers; and into an inlet.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Stream

#include <cstdint>
#include <optional>
#include <utility>

#include "benchmark/benchmark.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using stream::Generate;
using stream::OpenInlet;
using stream::Source;

constexpr int64_t kElements = 200'000;

Source<int64_t> Numbers() {
  return Generate(
      [n = int64_t{0}]() mutable { return n == kElements ? std::nullopt : std::optional(n++); });
}
void Add(int64_t& sum, int64_t n) { sum += n; }
int64_t Next(int64_t n) { return n + 1; }

void Check(benchmark::State& state, const absl::StatusOr<int64_t>& sum) {
  if (sum.value_or(0) != kElements * (kElements + 1) / 2)
    state.SkipWithError("elements are missing");
}

// Source, map and end in one actor.
void StreamInOneActor(benchmark::State& state) {
  System system({.workers = 1});
  for (auto _ : state) Check(state, Numbers().Map(Next).Fold(system, int64_t{0}, Add).Wait());
  state.SetItemsProcessed(state.iterations() * kElements);
}
BENCHMARK(StreamInOneActor)->MeasureProcessCPUTime()->UseRealTime();

// Each in an actor of its own. Arguments: workers, window.
void StreamThroughThreeActors(benchmark::State& state) {
  System system({.workers = static_cast<int>(state.range(0))});
  const auto window = static_cast<uint32_t>(state.range(1));
  for (auto _ : state) {
    Check(state, Numbers()
                     .Async({.window = window})
                     .Map(Next)
                     .Async({.window = window})
                     .Fold(system, int64_t{0}, Add)
                     .Wait());
  }
  state.SetItemsProcessed(state.iterations() * kElements);
}
BENCHMARK(StreamThroughThreeActors)
    ->ArgsProduct({{1, 2}, {1, 16, 256, 4096}})
    ->MeasureProcessCPUTime()
    ->UseRealTime();

// For comparison: a message for each element, and no back-pressure.
struct Number {
  int64_t n;
};
struct Sum {
  using Reply = int64_t;
};
class Adder {
 public:
  void On(Number m) {
    sum_ += m.n;
    if (m.n == kElements) reply_.Send(std::exchange(sum_, 0));
  }
  void On(Sum, Reply<int64_t> reply) { reply_ = std::move(reply); }

 private:
  int64_t sum_ = 0;
  Reply<int64_t> reply_;
};
void StreamByHandWithoutBackPressure(benchmark::State& state) {
  System system({.workers = static_cast<int>(state.range(0))});
  const auto adder = system.Spawn<Adder>();
  const auto next = system.Spawn([adder](Number m) { adder.Send(Number{Next(m.n)}); });
  struct Go {};
  const auto source = system.Spawn([next](Go) {
    for (int64_t n = 0; n < kElements; ++n) next.Send(Number{n});
  });
  for (auto _ : state) {
    auto sum = adder.Ask(Sum{}, absl::InfiniteDuration());
    source.Send(Go{});
    Check(state, std::move(sum).Wait());
  }
  state.SetItemsProcessed(state.iterations() * kElements);
}
BENCHMARK(StreamByHandWithoutBackPressure)->Arg(1)->Arg(2)->MeasureProcessCPUTime()->UseRealTime();

// A plain thread pushes; who finds no room asks for it.
void StreamFromAnInlet(benchmark::State& state) {
  System system({.workers = 1});
  for (auto _ : state) {
    auto [inlet, source] = OpenInlet<int64_t>({.window = static_cast<uint32_t>(state.range(0))});
    int64_t sum = 0;
    const auto flow = std::move(source).ForEach(system, [&sum](int64_t n) { sum += n; });
    for (int64_t n = 1; n <= kElements;) {
      if (inlet.TryPush(int64_t{n}) == SendResult::kQueued) {
        ++n;
      } else {
        (void)inlet.Room().Wait();
      }
    }
    inlet.Close();
    (void)system.Join(flow);
    Check(state, sum);
  }
  state.SetItemsProcessed(state.iterations() * kElements);
}
BENCHMARK(StreamFromAnInlet)->Arg(16)->Arg(256)->Arg(4096)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace troupe
