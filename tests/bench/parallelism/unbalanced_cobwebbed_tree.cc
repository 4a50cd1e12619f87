// A tree of actors that grows at random, and then is walked.
#include <algorithm>
#include <optional>
#include <vector>

#include "troupe/tests/bench/busy_work.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/checklist.h"
#include "troupe/tests/bench/parallelism/parallelism.h"

namespace troupe::bench {
namespace {

constexpr int64_t kStepsToGrow = 100;

struct Shape {
  int64_t nodes;  // at most
  int64_t steps;  // of work in each node
  int64_t deviation;
  int64_t children;
};

// Makes a node have children: they are numbered from `first` on.
struct Grant {
  int64_t first;
  int64_t steps;
};
class Node;
struct Request {
  ActorRef<Node> from;
  int64_t number;
};
struct Grow {};
struct Walk {};
// What walking a node and all below it came to.
struct Walked {
  int64_t nodes;
  int64_t work;
};

// Decides about one request after the other. Whose they are makes no difference, so that the tree
// has another shape in every run, but always the same nodes.
class Growth {
 public:
  explicit Growth(const Shape& shape) : shape_(shape) {}

  Grant First() { return MakeGrant(); }
  std::optional<Grant> Next() {
    if (nodes_ + shape_.children > shape_.nodes || random_.Below(2) == 0) return std::nullopt;
    return MakeGrant();
  }

 private:
  Grant MakeGrant() {
    const int64_t first = nodes_;
    nodes_ += shape_.children;
    return Grant{first, Steps()};
  }
  // Nearly normal: the sum of twelve even distributions has a deviation of one.
  int64_t Steps() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random_.Below(1'000'000)) / 1e6;
    const auto off = static_cast<int64_t>(sum * static_cast<double>(shape_.deviation));
    return std::max<int64_t>(1, shape_.steps + off);
  }

  const Shape shape_;
  RandomNumbers random_{2};
  int64_t nodes_ = 1;  // the root
};

class Node {
 public:
  Node(Recipient<Walked> parent, Recipient<Request> root, int64_t number, int64_t steps,
       int64_t children)
      : parent_(parent), root_(root), number_(number), steps_(steps), most_(children) {}

  void On(Grow, Context& self) {
    sum_.work += BusyWork(kStepsToGrow, number_);
    root_.Send(Request{self.ref(this), number_});
  }
  void On(Grant grant, Context& self) {
    for (int64_t i = 0; i < most_; ++i) {
      children_.push_back(
          self.Spawn<Node>(self.ref(this), root_, grant.first + i, grant.steps, most_));
    }
    for (const auto& child : children_) child.Send(Grow{});
  }
  void On(Walk) {
    sum_.work += BusyWork(steps_, number_);
    for (const auto& child : children_) child.Send(Walk{});
    if (children_.empty()) parent_.Send(sum_);
  }
  void On(Walked walked) {
    sum_.nodes += walked.nodes;
    sum_.work += walked.work;
    if (++answers_ == std::ssize(children_)) parent_.Send(sum_);
  }

 private:
  const Recipient<Walked> parent_;
  const Recipient<Request> root_;
  const int64_t number_;
  const int64_t steps_;
  const int64_t most_;
  std::vector<ActorRef<Node>> children_;
  int64_t answers_ = 0;
  Walked sum_{1, 0};
};

// Above the root: answers requests while the tree grows, then has it walked.
class Gardener {
 public:
  Gardener(Measurement& measurement, const Shape& shape, Walked& sum)
      : measurement_(measurement), shape_(shape), sum_(sum), growth_(shape) {}

  void OnStart(Context& self) {
    root_ = self.Spawn<Node>(self.ref(this), self.ref(this), 0, shape_.steps, shape_.children);
    Give(growth_.First(), root_);
  }
  void On(Request request) {
    if (const std::optional<Grant> grant = growth_.Next()) Give(*grant, request.from);
    if (awaited_.Tick(request.number)) root_.Send(Walk{});
  }
  void On(Walked walked) {
    sum_ = walked;
    measurement_.End(walked.nodes);
  }

 private:
  void Give(Grant grant, ActorRef<Node> node) {
    awaited_.Add(grant.first, shape_.children);
    node.Send(grant);
  }

  Measurement& measurement_;
  const Shape shape_;
  Walked& sum_;
  Growth growth_;
  Checklist awaited_;  // the nodes there are that have not asked yet
  ActorRef<Node> root_;
};

// The same without actors, in the order of the numbers.
Walked WalkedAlone(const Shape& shape) {
  Walked sum{1, BusyWork(shape.steps, 0)};
  Growth growth(shape);
  const auto add = [&](Grant grant) {
    sum.nodes += shape.children;
    for (int64_t i = grant.first; i < grant.first + shape.children; ++i) {
      sum.work += BusyWork(kStepsToGrow, i) + BusyWork(grant.steps, i);
    }
  };
  add(growth.First());
  for (int64_t asked = 1; asked < sum.nodes; ++asked) {
    if (const std::optional<Grant> grant = growth.Next()) add(*grant);
  }
  return sum;
}

}  // namespace

// A tree of at most NODES grows: a node works and asks to have CHILDREN, which is granted every
// second time. Then the tree is walked from the root: a node works about STEPS, with a deviation of
// DEV, and answers its parent when all its children have. Urgent nodes, which matter only to
// mailboxes with priorities, are left out. Checks the nodes and their work. op = node.
absl::StatusOr<Result> UnbalancedCobwebbedTree(Arguments& arguments) {
  const Shape shape{arguments.Number(0, 200'000), arguments.Number(1, 500),
                    arguments.Number(2, 100), arguments.Number(3, 10)};
  if (shape.nodes <= shape.children) return absl::InvalidArgumentError("fewer NODES than children");
  const Walked wanted = WalkedAlone(shape);
  Walked sum;
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  system.Spawn<Gardener>(measurement, shape, sum);
  const int64_t nodes = measurement.Await();
  const absl::Status checked =
      Expect({{"nodes", nodes, wanted.nodes}, {"work", sum.work, wanted.work}});
  if (!checked.ok()) return checked;
  return Result{measurement.seconds(), nodes, ""};
}

}  // namespace troupe::bench
