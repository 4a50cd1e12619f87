// What latency.cc measures. Each is said above its function.
#ifndef TROUPE_TESTS_BENCH_LATENCY_LATENCIES_H_
#define TROUPE_TESTS_BENCH_LATENCY_LATENCIES_H_

#include <chrono>

#include "absl/status/status.h"
#include "troupe/tests/bench/latency/samples.h"

namespace troupe::bench {

struct Setting {
  int workers = 2;
  std::chrono::microseconds handler{0};  // what a handler takes of those that keep workers busy
};

// Fills `samples`. An error means that the answers were wrong, and the times worth nothing.
using Latency = absl::Status (*)(const Setting&, Samples&);

absl::Status WakeUp(const Setting& setting, Samples& samples);
absl::Status Ask(const Setting& setting, Samples& samples);
absl::Status AskIdle(const Setting& setting, Samples& samples);
absl::Status Timer(const Setting& setting, Samples& samples);
absl::Status HandlerStart(const Setting& setting, Samples& samples);

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_LATENCY_LATENCIES_H_
