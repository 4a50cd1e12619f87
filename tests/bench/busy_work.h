// BusyWork: what an actor does that is said to be busy. It ends after so many steps, and comes to the
// same sum whenever it is done, so that it can be checked, too.
#ifndef TROUPE_TESTS_BENCH_BUSY_WORK_H_
#define TROUPE_TESTS_BENCH_BUSY_WORK_H_

#include <cstdint>

#include "troupe/tests/bench/measurement.h"

namespace troupe::bench {

// The sum must be used, or the compiler leaves the work out.
inline int64_t BusyWork(int64_t steps, int64_t seed = 1) {
  RandomNumbers random(static_cast<uint64_t>(seed));
  int64_t sum = 0;
  for (int64_t i = 0; i < steps; ++i) sum += random.Below(1000);
  return sum;
}

// Work of random length, the same lengths in every run.
class RandomWork {
 public:
  RandomWork(uint64_t seed, int64_t rate) : random_(seed), rate_(rate) {}

  int64_t Do() { return BusyWork(10 + random_.Below(rate_)); }
  int64_t Do(int64_t times) {
    int64_t sum = 0;
    for (int64_t i = 0; i < times; ++i) sum += Do();
    return sum;
  }

 private:
  RandomNumbers random_;
  int64_t rate_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_BUSY_WORK_H_
