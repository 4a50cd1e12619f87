// Philosophers round a table, a fork between any two of them, and an arbitrator who gives out forks.
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

struct Hungry {
  using Reply = bool;  // whether both forks were free, and are now the asker's
  int64_t philosopher;
};
struct Eaten {
  int64_t philosopher;
};
struct Leave {};

// What an arbitrator has seen.
struct Evening {
  int64_t meals = 0;
  int64_t denials = 0;
  int64_t foreign_forks = 0;  // given back by somebody who did not have them
  int64_t forks_in_use = 0;   // now
};
struct GetEvening {
  using Reply = Evening;
};

class Arbitrator {
 public:
  Arbitrator(Measurement& measurement, int64_t philosophers)
      : measurement_(measurement), at_table_(philosophers), forks_(philosophers, kFree) {}

  bool On(Hungry hungry) {
    for (const int64_t* fork : ForksOf(hungry.philosopher)) {
      if (*fork == kFree) continue;
      ++evening_.denials;
      return false;
    }
    for (int64_t* fork : ForksOf(hungry.philosopher)) *fork = hungry.philosopher;
    evening_.forks_in_use += 2;
    return true;
  }
  void On(Eaten eaten) {
    ++evening_.meals;
    for (int64_t* fork : ForksOf(eaten.philosopher)) {
      if (*fork != eaten.philosopher) ++evening_.foreign_forks;
      *fork = kFree;
    }
    evening_.forks_in_use -= 2;
  }
  void On(Leave) {
    if (--at_table_ == 0) measurement_.End(0);
  }
  Evening On(GetEvening) { return evening_; }

 private:
  static constexpr int64_t kFree = -1;

  std::array<int64_t*, 2> ForksOf(int64_t philosopher) {
    return {&forks_[philosopher], &forks_[(philosopher + 1) % std::ssize(forks_)]};
  }

  Measurement& measurement_;
  int64_t at_table_;
  std::vector<int64_t> forks_;  // who has it
  Evening evening_;
};

class Philosopher {
 public:
  Philosopher(ActorRef<Arbitrator> arbitrator, int64_t id, int64_t rounds)
      : arbitrator_(arbitrator), id_(id), left_(rounds) {}

  void On(Start, Context& self) { AskForForks(self); }

 private:
  void AskForForks(Context& self) {
    arbitrator_.Ask(Hungry{id_}).Then(self, [this](absl::StatusOr<bool> granted, Context& me) {
      if (!granted.ok()) {
        arbitrator_.Send(Leave{});  // the meals that are missing will tell
      } else {
        *granted ? Eat(me) : AskForForks(me);
      }
    });
  }
  void Eat(Context& self) {
    arbitrator_.Send(Eaten{id_});
    if (--left_ > 0) {
      self.ref(this).Send(Start{});
    } else {
      arbitrator_.Send(Leave{});
    }
  }

  const ActorRef<Arbitrator> arbitrator_;
  const int64_t id_;
  int64_t left_;
};

absl::Status Check(const absl::StatusOr<Evening>& evening, int64_t meals) {
  if (!evening.ok()) return evening.status();
  return Expect({{"meals", evening->meals, meals},
                 {"forks given back by somebody else", evening->foreign_forks, 0},
                 {"forks still in use", evening->forks_in_use, 0}});
}

}  // namespace

// PHILOSOPHERS eat ROUNDS times each. A hungry one asks the arbitrator for both of his forks until he
// gets them, gives them back, and reminds himself that he is hungry. op = meal, at least 4 messages.
absl::StatusOr<Result> DiningPhilosophers(Arguments& arguments) {
  const int64_t philosophers = arguments.Number(0, 20);
  const int64_t rounds = arguments.Number(1, 10'000);
  if (philosophers < 2) return absl::InvalidArgumentError("at least 2 philosophers");
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto arbitrator = system.Spawn<Arbitrator>(measurement, philosophers);
  std::vector<ActorRef<Philosopher>> all;
  for (int64_t i = 0; i < philosophers; ++i) {
    all.push_back(system.Spawn<Philosopher>(arbitrator, i, rounds));
  }
  measurement.Begin();
  for (const auto& philosopher : all) philosopher.Send(Start{});
  measurement.Await();
  const auto evening = arbitrator.Ask(GetEvening{}).Wait();
  if (absl::Status s = Check(evening, philosophers * rounds); !s.ok()) return s;
  return Result{measurement.seconds(), philosophers * rounds,
                absl::StrCat(" denials=", evening->denials)};
}

}  // namespace troupe::bench
