// One to many, many to one, and all to all.
#include <vector>

#include "troupe/tests/bench/finish.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"
#include "troupe/tests/bench/workloads.h"

namespace troupe::bench {
namespace {

// ---- fork_join_throughput

struct Add {};

class Adder {
 public:
  Adder(Finish& finish, int64_t n) : finish_(finish), n_(n) {}
  void On(Add) {
    sum_ += 1.0;
    if (++received_ == n_) finish_.Done(static_cast<int64_t>(sum_));
  }

 private:
  Finish& finish_;
  const int64_t n_;
  int64_t received_ = 0;
  double sum_ = 0;
};

class Fan {
 public:
  Fan(std::vector<ActorRef<Adder>> adders, int64_t n) : adders_(std::move(adders)), n_(n) {}
  void On(Start) {
    for (int64_t i = 0; i < n_; ++i) {
      for (const auto& adder : adders_) adder.Send(Add{});
    }
  }

 private:
  const std::vector<ActorRef<Adder>> adders_;
  const int64_t n_;
};

// With capacity=N senders wait at a receiver that has N messages, as at a channel.
ActorOptions BoundOf(const Arguments& arguments) {
  const int64_t capacity = arguments.NumberOption("capacity", 0);
  return capacity > 0 ? ActorOptions{.capacity = static_cast<uint32_t>(capacity)} : ActorOptions{};
}

// ---- mailbox_contention

struct Item {
  int64_t value;
};

class Consumer {
 public:
  Consumer(Measurement& measurement, int64_t n) : measurement_(measurement), left_(n) {}
  void On(Item item) {
    sum_ += item.value;
    if (--left_ == 0) measurement_.End(sum_);
  }

 private:
  Measurement& measurement_;
  int64_t left_;
  int64_t sum_ = 0;
};

class ItemProducer {
 public:
  ItemProducer(ActorRef<Consumer> consumer, int64_t n) : consumer_(consumer), n_(n) {}
  void On(Start) {
    for (int64_t i = 0; i < n_; ++i) consumer_.Send(Item{i});
  }

 private:
  const ActorRef<Consumer> consumer_;
  const int64_t n_;
};

// ---- big

struct BigPing {
  int64_t from;
};
struct BigPong {
  int64_t from;
};

class Node {
 public:
  Node(Finish& finish, const std::vector<ActorRef<Node>>& nodes, int64_t id, int64_t pings)
      : finish_(finish), nodes_(nodes), id_(id), left_(pings), random_(id + 1) {}

  void On(Start) { PingSomebody(); }
  void On(BigPing ping) { nodes_[ping.from].Send(BigPong{id_}); }
  void On(BigPong) {
    ++pongs_;
    PingSomebody();
  }

 private:
  void PingSomebody() {
    if (left_ == 0) return finish_.Done(pongs_);
    --left_;
    nodes_[random_.Below(static_cast<int64_t>(nodes_.size()))].Send(BigPing{id_});
  }

  Finish& finish_;
  const std::vector<ActorRef<Node>>& nodes_;  // complete before the first message
  const int64_t id_;
  int64_t left_;
  int64_t pongs_ = 0;
  RandomNumbers random_;
};

}  // namespace

// One actor sends N messages to each of ACTORS, round robin, in one handler. Until all have received
// all. op = message.
absl::StatusOr<Result> ForkJoinThroughput(Arguments& arguments) {
  const int64_t actors = arguments.Number(0, 60);
  const int64_t n = arguments.Number(1, 100'000);
  Measurement measurement;
  Finish finish(measurement, actors);
  System system(OptionsOf(arguments));
  std::vector<ActorRef<Adder>> adders;
  for (int64_t i = 0; i < actors; ++i) {
    adders.push_back(system.Spawn<Adder>(BoundOf(arguments), finish, n));
  }
  auto fan = system.Spawn<Fan>(adders, n);
  measurement.Begin();
  fan.Send(Start{});
  if (absl::Status s = Expect("sum", measurement.Await(), actors * n); !s.ok()) return s;
  return Result{measurement.seconds(), actors * n, ""};
}

// PRODUCERS send N / PRODUCERS integers each, in one handler, to one consumer. Until it has all.
// op = message.
absl::StatusOr<Result> MailboxContention(Arguments& arguments) {
  const int64_t producers = arguments.Number(0, 2);
  const int64_t each = arguments.Number(1, 5'000'000) / producers;
  if (each == 0) return absl::InvalidArgumentError("fewer messages than producers");
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto consumer = system.Spawn<Consumer>(BoundOf(arguments), measurement, each * producers);
  std::vector<ActorRef<ItemProducer>> all;
  for (int64_t i = 0; i < producers; ++i) {
    all.push_back(system.Spawn<ItemProducer>(consumer, each));
  }
  measurement.Begin();
  for (const auto& producer : all) producer.Send(Start{});
  const int64_t sum = measurement.Await();
  if (absl::Status s = Expect("sum", sum, producers * (each * (each - 1) / 2)); !s.ok()) return s;
  return Result{measurement.seconds(), each * producers, ""};
}

// Each of ACTORS sends a ping to a random one of all, waits for the pong, PINGS times. op = message.
absl::StatusOr<Result> Big(Arguments& arguments) {
  const int64_t actors = arguments.Number(0, 120);
  const int64_t pings = arguments.Number(1, 20'000);
  Measurement measurement;
  Finish finish(measurement, actors);
  std::vector<ActorRef<Node>> nodes;  // outlives the actors that look at it
  System system(OptionsOf(arguments));
  for (int64_t i = 0; i < actors; ++i) {
    nodes.push_back(system.Spawn<Node>(finish, nodes, i, pings));
  }
  measurement.Begin();
  for (const auto& node : nodes) node.Send(Start{});
  if (absl::Status s = Expect("pongs", measurement.Await(), actors * pings); !s.ok()) return s;
  return Result{measurement.seconds(), 2 * actors * pings, ""};
}

}  // namespace troupe::bench
