// How long one has to wait: distributions, not means.
//
//   ./bazelw run -c opt //tests/bench:latency                           # everything
//   ./bazelw run -c opt //tests/bench:latency -- wake_up 1000 neighbour=1
//
// prints for each measurement   latency=NAME n=N p50_ns=A p99_ns=B p999_ns=C max_ns=D
// With neighbour=N, N processes that have nothing to do with us compute all the while. Exits with 1
// and an error line if an answer was wrong, with 2 and a usage text if it was called wrongly.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/latency/latencies.h"
#include "troupe/tests/bench/latency/neighbour.h"

namespace troupe::bench {
namespace {

struct Entry {
  std::string_view name;
  Latency run;
  int64_t n;  // unless said
  std::string_view usage;
};

constexpr Entry kLatencies[] = {
    {"wake_up", &WakeUp, 1000, "a message to a system that sleeps, until its handler starts"},
    {"ask", &Ask, 200'000, "a plain thread asks and waits, again and again"},
    {"ask_idle", &AskIdle, 1000, "a plain thread asks a system that sleeps"},
    {"timer", &Timer, 1000, "a timer of 1 to 5 ms: how late its handler starts"},
    {"handler_start", &HandlerStart, 5000,
     "a message to a busy system, until its handler starts   [handler_us=10]"},
};

int Usage(std::string_view problem) {
  std::fprintf(stderr,
               "%.*s\n\nusage: latency [NAME [N]] [workers=2] [neighbour=PROCESSES] "
               "[handler_us=10]\n\n",
               static_cast<int>(problem.size()), problem.data());
  for (const Entry& entry : kLatencies) {
    std::fprintf(stderr, "  %-14s %.*s\n", std::string(entry.name).c_str(),
                 static_cast<int>(entry.usage.size()), entry.usage.data());
  }
  return 2;
}

bool Run(const Entry& entry, int64_t n, const Setting& setting) {
  const std::string name(entry.name);
  Samples samples(n);
  if (const absl::Status status = entry.run(setting, samples); !status.ok()) {
    std::fprintf(stderr, "ERROR latency=%s %s\n", name.c_str(), status.ToString().c_str());
    return false;
  }
  std::printf("latency=%s %s", name.c_str(), samples.Distribution().c_str());
  if (entry.run == &HandlerStart) {
    std::printf(" handler_us=%lld", static_cast<long long>(setting.handler.count()));
  }
  std::printf("\n");
  return true;
}

// All of them, or the one of that name; none: there is no such name.
std::vector<Entry> Chosen(std::string_view name) {
  std::vector<Entry> chosen;
  for (const Entry& entry : kLatencies) {
    if (name.empty() || entry.name == name) chosen.push_back(entry);
  }
  return chosen;
}

bool RunAll(const std::vector<Entry>& chosen, const Arguments& arguments) {
  const Setting setting{
      .workers = static_cast<int>(arguments.NumberOption("workers", 2)),
      .handler = std::chrono::microseconds(arguments.NumberOption("handler_us", 10))};
  const std::vector<Neighbour> neighbours(arguments.NumberOption("neighbour", 0));
  bool good = true;
  for (const Entry& entry : chosen) {
    const int64_t n = arguments.numbers().empty() ? entry.n : arguments.numbers().front();
    good = Run(entry, n, setting) && good;
  }
  return good;
}

absl::Status Allowed(std::string_view name, const Arguments& arguments) {
  if (name.empty()) return arguments.Allow(0, {"workers", "neighbour", "handler_us"});
  if (name == "handler_start") return arguments.Allow(1, {"workers", "neighbour", "handler_us"});
  return arguments.Allow(1, {"workers", "neighbour"});
}

int Main(std::vector<std::string> words) {
  std::string name;
  if (!words.empty() && words.front().find('=') == std::string::npos) {
    name = words.front();
    words.erase(words.begin());
  }
  const std::vector<Entry> chosen = Chosen(name);
  if (chosen.empty()) return Usage("unknown measurement: " + name);
  const absl::StatusOr<Arguments> arguments = Arguments::Parse(words);
  absl::Status status = arguments.status();
  if (status.ok()) status = Allowed(name, *arguments);
  if (!status.ok()) return Usage(std::string(status.message()));
  return RunAll(chosen, *arguments) ? 0 : 1;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
