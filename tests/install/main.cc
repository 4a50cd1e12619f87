// A program outside of Troupe's tree: it uses what an application uses, from the installed headers and the installed
// library alone, and links nothing but troupe::troupe.
#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/runtime/task_arena_scheduler.h"  // must not need oneTBB's headers
#include "troupe/troupe.h"

namespace {

struct Add {
  int number;
};
struct Sum {
  using Reply = int;
};
struct Report {
  using Reply = std::string;
};
struct Tick {};

class Adder {
 public:
  void On(Add add) {
    if (add.number < 0) throw std::out_of_range("negative");
    sum_ += add.number;
  }
  int On(Sum) { return sum_; }

 private:
  int sum_ = 0;
};

// Owns an adder, asks it, and says how it ended.
class Reporter {
 public:
  void OnStart(troupe::Context& self) {
    adder_ = self.Spawn<Adder>({.name = "adder", .capacity = 8});
    self.Watch(adder_);
    for (int i = 0; i < 6; ++i) adder_.Send(Add{7});
  }
  void On(Report, troupe::Reply<std::string> reply, troupe::Context& self) {
    adder_.Ask(Sum{}).Then(self, [this, reply = std::move(reply)](absl::StatusOr<int> sum) mutable {
      if (!sum.ok()) return reply.Send(sum.status());
      sum_ = *sum;
      reply_ = std::move(reply);
      adder_.Send(Add{-1});
    });
  }
  void On(troupe::Down down, troupe::Context& self) {
    reply_.Send("the sum is " + std::to_string(sum_) + ", then " +
                std::string(ToString(down.reason)) + ": " + std::string(down.status.message()));
    self.Stop();
  }

 private:
  troupe::ActorRef<Adder> adder_;
  troupe::Reply<std::string> reply_;
  int sum_ = 0;
};

absl::StatusOr<std::string> AskReporter() {
  troupe::System system({.workers = 2});
  return system.Spawn<Reporter>().Ask(Report{}).Wait();
}

// Timers of a system without threads.
int CountTicks() {
  int ticks = 0;
  troupe::ManualScheduler loop;
  troupe::System system({.scheduler = &loop});
  auto counter = system.Spawn([&ticks](Tick) { ++ticks; });
  system.SendEvery(absl::Seconds(1), counter, Tick{});
  loop.Advance(absl::Seconds(42));
  return ticks;
}

}  // namespace

int main() {
  const absl::StatusOr<std::string> report = AskReporter();
  if (!report.ok()) {
    std::cout << report.status() << "\n";
    return 1;
  }
  const int ticks = CountTicks();
  std::cout << *report << "; " << ticks << " ticks\n";
  return *report == "the sum is 42, then failed: negative" && ticks == 42 ? 0 : 1;
}
