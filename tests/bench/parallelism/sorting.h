// What the sorting workloads have in common: the values to sort, and the judge at the other end.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_SORTING_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_SORTING_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "troupe/tests/bench/measurement.h"

namespace troupe::bench {

inline constexpr int64_t kMostBits = 62;

// n values below 2^bits, the same for the same seed.
inline std::vector<int64_t> RandomValues(int64_t n, int64_t bits, int64_t seed) {
  constexpr int64_t kHalf = kMostBits / 2;
  RandomNumbers random(static_cast<uint64_t>(seed));
  std::vector<int64_t> values(n);
  for (int64_t& value : values) {
    value = random.Below(int64_t{1} << kHalf) << kHalf;
    value += random.Below(int64_t{1} << kHalf);
    value >>= kMostBits - bits;
  }
  return values;
}

// Takes the values as they come out, and ends the measurement with the last: with the number of
// those that were not in their place.
class SortingJudge {
 public:
  SortingJudge(Measurement& measurement, std::vector<int64_t> values)
      : measurement_(measurement), sorted_(std::move(values)) {
    std::sort(sorted_.begin(), sorted_.end());
  }
  void Take(int64_t value) {
    if (value != sorted_.at(taken_)) ++misplaced_;
    if (++taken_ == sorted_.size()) measurement_.End(misplaced_);
  }

 private:
  Measurement& measurement_;
  std::vector<int64_t> sorted_;
  size_t taken_ = 0;
  int64_t misplaced_ = 0;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_SORTING_H_
