// ./bazelw run //examples:dining_philosophers
//
// Five philosophers and five forks; it takes two forks to eat. Nobody waits in a circle, because
// everybody takes the fork with the lower number first; nobody starves, because a fork serves in
// the order of asking.
#include <algorithm>
#include <deque>
#include <iostream>
#include <utility>
#include <vector>

#include "troupe/troupe.h"

struct PickUp {
  using Reply = void;
};
struct PutDown {};
struct TimesPickedUp {
  using Reply = int;
};

// A fork answers a PickUp when it is free. Until then it keeps the Reply, and it is a philosopher
// that waits, not a thread.
class Fork {
 public:
  void On(PickUp, troupe::Reply<void> reply) {
    waiting_.push_back(std::move(reply));
    Serve();
  }
  void On(PutDown) {
    taken_ = false;
    Serve();
  }
  int On(TimesPickedUp) { return times_; }

 private:
  void Serve() {
    if (taken_ || waiting_.empty()) return;
    taken_ = true;
    ++times_;
    waiting_.front().Send();
    waiting_.pop_front();
  }

  bool taken_ = false;
  int times_ = 0;
  std::deque<troupe::Reply<void>> waiting_;
};
using ForkRef = troupe::ActorRef<Fork>;

class Philosopher {
 public:
  Philosopher(ForkRef lower, ForkRef upper, int meals)
      : lower_(lower), upper_(upper), meals_left_(meals) {}

  void OnStart(troupe::Context& self) { Hungry(self); }

 private:
  void Hungry(troupe::Context& self) {
    PickUpThen(lower_, self, [this](troupe::Context& self) {
      PickUpThen(upper_, self, [this](troupe::Context& self) { Eat(self); });
    });
  }

  // A fork may be long in coming, so these asks have no deadline.
  template <class Next>
  void PickUpThen(ForkRef fork, troupe::Context& self, Next next) {
    fork.Ask(PickUp{}, absl::InfiniteDuration())
        .Then(self, [next](absl::Status picked_up, troupe::Context& self) {
          picked_up.ok() ? next(self) : self.Fail(picked_up);
        });
  }

  void Eat(troupe::Context& self) {
    lower_.Send(PutDown{});
    upper_.Send(PutDown{});
    --meals_left_ > 0 ? Hungry(self) : self.Stop();
  }

  ForkRef lower_, upper_;
  int meals_left_;
};

int main() {
  constexpr int kSeats = 5, kMeals = 1000;
  troupe::System system;

  std::vector<ForkRef> forks;
  for (int i = 0; i < kSeats; ++i) forks.push_back(system.Spawn<Fork>());
  std::vector<troupe::ActorRef<Philosopher>> philosophers;
  for (int i = 0; i < kSeats; ++i) {
    auto [lower, upper] = std::minmax({i, (i + 1) % kSeats});
    philosophers.push_back(system.Spawn<Philosopher>(forks[lower], forks[upper], kMeals));
  }

  for (int i = 0; i < kSeats; ++i) {
    if (system.Join(philosophers[i]).ok()) std::cout << "philosopher " << i << " has left\n";
  }
  for (int i = 0; i < kSeats; ++i) {
    int times = *forks[i].Ask(TimesPickedUp{}).Wait();
    std::cout << "fork " << i << " was picked up " << times << " times\n";
  }
}
