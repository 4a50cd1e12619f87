// A pipeline that sorts: one actor for each bit of the values.
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/sorting.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

struct Value {
  int64_t value;
};

// Lets values with a 0 in its bit pass, and the others once it has seen all.
class BitSorter {
 public:
  BitSorter(Recipient<Value> next, int64_t bit, int64_t n) : next_(next), bit_(bit), left_(n) {}

  void On(Value value) {
    if ((value.value >> bit_ & 1) == 0) {
      next_.Send(value);
    } else {
      ones_.push_back(value);
    }
    if (--left_ > 0) return;
    for (const Value& one : ones_) next_.Send(one);
  }

 private:
  const Recipient<Value> next_;
  const int64_t bit_;
  int64_t left_;
  std::vector<Value> ones_;
};

}  // namespace

// N random values below 2^BITS, sent in one handler, pass through BITS actors, from the lowest bit to
// the highest. op = message, (BITS + 1) N.
absl::StatusOr<Result> RadixSort(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 100'000);
  const int64_t bits = arguments.Number(1, 60);
  const int64_t seed = arguments.Number(2, 2048);
  if (bits > kMostBits) return absl::InvalidArgumentError("at most 62 bits");
  const std::vector<int64_t> values = RandomValues(n, bits, seed);
  Measurement measurement;
  SortingJudge judge(measurement, values);
  System system(OptionsOf(arguments));
  measurement.Begin();
  Recipient<Value> next = system.Spawn([&judge](Value value) { judge.Take(value.value); });
  for (int64_t bit = bits - 1; bit >= 0; --bit) next = system.Spawn<BitSorter>(next, bit, n);
  auto source = system.Spawn([&values, next](Start) {
    for (int64_t value : values) next.Send(Value{value});
  });
  source.Send(Start{});
  if (absl::Status s = Expect("misplaced values", measurement.Await(), 0); !s.ok()) return s;
  return Result{measurement.seconds(), (bits + 1) * n, ""};
}

}  // namespace troupe::bench
