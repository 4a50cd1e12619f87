#include "troupe/tests/bench/latency/samples.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace troupe::bench {

void Samples::Add(Clock::duration took) {
  nanoseconds_[added_.load(std::memory_order_relaxed)] = std::chrono::nanoseconds(took).count();
  added_.fetch_add(1);
  added_.notify_one();
}

void Samples::Await(int64_t count) {
  for (int seen = added_.load(); seen < count; seen = added_.load()) added_.wait(seen);
}

std::string Samples::Distribution() {
  std::sort(nanoseconds_.begin(), nanoseconds_.end());
  const size_t n = nanoseconds_.size();
  return absl::StrFormat("n=%d p50_ns=%d p99_ns=%d p999_ns=%d max_ns=%d", n, nanoseconds_[n / 2],
                         nanoseconds_[n * 99 / 100], nanoseconds_[n * 999 / 1000],
                         nanoseconds_[n - 1]);
}

}  // namespace troupe::bench
