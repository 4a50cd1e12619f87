// Actor workloads, one per run, each checking its own result:
//
//   ./bazelw run -c opt //tests/bench:savina -- ping_pong 2000000 workers=2
//
// prints   workload=NAME n=N seconds=S ops=K ns_per_op=X rss_kib=R [extra]
// where seconds is the wall time of the measured section, without the start and the end of the
// system, and rss_kib the peak resident set of the whole process. Exits with 1 and an error line if
// the workload came to a wrong result, with 2 and a usage text if it was called wrongly.

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/workload.h"
#include "troupe/tests/bench/workloads.h"

namespace troupe::bench {
namespace {

// A number that is not given is the one of the Savina suite, if the workload is.
struct Entry {
  const char* name;
  Workload run;
  size_t most_numbers;
  const char* numbers;
  const char* about;
  const char* option = "workers";  // beside that
};

constexpr Entry kMicro[] = {
    {"ping_pong", &PingPong, 1, "ROUNDS", "two actors, one message under way"},
    {"counting", &Counting, 1, "N", "N increments, then the count"},
    {"counting_windowed", &CountingWindowed, 2, "N W", "the same, in step after every W of them"},
    {"fork_join_throughput", &ForkJoinThroughput, 2, "ACTORS N [capacity=UNBOUNDED]",
     "N messages to each, round robin", "capacity"},
    {"fork_join_create", &ForkJoinCreate, 1, "N [from=actor|main]",
     "make an actor, send it a message, it ends", "from"},
    {"thread_ring", &ThreadRing, 2, "ACTORS HOPS", "one token round a ring"},
    {"big", &Big, 2, "ACTORS PINGS", "each pings random others, all at once"},
    {"chameneos", &Chameneos, 2, "CREATURES MEETINGS", "pairs meet in one mall"},
    {"mailbox_contention", &MailboxContention, 2, "PRODUCERS N [capacity=UNBOUNDED]",
     "many senders, one receiver", "capacity"},
    {"idle_memory", &IdleMemory, 1, "N", "memory of N idle actors, and their end"},
    {"ask_latency", &AskLatency, 1, "N", "a plain thread asks and waits"},
    {"fib", &Fib, 1, "N", "a tree of actors"},
    {"banking", &Banking, 2, "ACCOUNTS N", "transfers between random accounts"},
};

constexpr Entry kConcurrency[] = {
    {"bounded_buffer", &BoundedBuffer, 4, "BUFFER PRODUCERS CONSUMERS ITEMS",
     "who finds it full or empty waits"},
    {"cigarette_smokers", &CigaretteSmokers, 2, "ROUNDS SMOKERS",
     "an arbiter chooses who is busy next"},
    {"concurrent_dictionary", &ConcurrentDictionary, 3, "ENTITIES MESSAGES WRITE%",
     "many read and write one dictionary"},
    {"concurrent_sorted_list", &ConcurrentSortedList, 4, "ENTITIES MESSAGES WRITE% SIZE%",
     "many use one sorted linked list"},
    {"dining_philosophers", &DiningPhilosophers, 2, "PHILOSOPHERS ROUNDS",
     "they ask an arbitrator for forks"},
    {"logistic_map", &LogisticMap, 2, "TERMS SERIES", "series ask for each of their terms"},
    {"sleeping_barber", &SleepingBarber, 4, "CUSTOMERS ROOM PRODUCTION HAIRCUT",
     "who finds the room full comes again"},
};

constexpr Entry kParallelism[] = {
    {"a_star", &AStar, 3, "GRID LIMIT ACTORS", "a search through GRID^3 nodes"},
    {"all_pairs_shortest_path", &AllPairsShortestPath, 3, "N BLOCK WEIGHT",
     "distances of N nodes, by blocks of the matrix"},
    {"bitonic_sort", &BitonicSort, 3, "N BITS SEED", "a sorting network of actors"},
    {"facility_location", &FacilityLocation, 2, "N ALPHA", "customers go down a tree of quadrants"},
    {"filter_bank", &FilterBank, 3, "N COLUMNS CHANNELS", "N samples through filters side by side"},
    {"matrix_multiplication", &MatrixMultiplication, 3, "N LIMIT ACTORS",
     "N rows, cut up to blocks of LIMIT cells"},
    {"n_queens", &NQueens, 3, "N DEPTH ACTORS", "all solutions, divided down to DEPTH queens"},
    {"pi_precision", &PiPrecision, 2, "DIGITS ACTORS", "terms of a series for pi"},
    {"quicksort", &Quicksort, 2, "N LIMIT", "a tree of actors, LIMIT numbers at a leaf"},
    {"radix_sort", &RadixSort, 3, "N BITS SEED", "a pipeline, an actor for each bit"},
    {"sieve", &Sieve, 2, "N PRIMES", "a chain of actors with PRIMES primes each"},
    {"successive_over_relaxation", &SuccessiveOverRelaxation, 2, "N ROUNDS",
     "each cell of an N * N grid is an actor"},
    {"trapezoid", &Trapezoid, 2, "N ACTORS", "N trapezoids, divided evenly"},
    {"unbalanced_cobwebbed_tree", &UnbalancedCobwebbedTree, 4, "NODES STEPS DEV CHILDREN",
     "a tree grows at random, and is walked"},
};

struct Group {
  const char* name;
  std::span<const Entry> workloads;
};

constexpr Group kGroups[] = {
    {"micro", kMicro},
    {"concurrency", kConcurrency},
    {"parallelism", kParallelism},
};

int Usage(absl::string_view problem) {
  absl::FPrintF(stderr, "%s\n\nusage: savina WORKLOAD [N...] [workers=2] [key=value...]\n",
                problem);
  for (const Group& group : kGroups) {
    absl::FPrintF(stderr, "\n%s\n", group.name);
    for (const Entry& entry : group.workloads) {
      const std::string call = absl::StrCat(entry.name, " ", entry.numbers);
      absl::FPrintF(stderr, "  %-54s %s\n", call, entry.about);
    }
  }
  return 2;
}

const Entry* Find(const std::string& name) {
  for (const Group& group : kGroups) {
    for (const Entry& entry : group.workloads) {
      if (entry.name == name) return &entry;
    }
  }
  return nullptr;
}

int Run(const Entry& entry, Arguments& arguments) {
  const absl::StatusOr<Result> result = entry.run(arguments);
  if (absl::IsInvalidArgument(result.status())) return Usage(result.status().message());
  if (!result.ok()) {
    absl::FPrintF(stderr, "ERROR workload=%s %s\n", entry.name, result.status().message());
    return 1;
  }
  absl::PrintF("workload=%s n=%s seconds=%.6f ops=%d ns_per_op=%.2f rss_kib=%d%s\n", entry.name,
               arguments.Numbers(), result->seconds, result->ops,
               result->seconds * 1e9 / static_cast<double>(result->ops), StatusKib("VmHWM"),
               result->extra);
  return 0;
}

int Main(const std::vector<std::string>& words) {
  if (words.empty()) return Usage("no workload given");
  const Entry* const entry = Find(words.front());
  if (entry == nullptr) return Usage(absl::StrCat("unknown workload: ", words.front()));
  absl::StatusOr<Arguments> arguments = Arguments::Parse({words.begin() + 1, words.end()});
  if (!arguments.ok()) return Usage(arguments.status().message());
  const absl::Status allowed = arguments->Allow(entry->most_numbers, {"workers", entry->option});
  if (!allowed.ok()) return Usage(allowed.message());
  return Run(*entry, *arguments);
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
