#include "troupe/tests/bench/population.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/workloads.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

struct Put {
  int64_t value;
};
struct Look {
  using Reply = int64_t;
};

class Idler {
 public:
  explicit Idler(std::atomic<int64_t>& alive) : alive_(alive) {}
  ~Idler() { alive_.fetch_sub(1); }
  void On(Put put) { value_ = put.value; }
  int64_t On(Look) { return value_; }

 private:
  std::atomic<int64_t>& alive_;
  int64_t value_ = 0;
};

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

absl::StatusOr<PopulationResult> MeasurePopulation(int64_t n, const Options& options) {
  std::atomic<int64_t> alive{n};
  std::vector<ActorRef<Idler>> refs(n);  // its pages are touched before the first look
  System system(options);
  PopulationResult result;
  result.state_bytes_each = sizeof(Idler);
  const int64_t before = StatusKib("VmRSS");

  auto begin = std::chrono::steady_clock::now();
  for (auto& ref : refs) ref = system.Spawn<Idler>(alive);
  result.spawn_seconds = SecondsSince(begin);
  result.grown_kib = StatusKib("VmRSS") - before;

  for (int64_t i : {int64_t{0}, n / 2, n - 1}) {
    refs[i].Send(Put{i + 1});
    if (absl::StatusOr<int64_t> seen = refs[i].Ask(Look{}).Wait(); !seen.ok() || *seen != i + 1) {
      return absl::InternalError("an idle actor did not answer");
    }
  }

  begin = std::chrono::steady_clock::now();
  for (const auto& ref : refs) ref.Stop();
  while (alive.load() != 0) std::this_thread::yield();
  result.stop_seconds = SecondsSince(begin);
  while (system.stats().live != 0) std::this_thread::yield();  // their cells go back last
  result.left_kib = StatusKib("VmRSS") - before;
  return result;
}

// N actors that handle two types of message and wait, each held by one ref in a preallocated array.
// ns_per_op: to make one. Then what stopping one takes, and how much memory is left.
absl::StatusOr<Result> IdleMemory(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 1'000'000);
  const absl::StatusOr<PopulationResult> p = MeasurePopulation(n, OptionsOf(arguments));
  if (!p.ok()) return p.status();
  return Result{p->spawn_seconds, n,
                absl::StrFormat(" bytes_per_actor=%.1f state_bytes=%d stop_ns_per_op=%.2f "
                                "left_bytes_per_actor=%.1f",
                                p->grown_kib * 1024.0 / n, p->state_bytes_each,
                                p->stop_seconds * 1e9 / n, p->left_kib * 1024.0 / n)};
}

}  // namespace troupe::bench
