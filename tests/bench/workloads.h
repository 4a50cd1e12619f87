// The workloads of savina.cc: the Savina suite's (Imam and Sarkar, 2014) and three of our own. What
// each measures is said above its function. Its parallelism group is in parallelism/parallelism.h.
#ifndef TROUPE_TESTS_BENCH_WORKLOADS_H_
#define TROUPE_TESTS_BENCH_WORKLOADS_H_

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

// An error means: the workload came to a wrong result, and was not fast but broken.
using Workload = absl::StatusOr<Result> (*)(Arguments&);

inline Options OptionsOf(const Arguments& arguments) {
  return {.workers = static_cast<int>(arguments.NumberOption("workers", 2))};
}

// An error unless the workload came to what it must.
absl::Status Expect(const char* what, int64_t got, int64_t wanted);
// The same for sums of real numbers, which depend a little on the order.
absl::Status ExpectClose(const char* what, double got, double wanted);

// messaging.cc
absl::StatusOr<Result> PingPong(Arguments& arguments);
absl::StatusOr<Result> Counting(Arguments& arguments);
absl::StatusOr<Result> CountingWindowed(Arguments& arguments);
absl::StatusOr<Result> ThreadRing(Arguments& arguments);
// fan.cc
absl::StatusOr<Result> ForkJoinThroughput(Arguments& arguments);
absl::StatusOr<Result> MailboxContention(Arguments& arguments);
absl::StatusOr<Result> Big(Arguments& arguments);
// creation.cc
absl::StatusOr<Result> ForkJoinCreate(Arguments& arguments);
absl::StatusOr<Result> Fib(Arguments& arguments);
// population.cc
absl::StatusOr<Result> IdleMemory(Arguments& arguments);
// requests.cc
absl::StatusOr<Result> AskLatency(Arguments& arguments);
absl::StatusOr<Result> Banking(Arguments& arguments);
// chameneos.cc
absl::StatusOr<Result> Chameneos(Arguments& arguments);

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_WORKLOADS_H_
