// Random programs on a scheduler that draws who runs next: whatever they do, every message is
// handled once or is a counted dead letter, and each sender's arrive in order.
//
// A failure names its seed; TROUPE_SIMULATION_SEED=<seed> runs that program alone, and
// TROUPE_SIMULATION_PROGRAMS=<n> another number of them.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

// Says where the message is in its life; the books are told of its last moment in any case.
struct Books;
class Parcel {
 public:
  explicit Parcel(Books& books);
  Parcel(Parcel&& other) noexcept
      : books_(std::exchange(other.books_, nullptr)), handled_(other.handled_) {}
  Parcel& operator=(Parcel&&) = delete;
  ~Parcel();
  void MarkHandled() { handled_ = true; }

 private:
  Books* books_;
  bool handled_ = false;
};

struct Books {
  uint64_t made = 0;
  uint64_t handled = 0;  // destroyed after it was handled
  uint64_t lost = 0;     // destroyed unhandled
  uint64_t letters = 0;  // what the hook was told
  uint64_t refused = 0;  // Sends that did not say kQueued
  uint64_t asks = 0;
  uint64_t answers = 0;    // continuations called
  uint64_t abandoned = 0;  // continuations destroyed uncalled
  uint64_t downs = 0;
  uint64_t actors = 0;
};

Parcel::Parcel(Books& books) : books_(&books) { ++books_->made; }
Parcel::~Parcel() {
  if (books_ != nullptr) ++(handled_ ? books_->handled : books_->lost);
}

struct Job {
  Parcel parcel;
  int sender;       // index of who sent it; -1: the test
  uint64_t number;  // counts up for each pair of sender and receiver
  int steps;        // how much it may still cause
};
struct Query {
  using Reply = int;
  Parcel parcel;
  int how;
};
struct Timed {
  int steps;
};

class Player;

struct World {
  explicit World(uint64_t s) : seed(s), random(s) {}

  int Draw(int n) { return static_cast<int>(random() % static_cast<uint64_t>(n)); }

  const uint64_t seed;
  std::mt19937_64 random;
  Books books;
  std::vector<ActorRef<Player>> players;
  std::map<std::pair<int, int>, uint64_t> sent;  // by sender and receiver
};

// Counts how a continuation ended.
class Expecting {
 public:
  explicit Expecting(Books& books) : books_(&books) { ++books.asks; }
  Expecting(Expecting&& other) noexcept : books_(std::exchange(other.books_, nullptr)) {}
  Expecting& operator=(Expecting&&) = delete;
  ~Expecting() {
    if (books_ != nullptr) ++books_->abandoned;
  }
  void Answered() { ++std::exchange(books_, nullptr)->answers; }

 private:
  Books* books_;
};

class Player {
 public:
  Player(World& world, int index) : world_(world), index_(index) { ++world_.books.actors; }
  ~Player() { --world_.books.actors; }

  void OnStart(Context& self) {
    if (world_.Draw(10) == 0) Act(1, self);
  }
  void OnStop(Context& self) {
    if (world_.Draw(4) == 0) Act(1, self);
    if (world_.Draw(20) == 0) throw std::runtime_error("badly ended");
  }

  void On(Job job, Context& self) {
    job.parcel.MarkHandled();
    uint64_t& last = last_[job.sender];
    EXPECT_GT(job.number, last) << "order of sender " << job.sender << ", seed " << world_.seed;
    last = job.number;
    Act(job.steps, self);
  }

  void On(Query query, Reply<int> reply, Context& self) {
    query.parcel.MarkHandled();
    switch (query.how % 4) {
      case 0:
        reply.Send(index_);
        break;
      case 1:
        kept_.push_back(std::move(reply));
        break;
      case 2:
        break;  // dropped
      case 3:
        Act(1, self);
        if (!kept_.empty()) {
          kept_.back().Send(absl::CancelledError("another's"));
          kept_.pop_back();
        }
        reply.Send(absl::NotFoundError("no"));
    }
  }

  void On(Timed timed, Context& self) { Act(timed.steps, self); }

  void On(Down down, Context&) {
    ++world_.books.downs;
    EXPECT_FALSE(down.who.As<Player>().has_value() && down.reason == ExitReason::kNoSuchActor)
        << "seed " << world_.seed;
  }

 private:
  // Some of what an actor can do, at random.
  void Act(int steps, Context& self) {
    for (int i = 0; i < steps; ++i) {
      switch (world_.Draw(20)) {
        case 0:
        case 1:
          SpawnOne(self);
          break;
        case 2:
          Somebody().Stop(world_.Draw(2) == 0 ? StopWhen::kNow : StopWhen::kDrained);
          break;
        case 3:
          self.Watch(world_.Draw(20) == 0 ? AnyRef() : Somebody());
          break;
        case 4:
          self.Unwatch(Somebody());
          break;
        case 5:
        case 6:
        case 7:
          AskSomebody(self);
          break;
        case 8:
          timers_.push_back(
              self.SendAfter(absl::Milliseconds(world_.Draw(50)), Somebody(), Timed{steps - 1}));
          break;
        case 9:
          timers_.push_back(
              self.SendEvery(absl::Milliseconds(1 + world_.Draw(20)), Somebody(), Timed{0}));
          break;
        case 10:
          if (!timers_.empty()) {
            timers_.back().Cancel();
            timers_.pop_back();
          }
          break;
        case 11:
          if (world_.Draw(4) == 0) self.Stop();
          break;
        case 12:
          if (world_.Draw(8) == 0) self.Fail(absl::AbortedError("by chance"));
          if (world_.Draw(8) == 0) throw std::runtime_error("by chance");
          break;
        default:
          SendJob(steps - 1);
      }
    }
  }

