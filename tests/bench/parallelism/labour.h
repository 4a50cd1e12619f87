// Labour: arithmetic that stands for what a real program would compute for one node.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_LABOUR_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_LABOUR_H_

#include <cstdint>

#include "troupe/tests/bench/measurement.h"

namespace troupe::bench {

// The sum of so many random numbers: it has to be used, or the compiler leaves the work out, and a
// check can do the same work again.
inline int64_t Labour(int64_t seed, int64_t steps) {
  RandomNumbers random(static_cast<uint64_t>(seed));
  int64_t sum = 0;
  for (int64_t i = 0; i < steps; ++i) sum += random.Below(1000);
  return sum;
}

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_LABOUR_H_
