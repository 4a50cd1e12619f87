// Start: the message that sets an actor of a workload going.
#ifndef TROUPE_TESTS_BENCH_START_H_
#define TROUPE_TESTS_BENCH_START_H_

namespace troupe::bench {

struct Start {};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_START_H_
