// A network that sorts: one actor for each of its comparisons.
#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/sorting.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

struct Value {
  int64_t value;
  int64_t branch;  // of the SplitJoin that it comes from
};

// Where an actor's values go, and as whose.
struct Outlet {
  Recipient<Value> next;
  int64_t branch = 0;
  void Send(int64_t value) const { next.Send(Value{value, branch}); }
};

class CompareExchange {
 public:
  CompareExchange(Outlet out, bool up) : out_(out), up_(up) {}

  void On(Value value) {
    if (!waiting_) {
      waiting_ = value.value;
      return;
    }
    const auto [low, high] = std::minmax(*waiting_, value.value);
    out_.Send(up_ ? low : high);
    out_.Send(up_ ? high : low);
    waiting_.reset();
  }

 private:
  const Outlet out_;
  const bool up_;
  std::optional<int64_t> waiting_;
};

// How values are dealt to branches: `run` to each in turn, until every branch has had `runs` runs.
struct Deal {
  int64_t branches;
  int64_t run;
  int64_t runs;

  int64_t size() const { return branches * run * runs; }
  // The place among all of a branch's i-th value.
  int64_t PlaceOf(int64_t branch, int64_t i) const {
    return (i / run * branches + branch) * run + i % run;
  }
};

// Puts what comes out of the branches back into the order in which it was dealt.
class Joiner {
 public:
  Joiner(Outlet out, Deal deal)
      : out_(out), deal_(deal), received_(deal.branches), values_(deal.size(), kMissing) {}

  void On(Value value) {
    values_.at(deal_.PlaceOf(value.branch, received_[value.branch]++)) = value.value;
    for (; next_ < values_.size() && values_[next_] != kMissing; ++next_) out_.Send(values_[next_]);
  }

 private:
  static constexpr int64_t kMissing = -1;

  const Outlet out_;
  const Deal deal_;
  std::vector<int64_t> received_;  // from each branch
  std::vector<int64_t> values_;
  size_t next_ = 0;
};

// Deals values to branches, which it makes at the start together with the joiner behind them.
template <class MakeBranch>
class SplitJoin {
 public:
  SplitJoin(Outlet out, Deal deal, MakeBranch make) : out_(out), deal_(deal), make_(make) {}

  void OnStart(Context& self) {
    auto joiner = self.Spawn<Joiner>(out_, deal_);
    for (int64_t i = 0; i < deal_.branches; ++i) {
      branches_.push_back(make_(Outlet{joiner, i}, self));
    }
  }
  void On(Value value) { branches_[dealt_++ / deal_.run % deal_.branches].Send(value); }

 private:
  const Outlet out_;
  const Deal deal_;
  const MakeBranch make_;
  std::vector<Recipient<Value>> branches_;
  int64_t dealt_ = 0;
};

// A bitonic sequence of `length` becomes two of half the length, one all below the other.
Recipient<Value> MakePartition(int64_t length, bool up, Outlet out, Context& self) {
  auto make = [up](Outlet to, Context& me) -> Recipient<Value> {
    return me.Spawn<CompareExchange>(to, up);
  };
  const Deal deal{.branches = length / 2, .run = 1, .runs = 2};
  return self.Spawn<SplitJoin<decltype(make)>>(out, deal, make);
}

// One of the steps in which n values become sorted sequences of `sorted` each, every other one
// downwards: partitions sequences of `length`.
Recipient<Value> MakeStep(System& system, int64_t n, int64_t sorted, int64_t length, Outlet out) {
  auto make = [sorted, length](Outlet to, Context& self) -> Recipient<Value> {
    const bool up = to.branch * length / sorted % 2 == 0;
    if (length == 2) return self.Spawn<CompareExchange>(to, up);
    return MakePartition(length, up, to, self);
  };
  const Deal deal{.branches = n / length, .run = length, .runs = 1};
  return system.Spawn<SplitJoin<decltype(make)>>(out, deal, make);
}

// From the end to the beginning; returns the beginning.
Recipient<Value> MakeNetwork(System& system, int64_t n, Recipient<Value> end) {
  for (int64_t sorted = n; sorted >= 2; sorted /= 2) {
    for (int64_t length = 2; length <= sorted; length *= 2) {
      end = MakeStep(system, n, sorted, length, Outlet{end});
    }
  }
  return end;
}

int64_t StepsOf(int64_t n) {
  const int64_t stages = std::countr_zero(static_cast<uint64_t>(n));
  return stages * (stages + 1) / 2;
}

}  // namespace

// N random values below 2^BITS, sent in one handler, pass through the log N (log N + 1) / 2 steps of a
// bitonic sorting network. In each they are dealt to partitions, in these to actors that compare two
// of them, and joined in order again. The making of the network is measured, too. op = value in a
// step, 5 messages (3 where partitions have 2 values).
absl::StatusOr<Result> BitonicSort(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 4096);
  const int64_t bits = arguments.Number(1, 60);
  const int64_t seed = arguments.Number(2, 2048);
  if (n < 2 || !std::has_single_bit(static_cast<uint64_t>(n))) {
    return absl::InvalidArgumentError("N must be a power of 2, and 2 at least");
  }
  if (bits > kMostBits) return absl::InvalidArgumentError("at most 62 bits");
  const std::vector<int64_t> values = RandomValues(n, bits, seed);
  Measurement measurement;
  SortingJudge judge(measurement, values);
  System system(OptionsOf(arguments));
  measurement.Begin();
  auto end = system.Spawn([&judge](Value value) { judge.Take(value.value); });
  auto source = system.Spawn([&values, first = MakeNetwork(system, n, end)](Start) {
    for (int64_t value : values) first.Send(Value{value, 0});
  });
  source.Send(Start{});
  if (absl::Status s = Expect("misplaced values", measurement.Await(), 0); !s.ok()) return s;
  return Result{measurement.seconds(), n * StepsOf(n), ""};
}

}  // namespace troupe::bench
