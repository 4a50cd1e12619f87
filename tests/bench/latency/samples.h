// Samples: how long something took, many times, and the distribution of that.
#ifndef TROUPE_TESTS_BENCH_LATENCY_SAMPLES_H_
#define TROUPE_TESTS_BENCH_LATENCY_SAMPLES_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::bench {

// One thread adds, another may wait for it. Room for all samples is there from the start and its
// pages touched, so that Add is a store.
class Samples {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Samples(int64_t n) : nanoseconds_(n) {}

  // Never more than there is room for.
  void Add(Clock::duration took);
  void AddSince(Clock::time_point begin) { Add(Clock::now() - begin); }

  // Until so many have been added.
  void Await(int64_t count);
  void AwaitAll() { Await(size()); }

  int64_t size() const { return static_cast<int64_t>(nanoseconds_.size()); }

  // "n=1000 p50_ns=512 p99_ns=901 p999_ns=2034 max_ns=2100". After AwaitAll; sorts.
  std::string Distribution();

 private:
  std::vector<int64_t> nanoseconds_;
  std::atomic<int> added_{0};
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_LATENCY_SAMPLES_H_
