// The books of many threads: whatever they spawn, send, stop and respawn, at the end every message
// was handled or is a counted dead letter, every actor was destroyed, and Shutdown is complete.
//
// TROUPE_STRESS_SECONDS=<n> sets how long it runs in all; by hand, ten minutes:
//   TROUPE_STRESS_SECONDS=600 ./bazelw run //tests/stress:stress_test
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Books {
  std::atomic<uint64_t> made{0};
  std::atomic<uint64_t> handled{0};
  std::atomic<uint64_t> lost{0};     // destroyed unhandled
  std::atomic<uint64_t> letters{0};  // what the hook was told
  std::atomic<uint64_t> asks{0};
  std::atomic<uint64_t> answers{0};
  std::atomic<uint64_t> abandoned{0};
  std::atomic<uint64_t> downs{0};
  std::atomic<int64_t> actors{0};
};

class Parcel {
 public:
  explicit Parcel(Books& books) : books_(&books) { books.made.fetch_add(1); }
  Parcel(Parcel&& other) noexcept
      : books_(std::exchange(other.books_, nullptr)), handled_(other.handled_) {}
  Parcel& operator=(Parcel&&) = delete;
  ~Parcel() {
    if (books_ != nullptr) (handled_ ? books_->handled : books_->lost).fetch_add(1);
  }
  void MarkHandled() { handled_ = true; }

 private:
  Books* books_;
  bool handled_ = false;
};

class Expecting {
 public:
  explicit Expecting(Books& books) : books_(&books) { books.asks.fetch_add(1); }
  Expecting(Expecting&& other) noexcept : books_(std::exchange(other.books_, nullptr)) {}
  Expecting& operator=(Expecting&&) = delete;
  ~Expecting() {
    if (books_ != nullptr) books_->abandoned.fetch_add(1);
  }
  void Answered() { std::exchange(books_, nullptr)->answers.fetch_add(1); }

 private:
  Books* books_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int Draw(int n) { return static_cast<int>(engine_() % static_cast<uint64_t>(n)); }

 private:
  std::mt19937_64 engine_;
};

class Player;

// The places in which players stand; any thread may take a ref out or put another one in.
class Stage {
 public:
  explicit Stage(Books& b) : books(b), places_(kPlaces) {}

  static constexpr int kPlaces = 24;
  ActorRef<Player> At(int place) {
    std::lock_guard lock(mutex_);
    return places_[place];
  }
  void Put(int place, ActorRef<Player> player) {
    std::lock_guard lock(mutex_);
    places_[place] = player;
  }

  Books& books;

 private:
  std::mutex mutex_;
  std::vector<ActorRef<Player>> places_;
};

struct Job {
  Parcel parcel;
  int sender;  // a plain thread's number; -1: an actor
  uint64_t number;
  int steps;
};
struct Query {
  using Reply = int;
  Parcel parcel;
  int how;
};
struct Timed {};

ActorOptions RandomOptions(Random& random) {
  ActorOptions options;
  if (random.Draw(2) == 0) {
    options.capacity = static_cast<uint32_t>(1 + random.Draw(8));
    // No kBlock among actors: two that fill each other's mailbox from their handlers wait for ever.
    options.when_full =
        std::array{WhenFull::kFail, WhenFull::kDropNewest, WhenFull::kDropOldest}[random.Draw(3)];
  }
  if (random.Draw(50) == 0) options.name = "named";
  if (random.Draw(200) == 0) options.placement = Placement::kDedicatedThread;
  return options;
}

class Player {
 public:
  Player(Stage& stage, uint64_t seed) : stage_(stage), random_(seed) {
    stage_.books.actors.fetch_add(1);
  }
  ~Player() { stage_.books.actors.fetch_sub(1); }

  void OnStop() {
    if (random_.Draw(50) == 0) throw std::runtime_error("badly ended");
  }

  void On(Job job, Context& self) {
    job.parcel.MarkHandled();
    if (job.sender >= 0) {
      if (last_.size() <= static_cast<size_t>(job.sender)) last_.resize(job.sender + 1);
      EXPECT_GT(job.number, last_[job.sender]) << "order of sender " << job.sender;
      last_[job.sender] = job.number;
    }
    Act(job.steps, self);
  }
  void On(Query query, Reply<int> reply, Context& self) {
    query.parcel.MarkHandled();
    switch (query.how) {
      case 0:
        reply.Send(1);
        break;
      case 1:
        if (kept_.size() > 8) kept_.clear();
        kept_.push_back(std::move(reply));
        break;
      case 2:
        break;
      default:
        Act(1, self);
        reply.Send(absl::NotFoundError("no"));
    }
  }
  void On(Timed) {}
  void On(const Down&, Context& self) {
    stage_.books.downs.fetch_add(1);
    if (random_.Draw(2) == 0) Respawn(self);
  }

