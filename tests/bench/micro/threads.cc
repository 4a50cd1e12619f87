// What passes from one thread to another. Where one sleeps, the kernel's share is the larger one.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=HandOver

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/core/event_count.h"
#include "troupe/runtime/internal/parker.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using Clock = std::chrono::steady_clock;
using internal::Parker;

// ---- hand-over between two threads that sleep in turn

// Tokens that are put here one at a time and taken by one thread.
class Tray {
 public:
  void Put() {
    tokens_.fetch_add(1, std::memory_order_relaxed);
    events_.NotifyOne();
  }
  void Take() {
    while (!TryTake()) {
      const EventCount::Key key = events_.PrepareWait();
      if (TryTake()) return events_.CancelWait();
      events_.CommitWait(key);
    }
  }

 private:
  // Relaxed: the event count orders it. One taker.
  bool TryTake() {
    if (tokens_.load(std::memory_order_relaxed) == 0) return false;
    tokens_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }

  std::atomic<int> tokens_{0};
  EventCount events_;
};

// There and back.
void EventCountHandOver(benchmark::State& state) {
  Tray there;
  Tray back;
  std::jthread other([&, rounds = state.max_iterations] {
    for (auto i = rounds; i > 0; --i) {
      there.Take();
      back.Put();
    }
  });
  for (auto _ : state) {
    there.Put();
    back.Take();
  }
}
BENCHMARK(EventCountHandOver)->UseRealTime();

// There and back.
void ParkerHandOver(benchmark::State& state) {
  Parker mine;
  Parker others;
  std::jthread other([&, rounds = state.max_iterations] {
    for (auto i = rounds; i > 0; --i) {
      others.Park();
      mine.Unpark();
    }
  });
  for (auto _ : state) {
    others.Unpark();
    mine.Park();
  }
}
BENCHMARK(ParkerHandOver)->UseRealTime();

// ---- a plain thread and a system

struct Get {
  using Reply = int64_t;
};
struct Probe {};

class Receiver {
 public:
  explicit Receiver(std::atomic<Clock::rep>& started) : started_(started) {}
  int64_t On(Get) { return 0; }
  void On(Probe) {
    started_.store(Clock::now().time_since_epoch().count());
    started_.notify_one();
  }

 private:
  std::atomic<Clock::rep>& started_;
};

// Long enough for every worker to go to sleep.
void AwaitSleep() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

// The caller asks again at once: the worker has not gone to sleep yet.
void AskFromAPlainThread(benchmark::State& state) {
  std::atomic<Clock::rep> started{0};
  System system({.workers = 2});
  auto receiver = system.Spawn<Receiver>(started);
  for (auto _ : state) {
    if (!receiver.Ask(Get{}).Wait().ok()) state.SkipWithError("no answer");
  }
}
BENCHMARK(AskFromAPlainThread)->UseRealTime();

// The same when every worker sleeps in the kernel.
void AskWakesAnIdleSystem(benchmark::State& state) {
  std::atomic<Clock::rep> started{0};
  System system({.workers = 2});
  auto receiver = system.Spawn<Receiver>(started);
  for (auto _ : state) {
    state.PauseTiming();
    AwaitSleep();
    state.ResumeTiming();
    if (!receiver.Ask(Get{}).Wait().ok()) state.SkipWithError("no answer");
  }
}
BENCHMARK(AskWakesAnIdleSystem)->UseRealTime()->Iterations(200);

// Only the way there: from Send until the handler starts.
void SendWakesAnIdleSystem(benchmark::State& state) {
  std::atomic<Clock::rep> started{0};
  System system({.workers = 2});
  auto receiver = system.Spawn<Receiver>(started);
  for (auto _ : state) {
    AwaitSleep();
    started.store(0);
    const Clock::duration sent = Clock::now().time_since_epoch();
    receiver.Send(Probe{});
    started.wait(0);
    const std::chrono::duration<double> took = Clock::duration(started.load()) - sent;
    state.SetIterationTime(took.count());
  }
}
BENCHMARK(SendWakesAnIdleSystem)->UseManualTime()->Iterations(200);

// With the timer thread: alone, when each one is the next to fire, and behind an earlier one.
void SendAfterAndCancelOnThread(benchmark::State& state) {
  std::atomic<Clock::rep> started{0};
  System system({.workers = 2});
  auto receiver = system.Spawn<Receiver>(started);
  for (int64_t i = 0; i < state.range(0); ++i) {
    system.SendAfter(absl::Minutes(30), receiver, Probe{});
  }
  for (auto _ : state) {
    if (!system.SendAfter(absl::Hours(1), receiver, Probe{}).Cancel()) {
      state.SkipWithError("there was nothing to cancel");
    }
  }
}
BENCHMARK(SendAfterAndCancelOnThread)->Arg(0)->Arg(1)->UseRealTime();

}  // namespace
}  // namespace troupe
