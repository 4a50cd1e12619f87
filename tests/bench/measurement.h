// Measurement: one measured section, begun and ended by whoever is there first and last, and awaited
// by the main thread.
#ifndef TROUPE_TESTS_BENCH_MEASUREMENT_H_
#define TROUPE_TESTS_BENCH_MEASUREMENT_H_

#include <chrono>
#include <cstdint>
#include <future>
#include <initializer_list>
#include <string_view>

#include "absl/status/status.h"

namespace troupe::bench {

// Begin, then End, then Await, each once. Begin and End may be called in handlers of different
// actors, as long as messages lead from the one to the other.
class Measurement {
 public:
  void Begin() { begin_ = std::chrono::steady_clock::now(); }

  // `outcome` is what the workload came to (a count, a sum), for its check.
  void End(int64_t outcome) {
    end_ = std::chrono::steady_clock::now();
    outcome_.set_value(outcome);
  }

  int64_t Await() { return outcome_.get_future().get(); }

  // After Await.
  double seconds() const { return std::chrono::duration<double>(end_ - begin_).count(); }

 private:
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point end_;
  std::promise<int64_t> outcome_;
};

struct Expectation {
  const char* what;
  int64_t got;
  int64_t wanted;
};

// An error unless everything came to what it must; it names the first that is wrong.
absl::Status Expect(std::initializer_list<Expectation> expectations);
inline absl::Status Expect(const char* what, int64_t got, int64_t wanted) {
  return Expect({{what, got, wanted}});
}
// The same for sums of real numbers, which depend a little on the order.
absl::Status ExpectClose(const char* what, double got, double wanted);

// A line of /proc/self/status in KiB: "VmRSS" is resident now, "VmHWM" has been at most.
int64_t StatusKib(std::string_view key);

// xorshift64*: the peers' drivers draw the same numbers from the same seeds.
class RandomNumbers {
 public:
  explicit RandomNumbers(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0x1234567u) {}

  int64_t Below(int64_t n) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<int64_t>(((state_ * 0x2545F4914F6CDD1Du) >> 32) * static_cast<uint64_t>(n) >>
                                32);
  }

 private:
  uint64_t state_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_MEASUREMENT_H_