 private:
  void Act(int steps, Context& self) {
    for (int i = 0; i < steps; ++i) {
      const ActorRef<Player> other = stage_.At(random_.Draw(Stage::kPlaces));
      switch (random_.Draw(24)) {
        case 0:
          Respawn(self);
          break;
        case 1:
          other.Stop(random_.Draw(2) == 0 ? StopWhen::kNow : StopWhen::kDrained);
          break;
        case 2:
          self.Watch(other);
          break;
        case 3:
          self.Unwatch(other);
          break;
        case 4:
          self.SendAfter(absl::Microseconds(random_.Draw(2000)), other, Timed{});
          break;
        case 5:
          timer_.Cancel();
          timer_ = self.SendEvery(absl::Milliseconds(1), other, Timed{});
          break;
        case 6:
          if (random_.Draw(8) == 0) self.Stop();
          break;
        case 7:
          if (random_.Draw(16) == 0) throw std::runtime_error("by chance");
          break;
        case 8:
          if (random_.Draw(64) == 0) self.Blocking([] { std::this_thread::yield(); });
          break;
        case 9:
        case 10:
        case 11:
          other.Ask(Query{Parcel(stage_.books), random_.Draw(4)}, absl::Milliseconds(2))
              .Then(self, [expecting = Expecting(stage_.books)](absl::StatusOr<int>) mutable {
                expecting.Answered();
              });
          break;
        default:
          other.TrySend(Job{Parcel(stage_.books), -1, 0, steps - 1});
      }
    }
  }
  // Another player in one of the places: this one's child, so that it ends with it.
  void Respawn(Context& self) {
    stage_.Put(random_.Draw(Stage::kPlaces),
               self.Spawn<Player>(RandomOptions(random_), stage_, random_.Draw(1 << 30)));
    if (random_.Draw(16) == 0) self.Stop();  // or the family trees would only grow
  }

  Stage& stage_;
  Random random_;
  std::vector<uint64_t> last_;
  std::vector<Reply<int>> kept_;
  TimerHandle timer_;
};

// Nobody knows how many Timed a timer sent, and Join's own messages are its business.
bool IsInTheBooks(const DeadLetter& letter) {
  return letter.message_type.find("Job") != std::string_view::npos ||
         letter.message_type.find("Query") != std::string_view::npos;
}

// What one plain thread does until it is told to stop: the numbers it sends to one actor count up.
void PlayFromOutside(System& system, Stage& stage, int me, uint64_t seed,
                     const std::atomic<bool>& stop) {
  Random random(seed);
  uint64_t number = 0;
  while (!stop.load()) {
    const int place = random.Draw(Stage::kPlaces);
    const ActorRef<Player> player = stage.At(place);
    switch (random.Draw(16)) {
      case 0:
        player.Stop(random.Draw(2) == 0 ? StopWhen::kNow : StopWhen::kDrained);
        [[fallthrough]];
      case 1:
        // A system that stops gives nobody; the place keeps its old ref then, since what a plain
        // thread sends to nobody is in no system's books.
        if (auto fresh = system.Spawn<Player>(RandomOptions(random), stage, random.Draw(1 << 30))) {
          stage.Put(place, fresh);
        }
        player.Stop();
        break;
      case 2:
        (void)player.Ask(Query{Parcel(stage.books), random.Draw(4)}, absl::Milliseconds(1)).Wait();
        break;
      case 3:
        system.SendAfter(absl::Microseconds(random.Draw(1000)), player, Timed{});
        break;
      case 4:
        (void)system.stats();
        if (random.Draw(16) == 0) (void)system.actors();
        (void)player.ToString();
        break;
      case 5:
        if (random.Draw(8) == 0) (void)system.Join(player, absl::Milliseconds(1));
        break;
      default:
        player.Send(Job{Parcel(stage.books), me, ++number, random.Draw(4)});
    }
  }
}

// One system from its first actor to its end, with threads that do not stop when it does.
void PlayOnce(int workers, uint64_t seed, absl::Duration how_long) {
  constexpr int kThreads = 3;
  Books books;
  {
    Stage stage(books);
    System system({.workers = workers,
                   .messages_per_turn = 8,
                   .max_blocking_threads = 4,
                   .on_dead_letter = [&books](const DeadLetter& letter) {
                     if (IsInTheBooks(letter)) books.letters.fetch_add(1);
                   }});
    Random random(seed);
    for (int i = 0; i < Stage::kPlaces; ++i) {
      stage.Put(i, system.Spawn<Player>(RandomOptions(random), stage, random.Draw(1 << 30)));
    }
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back(
          [&, t] { PlayFromOutside(system, stage, t, seed * kThreads + t, stop); });
    }
    absl::SleepFor(how_long);  // how long the program plays; nothing is decided by it
    const ShutdownReport report = system.Shutdown(absl::Minutes(5));
    EXPECT_TRUE(report.complete) << report.ToString();
    stop.store(true);
    for (std::thread& thread : threads) thread.join();
    const SystemStats stats = system.stats();
    EXPECT_EQ(stats.live, 0u);
    EXPECT_EQ(stats.spawned, stats.ended);
  }
  EXPECT_EQ(books.handled + books.lost, books.made);
  EXPECT_EQ(books.lost, books.letters);
  EXPECT_EQ(books.answers + books.abandoned, books.asks);
  EXPECT_EQ(books.actors, 0);
}

class StressTest : public testing::TestWithParam<int> {};

TEST_P(StressTest, EveryMessageIsHandledOnceOrIsACountedDeadLetter) {
  const char* seconds = std::getenv("TROUPE_STRESS_SECONDS");
  const absl::Duration budget =
      absl::Seconds(seconds == nullptr ? 5.0 : std::atof(seconds)) / 3;  // three parameters
  const absl::Time end = absl::Now() + budget;
  uint64_t seed = std::random_device()();
  do {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    PlayOnce(GetParam(), seed, absl::Milliseconds(5 + seed % 100));
    ++seed;
  } while (absl::Now() < end && !HasFailure());
}

INSTANTIATE_TEST_SUITE_P(Workers, StressTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace troupe
