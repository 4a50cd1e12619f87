// Start: says to an actor that everything it needs is there.
#ifndef TROUPE_TESTS_BENCH_START_H_
#define TROUPE_TESTS_BENCH_START_H_

namespace troupe::bench {

struct Start {};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_START_H_
