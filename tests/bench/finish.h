// Finish: the end of a measurement that many have to reach.
#ifndef TROUPE_TESTS_BENCH_FINISH_H_
#define TROUPE_TESTS_BENCH_FINISH_H_

#include <atomic>
#include <cstdint>

#include "troupe/tests/bench/measurement.h"

namespace troupe::bench {

// Ends the measurement when the last of so many has called Done; sums up what they bring.
class Finish {
 public:
  Finish(Measurement& measurement, int64_t parties) : measurement_(measurement), left_(parties) {}

  void Done(int64_t outcome) {
    sum_.fetch_add(outcome, std::memory_order_relaxed);  // relaxed: ordered by left_
    if (left_.fetch_sub(1) == 1) measurement_.End(sum_.load());
  }

 private:
  Measurement& measurement_;
  std::atomic<int64_t> sum_{0};
  std::atomic<int64_t> left_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_FINISH_H_
