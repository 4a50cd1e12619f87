// The micro workloads of savina.cc: the Savina suite's (Imam and Sarkar, 2014) and three of our own.
// What each measures is said above its function.
#ifndef TROUPE_TESTS_BENCH_WORKLOADS_H_
#define TROUPE_TESTS_BENCH_WORKLOADS_H_

#include "absl/status/statusor.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/workload.h"

namespace troupe::bench {

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
