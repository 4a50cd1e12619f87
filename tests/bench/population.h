// Population: n idle actors, made, measured, stopped and measured again.
#ifndef TROUPE_TESTS_BENCH_POPULATION_H_
#define TROUPE_TESTS_BENCH_POPULATION_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "troupe/runtime/options.h"

namespace troupe::bench {

struct PopulationResult {
  double spawn_seconds = 0;
  double stop_seconds = 0;       // from the first Stop until the last one's destructor has run
  int64_t grown_kib = 0;         // resident set, all alive, over none
  int64_t left_kib = 0;          // resident set, all ended, over none
  int64_t state_bytes_each = 0;  // the actor object itself
};

// An error if some of them did not answer or did not end.
absl::StatusOr<PopulationResult> MeasurePopulation(int64_t n, const Options& options);

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_POPULATION_H_
