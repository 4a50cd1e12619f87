// Two actors, or a ring of them, and the messages between.
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"
#include "troupe/tests/bench/workloads.h"

namespace troupe::bench {
namespace {

// ---- ping_pong

struct Ping {};
struct Pong {};
class Ponger;

class Pinger {
 public:
  Pinger(Measurement& measurement, int64_t rounds) : measurement_(measurement), left_(rounds) {}
  void On(ActorRef<Ponger> ponger);
  void On(Pong);

 private:
  Measurement& measurement_;
  int64_t left_;
  ActorRef<Ponger> ponger_;
};

class Ponger {
 public:
  explicit Ponger(ActorRef<Pinger> pinger) : pinger_(pinger) {}
  void On(Ping) {
    ++pings_;
    pinger_.Send(Pong{});
  }

 private:
  ActorRef<Pinger> pinger_;
  int64_t pings_ = 0;
};

void Pinger::On(ActorRef<Ponger> ponger) {
  ponger_ = ponger;
  measurement_.Begin();
  ponger_.Send(Ping{});
}

void Pinger::On(Pong) {
  if (--left_ > 0) {
    ponger_.Send(Ping{});
  } else {
    measurement_.End(left_);
  }
}

// ---- counting, counting_windowed

struct Increment {};
struct Sync {
  using Reply = void;
};
struct Get {
  using Reply = int64_t;
};

class Counter {
 public:
  void On(Increment) { ++count_; }
  void On(Sync) {}
  int64_t On(Get) { return count_; }

 private:
  int64_t count_ = 0;
};

class Producer {
 public:
  Producer(Measurement& measurement, ActorRef<Counter> counter, int64_t n, int64_t window)
      : measurement_(measurement), counter_(counter), left_(n), window_(window) {}

  void On(Start, Context& self) {
    measurement_.Begin();
    SendWindow(self);
  }

 private:
  void SendWindow(Context& self) {
    for (int64_t i = 0; i < window_ && left_ > 0; ++i, --left_) counter_.Send(Increment{});
    if (left_ > 0) {
      counter_.Ask(Sync{}).Then(self, [this](absl::Status status, Context& me) {
        status.ok() ? SendWindow(me) : measurement_.End(-1);
      });
    } else {
      // A flood of increments may take longer than asks usually may.
      counter_.Ask(Get{}, absl::InfiniteDuration())
          .Then(self, [this](absl::StatusOr<int64_t> count) {
            measurement_.End(count.ok() ? *count : -1);
          });
    }
  }

  Measurement& measurement_;
  ActorRef<Counter> counter_;
  int64_t left_;
  const int64_t window_;
};

absl::StatusOr<Result> Count(const Arguments& arguments, int64_t n, int64_t window) {
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto counter = system.Spawn<Counter>();
  system.Spawn<Producer>(measurement, counter, n, window).Send(Start{});
  const int64_t count = measurement.Await();
  if (absl::Status s = Expect("count", count, n); !s.ok()) return s;
  return Result{measurement.seconds(), n, ""};
}

// ---- thread_ring

struct Token {
  int64_t hops;
};

class Link {
 public:
  explicit Link(Measurement& measurement) : measurement_(measurement) {}
  void On(ActorRef<Link> next) { next_ = next; }
  void On(Token token) {
    if (token.hops > 0) {
      next_.Send(Token{token.hops - 1});
    } else {
      measurement_.End(token.hops);
    }
  }

 private:
  Measurement& measurement_;
  ActorRef<Link> next_;
};

}  // namespace

// ROUNDS round trips between two actors, at most one message under way. op = message.
absl::StatusOr<Result> PingPong(Arguments& arguments) {
  const int64_t rounds = arguments.Number(0, 2'000'000);
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto pinger = system.Spawn<Pinger>(measurement, rounds);
  auto ponger = system.Spawn<Ponger>(pinger);
  pinger.Send(ponger);
  if (absl::Status s = Expect("rounds left", measurement.Await(), 0); !s.ok()) return s;
  return Result{measurement.seconds(), 2 * rounds, ""};
}

// One actor sends N increments in one handler, then asks for the count. op = increment.
absl::StatusOr<Result> Counting(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 10'000'000);
  return Count(arguments, n, n);
}

// The same, but after every W increments the producer asks for an answer and goes on when it is
// there, so that at most W + 1 messages are queued.
absl::StatusOr<Result> CountingWindowed(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 10'000'000);
  return Count(arguments, n, arguments.Number(1, 1000));
}

// A token goes round a ring of ACTORS, HOPS times passed on. op = hop.
absl::StatusOr<Result> ThreadRing(Arguments& arguments) {
  const int64_t actors = arguments.Number(0, 100);
  const int64_t hops = arguments.Number(1, 5'000'000);
  Measurement measurement;
  System system(OptionsOf(arguments));
  std::vector<ActorRef<Link>> ring;
  for (int64_t i = 0; i < actors; ++i) ring.push_back(system.Spawn<Link>(measurement));
  for (int64_t i = 0; i < actors; ++i) ring[i].Send(ring[(i + 1) % actors]);
  measurement.Begin();
  ring[0].Send(Token{hops});
  if (absl::Status s = Expect("hops left", measurement.Await(), 0); !s.ok()) return s;
  return Result{measurement.seconds(), hops, ""};
}

}  // namespace troupe::bench
