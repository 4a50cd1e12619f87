// Workload: what savina.cc can run, and what it comes to.
#ifndef TROUPE_TESTS_BENCH_WORKLOAD_H_
#define TROUPE_TESTS_BENCH_WORKLOAD_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/troupe.h"

namespace troupe::bench {

struct Result {
  double seconds = 0;  // of the measured section alone
  int64_t ops = 0;
  std::string extra;  // " key=value ..." or empty
};

// An error means: the workload came to a wrong result, and was not fast but broken; or, if it is
// InvalidArgument, that it was called wrongly.
using Workload = absl::StatusOr<Result> (*)(Arguments&);

inline Options OptionsOf(const Arguments& arguments) {
  return {.workers = static_cast<int>(arguments.NumberOption("workers", 2))};
}

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_WORKLOAD_H_
