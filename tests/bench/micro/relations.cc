// What actors are to each other, and what that costs: who is watched, linked or made anew, who is found
// by a name or told by a topic, what is put off, and who is told of ends. On one thread.
//
//   ./bazelw run -c opt //tests/bench:micro -- --benchmark_filter='Relation'

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Note {
  int64_t n = 0;
};

class Reader {
 public:
  void On(Note note) { sum_ += note.n; }

 private:
  int64_t sum_ = 0;
};

// ---- ends

enum class Tie : uint8_t { kNone, kWatch, kLink };

// Makes an actor that ends at once, tied to it or not, when the one before has ended.
class Maker {
 public:
  explicit Maker(Tie tie) : tie_(tie) {}
  void On(Note, Context& self) {
    auto child = self.Spawn<Reader>();
    if (tie_ == Tie::kWatch) self.Watch(child);
    if (tie_ == Tie::kLink) self.Link(child);
    child.Stop();
  }
  void On(const Down&) {}

 private:
  const Tie tie_;
};

void RelationEnd(benchmark::State& state, Tie tie) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto maker = system.Spawn<Maker>(tie);
  for (auto _ : state) {
    maker.Send(Note{});
    loop.RunUntilIdle();
  }
}
BENCHMARK_CAPTURE(RelationEnd, none, Tie::kNone);
BENCHMARK_CAPTURE(RelationEnd, watched, Tie::kWatch);
BENCHMARK_CAPTURE(RelationEnd, linked, Tie::kLink);

class Ends {
 public:
  void On(const ActorEnded&) { ++count_; }

 private:
  int64_t count_ = 0;
};

// The same again while somebody is told of every end.
void RelationEndTold(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  system.events().Subscribe<ActorEnded>(system.Spawn<Ends>());
  auto maker = system.Spawn<Maker>(Tie::kNone);
  for (auto _ : state) {
    maker.Send(Note{});
    loop.RunUntilIdle();
  }
}
BENCHMARK(RelationEndTold);

class Fails {
 public:
  void On(Note) { throw std::runtime_error("as it should"); }
};

// From the message that makes a child fail until the next life has begun. It has the exception in it.
void RelationRestart(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  SupervisorTree tree(system, {.intensity = std::numeric_limits<int>::max()});
  auto child = tree.Add<Fails>({.name = "child"});
  tree.Start();
  loop.RunUntilIdle();
  for (auto _ : state) {
    child.Send(Note{});
    loop.RunUntilIdle();
    loop.Advance(absl::Seconds(6));  // else a period holds ever more restarts
  }
}
BENCHMARK(RelationRestart);

// ---- who is reached

constexpr int64_t kBatch = 100;

template <class Send>
void SendBatches(benchmark::State& state, ManualScheduler& loop, Send send) {
  for (auto _ : state) {
    for (int64_t i = 0; i < kBatch; ++i) send();
    loop.RunUntilIdle();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void RelationByName(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  if (!system.Bind<Note>("reader", system.Spawn<Reader>()).ok()) state.SkipWithError("no name");
  const auto reader = system.FindLate<Note>("reader");
  SendBatches(state, loop, [&] { reader.Send(Note{1}); });
}
BENCHMARK(RelationByName);

// A value, to so many subscribers.
void RelationTopic(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  const auto topic = SpawnTopic<Note>(system);
  for (int64_t i = 0; i < state.range(0); ++i) topic.Subscribe(system.Spawn<Reader>());
  SendBatches(state, loop, [&] { topic.Publish(Note{1}); });
}
BENCHMARK(RelationTopic)->Arg(1)->Arg(10);

// ---- what is put off

struct Open {};

class Hesitant {
 public:
  void On(Note note, Context& self) {
    if (!is_open_) return (void)stash_.Add(note, self);
    sum_ += note.n;
  }
  void On(Open, Context& self) {
    is_open_ = !is_open_;
    if (is_open_) stash_.PutBack(self);
  }

 private:
  bool is_open_ = false;
  int64_t sum_ = 0;
  Stash<Hesitant> stash_{kBatch};
};

// Handled twice, the second time for good.
void RelationStash(benchmark::State& state) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto hesitant = system.Spawn<Hesitant>();
  for (auto _ : state) {
    for (int64_t i = 0; i < kBatch; ++i) hesitant.Send(Note{1});
    hesitant.Send(Open{});
    loop.RunUntilIdle();
    hesitant.Send(Open{});
    loop.RunUntilIdle();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(RelationStash);

}  // namespace
}  // namespace troupe
