// Actor workloads, one per run, each checking its own result:
//
//   ./bazelw run -c opt //tests/bench:savina -- ping_pong 2000000 workers=2
//
// prints   workload=NAME n=N seconds=S ops=K ns_per_op=X rss_kib=R [extra]
// where seconds is the wall time of the measured section, without the start and the end of the
// system, and rss_kib the peak resident set of the whole process. Exits with 1 and an error line if
// the workload came to a wrong result, with 2 and a usage text if it was called wrongly.

#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/workloads.h"

namespace troupe::bench {

absl::Status Expect(const char* what, int64_t got, int64_t wanted) {
  if (got == wanted) return absl::OkStatus();
  return absl::InternalError(std::string(what) + ": " + std::to_string(got) + " instead of " +
                             std::to_string(wanted));
}

absl::Status ExpectClose(const char* what, double got, double wanted) {
  constexpr double kTolerance = 1e-9;
  if (std::abs(got - wanted) <= kTolerance * std::abs(wanted)) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("%s: %.17g instead of %.17g", what, got, wanted));
}

namespace {

struct Entry {
  std::string_view name;
  Workload run;
  size_t numbers;
  std::string_view usage;
};

constexpr Entry kWorkloads[] = {
    {"ping_pong", &PingPong, 1, "ROUNDS              two actors, one message under way"},
    {"counting", &Counting, 1, "N                   N increments, then the count is asked for"},
    {"counting_windowed", &CountingWindowed, 2,
     "N W                 the same, in step after every W increments"},
    {"fork_join_throughput", &ForkJoinThroughput, 2,
     "ACTORS N            N messages to each, round robin"},
    {"fork_join_create", &ForkJoinCreate, 1,
     "N                   make an actor, send it a message, it ends   [from=actor|main]"},
    {"thread_ring", &ThreadRing, 2, "ACTORS HOPS         one token round a ring"},
    {"big", &Big, 2, "ACTORS PINGS        each pings random others, all at once"},
    {"chameneos", &Chameneos, 2, "CREATURES MEETINGS  pairs meet in one mall"},
    {"mailbox_contention", &MailboxContention, 2, "PRODUCERS N         many senders, one receiver"},
    {"idle_memory", &IdleMemory, 1,
     "N                   memory of N idle actors, and what stopping them costs"},
    {"ask_latency", &AskLatency, 1, "N                   a plain thread asks and waits"},
    {"fib", &Fib, 1, "N                   a tree of actors"},
    {"banking", &Banking, 2, "ACCOUNTS N          transfers between random accounts"},
    {"a_star", &AStar, 3, "GRID LIMIT ACTORS   a search through GRID^3 nodes"},
    {"all_pairs_shortest_path", &AllPairsShortestPath, 3,
     "N BLOCK WEIGHT      distances between N nodes, by blocks of the matrix"},
    {"facility_location", &FacilityLocation, 2,
     "N ALPHA             N customers find their way down a tree of quadrants"},
    {"filter_bank", &FilterBank, 3, "N COLUMNS CHANNELS  N samples through filters side by side"},
    {"matrix_multiplication", &MatrixMultiplication, 3,
     "N LIMIT ACTORS      N rows, cut up to blocks of LIMIT cells"},
    {"n_queens", &NQueens, 3, "N DEPTH ACTORS      all solutions, divided down to DEPTH queens"},
    {"pi_precision", &PiPrecision, 2, "DIGITS ACTORS       terms of a series for pi"},
    {"quicksort", &Quicksort, 2,
     "N LIMIT             a tree of actors, with LIMIT numbers at a leaf"},
    {"successive_over_relaxation", &SuccessiveOverRelaxation, 2,
     "N ROUNDS            each cell of an N * N grid is an actor"},
    {"trapezoid", &Trapezoid, 2, "N ACTORS            N trapezoids, divided evenly"},
    {"unbalanced_cobwebbed_tree", &UnbalancedCobwebbedTree, 4,
     "NODES STEPS DEV CH  a tree grows at random, CH children each, and is walked"},
};

int Usage(std::string_view problem) {
  std::fprintf(stderr, "%.*s\n\nusage: savina WORKLOAD [N...] [workers=2] [key=value...]\n\n",
               static_cast<int>(problem.size()), problem.data());
  for (const Entry& entry : kWorkloads) {
    std::fprintf(stderr, "  %-26s %.*s\n", std::string(entry.name).c_str(),
                 static_cast<int>(entry.usage.size()), entry.usage.data());
  }
  return 2;
}

const Entry* Find(std::string_view name) {
  for (const Entry& entry : kWorkloads) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

int Run(const Entry& entry, Arguments& arguments) {
  const absl::StatusOr<Result> result = entry.run(arguments);
  if (absl::IsInvalidArgument(result.status())) {
    return Usage(std::string(result.status().message()));
  }
  if (!result.ok()) {
    std::fprintf(stderr, "ERROR workload=%s %s\n", std::string(entry.name).c_str(),
                 std::string(result.status().message()).c_str());
    return 1;
  }
  std::printf("workload=%s n=%s seconds=%.6f ops=%lld ns_per_op=%.2f rss_kib=%lld%s\n",
              std::string(entry.name).c_str(), arguments.Numbers().c_str(), result->seconds,
              static_cast<long long>(result->ops),
              result->seconds * 1e9 / static_cast<double>(result->ops),
              static_cast<long long>(StatusKib("VmHWM")), result->extra.c_str());
  return 0;
}

int Main(const std::vector<std::string>& words) {
  if (words.empty()) return Usage("no workload given");
  const Entry* const entry = Find(words.front());
  if (entry == nullptr) return Usage("unknown workload: " + words.front());
  absl::StatusOr<Arguments> arguments = Arguments::Parse({words.begin() + 1, words.end()});
  if (!arguments.ok()) return Usage(std::string(arguments.status().message()));
  const absl::Status allowed = entry->run == &ForkJoinCreate
                                   ? arguments->Allow(entry->numbers, {"workers", "from"})
                                   : arguments->Allow(entry->numbers, {"workers"});
  if (!allowed.ok()) return Usage(std::string(allowed.message()));
  return Run(*entry, *arguments);
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
