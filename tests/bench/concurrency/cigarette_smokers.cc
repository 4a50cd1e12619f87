// Smokers, and an arbiter who lays out for one of them what he needs.
#include <utility>
#include <vector>

#include "troupe/tests/bench/busy_work.h"
#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/finish.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

struct Smoke {
  using Reply = void;  // he has taken everything, the table is free
  int64_t steps;
};
struct GoHome {};

class Smoker {
 public:
  explicit Smoker(Finish& finish) : finish_(finish) {}

  void On(Smoke smoke, Reply<void> arbiter) {
    arbiter.Send();
    smoked_ += BusyWork(smoke.steps);
  }
  void On(GoHome) { finish_.Done(smoked_); }

 private:
  Finish& finish_;
  int64_t smoked_ = 0;
};

// Who smokes in which round, and for how long: the same in every run.
class Lots {
 public:
  explicit Lots(int64_t smokers) : random_(static_cast<uint64_t>(smokers)), smokers_(smokers) {}
  int64_t NextSmoker() { return random_.Below(smokers_); }
  Smoke NextSmoke() { return {10 + random_.Below(1000)}; }

 private:
  RandomNumbers random_;
  const int64_t smokers_;
};

class Arbiter {
 public:
  Arbiter(std::vector<ActorRef<Smoker>> smokers, int64_t rounds)
      : smokers_(std::move(smokers)), lots_(std::ssize(smokers_)), left_(rounds) {}

  void On(Start, Context& self) { LayOut(self); }

 private:
  void LayOut(Context& self) {
    if (left_-- == 0) return SendHome();
    const auto& smoker = smokers_[lots_.NextSmoker()];
    // Were it refused, its smoke would be missed.
    smoker.Ask(lots_.NextSmoke()).Then(self, [this](const absl::Status&, Context& me) {
      LayOut(me);
    });
  }
  void SendHome() {
    for (const auto& smoker : smokers_) smoker.Send(GoHome{});
  }

  const std::vector<ActorRef<Smoker>> smokers_;
  Lots lots_;
  int64_t left_;
};

int64_t AllTheSmoke(int64_t rounds, int64_t smokers) {
  Lots lots(smokers);
  int64_t smoke = 0;
  for (int64_t i = 0; i < rounds; ++i) {
    lots.NextSmoker();
    smoke += BusyWork(lots.NextSmoke().steps);
  }
  return smoke;
}

}  // namespace

// ROUNDS times an arbiter tells a random one of SMOKERS to smoke, who answers at once and then is busy
// for a random while; meanwhile the next round begins. Until all have smoked up. op = round,
// 2 messages.
absl::StatusOr<Result> CigaretteSmokers(Arguments& arguments) {
  const int64_t rounds = arguments.Number(0, 1000);
  const int64_t smokers = arguments.Number(1, 200);
  Measurement measurement;
  Finish finish(measurement, smokers);
  System system(OptionsOf(arguments));
  std::vector<ActorRef<Smoker>> all;
  for (int64_t i = 0; i < smokers; ++i) all.push_back(system.Spawn<Smoker>(finish));
  auto arbiter = system.Spawn<Arbiter>(std::move(all), rounds);
  measurement.Begin();
  arbiter.Send(Start{});
  const int64_t smoke = measurement.Await();
  if (absl::Status s = Expect("smoke", smoke, AllTheSmoke(rounds, smokers)); !s.ok()) return s;
  return Result{measurement.seconds(), rounds, ""};
}

}  // namespace troupe::bench