  ActorRef<Player> Somebody() { return world_.players[PickIndex()]; }
  int PickIndex() { return world_.Draw(static_cast<int>(world_.players.size())); }

  void SendJob(int steps) {
    const int to = PickIndex();
    Job job{Parcel(world_.books), index_, ++world_.sent[{index_, to}], steps};
    const ActorRef<Player> receiver = world_.players[to];
    const SendResult result =
        world_.Draw(3) == 0 ? receiver.TrySend(std::move(job)) : receiver.Send(std::move(job));
    if (result != SendResult::kQueued) ++world_.books.refused;
  }

  void AskSomebody(Context& self) {
    Somebody()
        .Ask(Query{Parcel(world_.books), world_.Draw(4)}, absl::Milliseconds(1 + world_.Draw(100)))
        .Then(self, [this, expecting = Expecting(world_.books)](absl::StatusOr<int>,
                                                                Context& self) mutable {
          expecting.Answered();
          if (world_.Draw(3) == 0) Act(1, self);
        });
  }

  void SpawnOne(Context& self) {
    if (world_.players.size() > 60) return;
    const int index = static_cast<int>(world_.players.size());
    world_.players.push_back(self.Spawn<Player>(RandomOptions(world_), world_, index));
  }

 public:
  static ActorOptions RandomOptions(World& world) {
    ActorOptions options;
    if (world.Draw(2) == 0) {
      options.capacity = static_cast<uint32_t>(1 + world.Draw(4));
      options.when_full = std::array{WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest,
                                     WhenFull::kDropOldest}[world.Draw(4)];
    }
    return options;
  }

 private:
  World& world_;
  const int index_;
  std::map<int, uint64_t> last_;
  std::vector<Reply<int>> kept_;
  std::vector<TimerHandle> timers_;
};

// Letters of Timed messages are not in the books: nobody knows how many a timer sent.
bool IsInTheBooks(const DeadLetter& letter) {
  return letter.message_type.find("Timed") == std::string_view::npos;
}

void RunProgram(uint64_t seed, Books& total) {
  World world(seed);
  {
    ManualScheduler loop(
        {.seed = world.random(),
         .budget = {.messages = 1 + world.Draw(4), .slice = absl::InfiniteDuration()}});
    System system({.scheduler = &loop, .on_dead_letter = [&world](const DeadLetter& letter) {
                     if (IsInTheBooks(letter)) ++world.books.letters;
                   }});
    for (int i = 0; i < 4; ++i) {
      world.players.push_back(system.Spawn<Player>(Player::RandomOptions(world), world, i));
    }
    for (int round = 0; round < 10; ++round) {
      for (int i = world.Draw(6); i > 0; --i) {
        const int to = world.Draw(static_cast<int>(world.players.size()));
        const SendResult result = world.players[to].TrySend(
            Job{Parcel(world.books), -1, ++world.sent[{-1, to}], 1 + world.Draw(4)});
        if (result != SendResult::kQueued) ++world.books.refused;
      }
      for (int i = world.Draw(30); i > 0; --i) loop.RunOne();
      if (world.Draw(3) == 0) loop.Advance(absl::Milliseconds(world.Draw(30)));
    }
    if (world.Draw(2) == 0) loop.Advance(absl::Milliseconds(200));
    const ShutdownReport report = system.Shutdown(absl::Seconds(60));
    EXPECT_TRUE(report.complete) << report.ToString() << "\nseed " << seed;
    EXPECT_EQ(system.stats().live, 0u) << "seed " << seed;
  }
  const Books& books = world.books;
  EXPECT_EQ(books.handled + books.lost, books.made) << "seed " << seed;
  EXPECT_EQ(books.letters, books.lost) << "seed " << seed;
  EXPECT_EQ(books.answers + books.abandoned, books.asks) << "seed " << seed;
  EXPECT_EQ(books.actors, 0u) << "seed " << seed;
  total.made += books.made;
  total.handled += books.handled;
  total.lost += books.lost;
  total.refused += books.refused;
  total.answers += books.answers;
  total.abandoned += books.abandoned;
  total.downs += books.downs;
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RandomProgramTest, EveryMessageIsHandledOnceOrIsACountedDeadLetter) {
#ifdef TROUPE_SANITIZER
  constexpr uint64_t kPrograms = 1000;
#else
  constexpr uint64_t kPrograms = 5000;
#endif
  const uint64_t only = FromEnvironment("TROUPE_SIMULATION_SEED", 0);
  const uint64_t programs = FromEnvironment("TROUPE_SIMULATION_PROGRAMS", kPrograms);
  Books total;
  if (only != 0) return RunProgram(only, total);
  for (uint64_t seed = 1; seed <= programs && !HasFailure(); ++seed) RunProgram(seed, total);
  if (programs < 100) return;
  // The programs did something of everything.
  EXPECT_GT(total.handled, programs);
  EXPECT_GT(total.lost, programs / 10);
  EXPECT_GT(total.refused, programs / 10);
  EXPECT_GT(total.answers, programs / 10);
  EXPECT_GT(total.abandoned, programs / 100);
  EXPECT_GT(total.downs, programs / 100);
}

TEST(RandomProgramTest, TheSameSeedGivesTheSameProgram) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Books one, two;
    RunProgram(seed, one);
    RunProgram(seed, two);
    EXPECT_EQ(one.made, two.made) << "seed " << seed;
    EXPECT_EQ(one.handled, two.handled) << "seed " << seed;
    EXPECT_EQ(one.answers, two.answers) << "seed " << seed;
    EXPECT_EQ(one.downs, two.downs) << "seed " << seed;
  }
}

}  // namespace
}  // namespace troupe
