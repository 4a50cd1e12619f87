// What a receive of a process costs while many messages of others wait: the same for a hundred and a
// million. And what a message costs that is received when it comes, and one that is passed over.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter=Receive

#include <cstdint>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/troupe.h"

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h

namespace troupe {
namespace {

struct Noise {
  int64_t number;
};
struct Ball {};
struct Play {
  using Reply = int64_t;
  int64_t rounds;
};
using Player = Process<Noise, Ball, Play>;

// Returns what it is sent, so that the player has a named one to wait for.
class Wall {
 public:
  void On(Ball, Context& self) { ActorRef<Player>(self.sender()).Send(Ball{}); }
};

// Plays with the wall and leaves all noise where it is.
Task<> Plays(Player& self, ActorRef<Wall> wall) {
  for (;;) {
    auto [play, from, reply] = co_await self.Receive<Play>();
    for (int64_t i = 0; i < play.rounds; ++i) {
      wall.Send(Ball{});
      if (!(co_await self.ReceiveFrom<Ball>(wall)).ok()) co_return;
    }
    reply.Send(play.rounds);
  }
}

void PlayRounds(benchmark::State& state, const ActorRef<Player>& player, int64_t rounds) {
  for (auto _ : state) {
    if (player.Ask(Play{rounds}, absl::InfiniteDuration()).Wait().value_or(-1) != rounds) {
      state.SkipWithError("rounds are missing");
    }
  }
  state.SetItemsProcessed(state.iterations() * rounds);
}

void Pile(const ActorRef<Player>& player, int64_t messages) {
  for (int64_t i = 0; i < messages; ++i) player.Send(Noise{i});
  (void)player.Ask(Play{0}, absl::InfiniteDuration()).Wait();  // they are passed over by now
}

// A round trip: two messages, one of them awaited.
void RoundTripOfReceiveFrom(benchmark::State& state) {
  System system({.workers = 1});
  auto player = system.Spawn(Plays, system.Spawn<Wall>());
  Pile(player, state.range(0));
  PlayRounds(state, player, 100'000);
}
BENCHMARK(RoundTripOfReceiveFrom)->Arg(0)->Arg(100)->Arg(1'000'000)->UseRealTime();

// The named one's messages lie in the file behind those of another and are taken from there.
Task<> TakesFromBehindOthers(Player& self, AnyRef named) {
  for (;;) {
    auto [play, from, reply] = co_await self.Receive<Play>();
    for (int64_t i = 0; i < play.rounds; ++i) {
      if (!(co_await self.ReceiveFrom<Noise>(named)).ok()) co_return;
    }
    reply.Send(play.rounds);
  }
}
struct Sow {
  using Reply = int64_t;
  ActorRef<Player> where;
  int64_t messages;
};

void ReceiveFromBehindOthers(benchmark::State& state) {
  constexpr int64_t kNamed = 10'000;
  System system({.workers = 1});
  const auto sow = [](Sow s) {
    for (int64_t i = 0; i < s.messages; ++i) s.where.Send(Noise{i});
    return s.messages;
  };
  auto named = system.Spawn(sow), other = system.Spawn(sow);
  auto player = system.Spawn(TakesFromBehindOthers, AnyRef(named));
  const auto have_sent = [&](const auto& who, int64_t messages) {
    if (messages == 0) return;
    (void)who.Ask(Sow{player, messages}, absl::InfiniteDuration()).Wait();
  };
  have_sent(other, state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    have_sent(named, kNamed);
    (void)player.Ask(Play{0}, absl::InfiniteDuration()).Wait();
    state.ResumeTiming();
    (void)player.Ask(Play{kNamed}, absl::InfiniteDuration()).Wait();
  }
  state.SetItemsProcessed(state.iterations() * kNamed);
}
BENCHMARK(ReceiveFromBehindOthers)->Arg(0)->Arg(100)->Arg(1'000'000)->UseRealTime();

// Whoever comes is passed over, and then received. Per message, with its Send.
Task<> PassesOver(Process<Noise, Play>& self) {
  for (;;) {
    auto [play, from, reply] = co_await self.Receive<Play>();
    for (int64_t i = 0; i < play.rounds; ++i) (void)co_await self.Receive<Noise>();
    reply.Send(play.rounds);
  }
}
void ReceivePassedOver(benchmark::State& state) {
  System system({.workers = 1});
  auto player = system.Spawn(PassesOver);
  const int64_t messages = state.range(0);
  for (auto _ : state) {
    for (int64_t i = 0; i < messages; ++i) player.Send(Noise{i});
    (void)player.Ask(Play{messages}, absl::InfiniteDuration()).Wait();
  }
  state.SetItemsProcessed(state.iterations() * messages);
}
BENCHMARK(ReceivePassedOver)->Arg(100)->Arg(1'000'000)->UseRealTime();

}  // namespace
}  // namespace troupe

#endif
