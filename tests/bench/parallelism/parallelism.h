// The parallelism workloads of the Savina suite (Imam and Sarkar, 2014): computations cut into
// pieces, with the suite's parameters. What each measures is said above its function, in a file of
// its name.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_PARALLELISM_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_PARALLELISM_H_

#include "absl/status/statusor.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/workload.h"

namespace troupe::bench {

absl::StatusOr<Result> AStar(Arguments& arguments);
absl::StatusOr<Result> AllPairsShortestPath(Arguments& arguments);
absl::StatusOr<Result> BitonicSort(Arguments& arguments);
absl::StatusOr<Result> FacilityLocation(Arguments& arguments);
absl::StatusOr<Result> FilterBank(Arguments& arguments);
absl::StatusOr<Result> MatrixMultiplication(Arguments& arguments);
absl::StatusOr<Result> NQueens(Arguments& arguments);
absl::StatusOr<Result> PiPrecision(Arguments& arguments);
absl::StatusOr<Result> Quicksort(Arguments& arguments);
absl::StatusOr<Result> RadixSort(Arguments& arguments);
absl::StatusOr<Result> Sieve(Arguments& arguments);
absl::StatusOr<Result> SuccessiveOverRelaxation(Arguments& arguments);
absl::StatusOr<Result> Trapezoid(Arguments& arguments);
absl::StatusOr<Result> UnbalancedCobwebbedTree(Arguments& arguments);

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_PARALLELISM_H_
