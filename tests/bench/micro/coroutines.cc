// What awaiting an answer costs beside two bare messages and beside Then, in a system with one
// worker.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=RoundTrip

#include <cstdint>
#include <stop_token>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/troupe.h"

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h

namespace troupe {
namespace {

struct Get {
  using Reply = int64_t;
};
struct Play {
  using Reply = int64_t;
  int64_t rounds;
};

// Has `player` play that many rounds, and expects it to say that it did.
template <class Player>
void PlayRounds(benchmark::State& state, const ActorRef<Player>& player) {
  const int64_t rounds = state.range(0);
  for (auto _ : state) {
    if (player.Ask(Play{rounds}, absl::InfiniteDuration()).Wait().value_or(-1) != rounds) {
      state.SkipWithError("rounds are missing");
    }
  }
  state.SetItemsProcessed(state.iterations() * rounds);
}

// ---- two messages

struct Ball {};
class Wall {
 public:
  void On(Ball, Context& self);
};
class Player {
 public:
  explicit Player(ActorRef<Wall> wall) : wall_(wall) {}
  void On(Play play, Reply<int64_t> reply) {
    reply_ = std::move(reply);
    rounds_ = left_ = play.rounds;
    wall_.Send(Ball{});
  }
  void On(Ball) {
    if (--left_ == 0) return reply_.Send(rounds_);
    wall_.Send(Ball{});
  }

 private:
  const ActorRef<Wall> wall_;
  Reply<int64_t> reply_;
  int64_t rounds_ = 0;
  int64_t left_ = 0;
};
void Wall::On(Ball, Context& self) {
  ActorRef<Player>(self.sender()).Send(Ball{});  // what As<Player> does, without its check
}

void RoundTripOfMessages(benchmark::State& state) {
  System system({.workers = 1});
  PlayRounds(state, system.Spawn<Player>(system.Spawn<Wall>()));
}
BENCHMARK(RoundTripOfMessages)->Arg(100'000)->UseRealTime();

// ---- an ask

struct Nothing {};
class Plain {
 public:
  int64_t On(Get) { return 1; }
  void On(Nothing) {}
};
class Coroutine {
 public:
  Task<int64_t> On(Get) { co_return 1; }
};

template <class Whom>
class Awaiting {
 public:
  explicit Awaiting(ActorRef<Whom> whom) : whom_(whom) {}
  Task<int64_t> On(Play play) {
    int64_t sum = 0;
    for (int64_t i = 0; i < play.rounds; ++i) sum += (co_await whom_.Ask(Get{})).value_or(0);
    co_return sum;
  }

 private:
  const ActorRef<Whom> whom_;
};

class Continuing {
 public:
  explicit Continuing(ActorRef<Plain> whom) : whom_(whom) {}
  void On(Play play, Reply<int64_t> reply, Context& self) {
    reply_ = std::move(reply);
    sum_ = 0;
    AskNext(play.rounds, self);
  }

 private:
  void AskNext(int64_t left, Context& self) {
    if (left == 0) return reply_.Send(sum_);
    whom_.Ask(Get{}).Then(self, [this, left](absl::StatusOr<int64_t> answer, Context& self) {
      sum_ += answer.value_or(0);
      AskNext(left - 1, self);
    });
  }

  const ActorRef<Plain> whom_;
  Reply<int64_t> reply_;
  int64_t sum_ = 0;
};

template <class Asker, class Whom>
void RoundTripOfAsk(benchmark::State& state) {
  System system({.workers = 1});
  PlayRounds(state, system.Spawn<Asker>(system.Spawn<Whom>()));
}
BENCHMARK(RoundTripOfAsk<Continuing, Plain>)
    ->Name("RoundTripOfAskThen")
    ->Arg(100'000)
    ->UseRealTime();
BENCHMARK(RoundTripOfAsk<Awaiting<Plain>, Plain>)
    ->Name("RoundTripOfAskAwaited")
    ->Arg(100'000)
    ->UseRealTime();
BENCHMARK(RoundTripOfAsk<Awaiting<Coroutine>, Coroutine>)
    ->Name("RoundTripOfAskAwaitedOfACoroutine")
    ->Arg(100'000)
    ->UseRealTime();

// ---- a task of the same handler, without an ask

class Nesting {
 public:
  Task<int64_t> On(Play play) {
    int64_t sum = 0;
    for (int64_t i = 0; i < play.rounds; ++i) sum += co_await One();
    co_return sum;
  }

 private:
  static Task<int64_t> One() { co_return 1; }
};
void AwaitTask(benchmark::State& state) {
  System system({.workers = 1});
  PlayRounds(state, system.Spawn<Nesting>());
}
BENCHMARK(AwaitTask)->Arg(100'000)->UseRealTime();

// ---- several asks, and what else may be awaited: `Await` yields 1

template <class Await>
class Repeating {
 public:
  explicit Repeating(ActorRef<Plain> whom) : await_{whom} {}
  Task<int64_t> On(Play play) {
    int64_t sum = 0;
    for (int64_t i = 0; i < play.rounds; ++i) sum += co_await await_.Once();
    co_return sum;
  }

 private:
  Await await_;
};
template <class Await>
void RoundTrip(benchmark::State& state) {
  System system({.workers = 1});
  PlayRounds(state, system.Spawn<Repeating<Await>>(system.Spawn<Plain>()));
}

struct All {
  ActorRef<Plain> whom;
  Task<int64_t> Once() {
    auto [a, b] = co_await AllOf(whom.Ask(Get{}), whom.Ask(Get{}));
    co_return a.ok() && b.ok() ? 1 : 0;
  }
};
struct First {
  ActorRef<Plain> whom;
  Task<int64_t> Once() {
    co_return (co_await FirstOf(whom.Ask(Get{}), whom.Ask(Get{}))).value_or(0);
  }
};
struct Elsewhere {
  ActorRef<Plain> whom;
  Task<int64_t> Once() {
    co_return (co_await Offload([] { return int64_t{1}; })).value_or(0);
  }
};
struct UnlessStopped {
  ActorRef<Plain> whom;
  std::stop_source stop = {};
  Task<int64_t> Once() {
    co_return (co_await Cancellable(whom.Ask(Get{}), stop.get_token())).value_or(0);
  }
};
struct WithRoom {
  ActorRef<Plain> whom;
  Task<int64_t> Once() { co_return (co_await whom.Enqueue(Nothing{})).ok() ? 1 : 0; }
};
BENCHMARK(RoundTrip<All>)->Name("RoundTripOfAllOfTwo")->Arg(100'000)->UseRealTime();
BENCHMARK(RoundTrip<First>)->Name("RoundTripOfFirstOfTwo")->Arg(100'000)->UseRealTime();
BENCHMARK(RoundTrip<Elsewhere>)->Name("RoundTripOfOffload")->Arg(10'000)->UseRealTime();
BENCHMARK(RoundTrip<UnlessStopped>)->Name("RoundTripOfCancellable")->Arg(100'000)->UseRealTime();
BENCHMARK(RoundTrip<WithRoom>)->Name("EnqueueAwaitedWithRoom")->Arg(100'000)->UseRealTime();

}  // namespace
}  // namespace troupe

#endif
