// Making actors and ending them.
#include <atomic>
#include <utility>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"
#include "troupe/tests/bench/workloads.h"

namespace troupe::bench {
namespace {

// ---- fork_join_create

struct Work {};

class Worker {
 public:
  Worker(Measurement& measurement, std::atomic<int64_t>& left)
      : measurement_(measurement), left_(left) {}
  ~Worker() {
    if (worked_ && left_.fetch_sub(1) == 1) measurement_.End(0);
  }
  void On(Work, Context& self) {
    worked_ = true;
    self.Stop();
  }

 private:
  Measurement& measurement_;
  std::atomic<int64_t>& left_;
  bool worked_ = false;
};

class Root {
 public:
  Root(Measurement& measurement, std::atomic<int64_t>& left)
      : measurement_(measurement), left_(left) {}
  void On(Start, Context& self) {
    const int64_t n = left_.load();
    for (int64_t i = 0; i < n; ++i) self.Spawn<Worker>(measurement_, left_).Send(Work{});
  }

 private:
  Measurement& measurement_;
  std::atomic<int64_t>& left_;
};

// ---- fib

struct Answer {
  int64_t value;
};

class FibNode {
 public:
  FibNode(Measurement& measurement, ActorRef<FibNode> parent, int64_t n)
      : measurement_(measurement), parent_(parent), n_(n) {}

  void On(Start, Context& self) {
    if (n_ <= 2) return Tell(1, self);
    self.Spawn<FibNode>(measurement_, self.ref(this), n_ - 1).Send(Start{});
    self.Spawn<FibNode>(measurement_, self.ref(this), n_ - 2).Send(Start{});
  }
  void On(Answer answer, Context& self) {
    sum_ += answer.value;
    if (++answers_ == 2) Tell(sum_, self);
  }

 private:
  void Tell(int64_t value, Context& self) {
    if (parent_) {
      parent_.Send(Answer{value});
    } else {
      measurement_.End(value);
    }
    self.Stop();
  }

  Measurement& measurement_;
  const ActorRef<FibNode> parent_;  // nobody: this is the root
  const int64_t n_;
  int64_t sum_ = 0;
  int answers_ = 0;
};

int64_t FibNumber(int64_t n) {
  int64_t previous = 0;
  int64_t current = 1;
  for (int64_t i = 1; i < n; ++i) previous = std::exchange(current, previous + current);
  return current;
}

}  // namespace

// N times: make an actor and send it one message, on which it ends. One actor makes them all, or,
// with from=main, a plain thread. Until the last one's destructor has run. op = actor.
absl::StatusOr<Result> ForkJoinCreate(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 1'000'000);
  const std::string from = arguments.Option("from", "actor");
  if (from != "actor" && from != "main") return absl::InvalidArgumentError("from=actor|main");
  Measurement measurement;
  std::atomic<int64_t> left{n};
  System system(OptionsOf(arguments));
  measurement.Begin();
  if (from == "actor") {
    system.Spawn<Root>(measurement, left).Send(Start{});
  } else {
    for (int64_t i = 0; i < n; ++i) system.Spawn<Worker>(measurement, left).Send(Work{});
  }
  if (absl::Status s = Expect("actors left", measurement.Await(), 0); !s.ok()) return s;
  return Result{measurement.seconds(), n, " from=" + from};
}

// fib(n <= 2) = 1; any other node makes two children, adds their answers, answers its parent and
// ends. op = actor.
absl::StatusOr<Result> Fib(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 27);
  const int64_t wanted = FibNumber(n);
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  system.Spawn<FibNode>(measurement, ActorRef<FibNode>(), n).Send(Start{});
  if (absl::Status s = Expect("fib", measurement.Await(), wanted); !s.ok()) return s;
  return Result{measurement.seconds(), 2 * wanted - 1, ""};
}

}  // namespace troupe::bench
