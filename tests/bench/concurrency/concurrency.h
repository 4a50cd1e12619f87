// The concurrency workloads of the Savina suite (Imam and Sarkar, 2014): classical problems of
// sharing, with the suite's parameters. What each measures is said above its function, in a file of
// its name.
#ifndef TROUPE_TESTS_BENCH_CONCURRENCY_CONCURRENCY_H_
#define TROUPE_TESTS_BENCH_CONCURRENCY_CONCURRENCY_H_

#include "absl/status/statusor.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/workload.h"

namespace troupe::bench {

absl::StatusOr<Result> BoundedBuffer(Arguments& arguments);
absl::StatusOr<Result> CigaretteSmokers(Arguments& arguments);
absl::StatusOr<Result> ConcurrentDictionary(Arguments& arguments);
absl::StatusOr<Result> ConcurrentSortedList(Arguments& arguments);
absl::StatusOr<Result> DiningPhilosophers(Arguments& arguments);
absl::StatusOr<Result> LogisticMap(Arguments& arguments);
absl::StatusOr<Result> SleepingBarber(Arguments& arguments);

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_CONCURRENCY_CONCURRENCY_H_
