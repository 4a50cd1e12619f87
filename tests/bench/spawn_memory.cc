// Populations of idle actors of growing size: what one costs beyond its own state, whether making
// and stopping them stays linear, and whether the memory comes back.
//
//   ./bazelw run -c opt //tests/bench:spawn_memory -- 100000 300000 1000000
//
// prints one line for each:
//   workload=spawn_memory n=N spawn_ns_per_actor=A stop_ns_per_actor=B bytes_per_actor=C
//   state_bytes=D left_bytes_per_actor=E
// bytes_per_actor is what the resident set grew by, state_bytes the actor object's own part of it,
// left_bytes_per_actor what was still there after all had ended.

#include <cstdio>
#include <string>
#include <vector>

#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/population.h"
#include "troupe/tests/bench/workload.h"

namespace troupe::bench {
namespace {

constexpr size_t kMostSizes = 16;

int Run(int64_t n, const Options& options) {
  const absl::StatusOr<PopulationResult> p = MeasurePopulation(n, options);
  if (!p.ok()) {
    std::fprintf(stderr, "ERROR workload=spawn_memory %s\n",
                 std::string(p.status().message()).c_str());
    return 1;
  }
  const auto actors = static_cast<double>(n);
  std::printf(
      "workload=spawn_memory n=%lld spawn_ns_per_actor=%.2f stop_ns_per_actor=%.2f "
      "bytes_per_actor=%.1f state_bytes=%lld left_bytes_per_actor=%.1f\n",
      static_cast<long long>(n), p->spawn_seconds * 1e9 / actors, p->stop_seconds * 1e9 / actors,
      static_cast<double>(p->grown_kib) * 1024 / actors,
      static_cast<long long>(p->state_bytes_each),
      static_cast<double>(p->left_kib) * 1024 / actors);
  return 0;
}

int Main(const std::vector<std::string>& words) {
  absl::StatusOr<Arguments> arguments = Arguments::Parse(words);
  absl::Status status = arguments.status();
  if (status.ok()) status = arguments->Allow(kMostSizes, {"workers"});
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n\nusage: spawn_memory [ACTORS...] [workers=2]\n",
                 std::string(status.message()).c_str());
    return 2;
  }
  std::vector<int64_t> sizes = arguments->numbers();
  if (sizes.empty()) sizes = {100'000, 300'000, 1'000'000};
  for (int64_t n : sizes) {
    if (int failed = Run(n, OptionsOf(*arguments)); failed != 0) return failed;
  }
  return 0;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
