// What an idle system costs: N actors, each with a timer far in the future, and nothing to do.
//
//   ./bazelw run -c opt //tests/bench:idle -- 10000 seconds=10
//
// prints   workload=idle n=N seconds=S cpu_ms=C cpu_percent=P context_switches=W rss_kib=R
// where cpu_percent is of one core, over the whole process, and context_switches counts the times
// one of its threads went to sleep: both zero but for the main thread's own sleep.

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

struct Alarm {};

class Sleeper {
 public:
  Sleeper(std::atomic<int64_t>& ready, std::atomic<int64_t>& alarms)
      : ready_(ready), alarms_(alarms) {}
  void OnStart(Context& self) {
    self.SendAfter(absl::Hours(1), self.ref(this), Alarm{});
    ready_.fetch_add(1);
  }
  void On(Alarm) { alarms_.fetch_add(1); }

 private:
  std::atomic<int64_t>& ready_;
  std::atomic<int64_t>& alarms_;
};

double Milliseconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
}

struct Usage {
  double cpu_ms;
  int64_t context_switches;
};

Usage UsageNow() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return {Milliseconds(usage.ru_utime) + Milliseconds(usage.ru_stime), usage.ru_nvcsw};
}

int Run(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 10'000);
  const int64_t seconds = arguments.NumberOption("seconds", 10);
  std::atomic<int64_t> ready{0};
  std::atomic<int64_t> alarms{0};
  System system({.workers = static_cast<int>(arguments.NumberOption("workers", 2))});
  for (int64_t i = 0; i < n; ++i) system.Spawn<Sleeper>(ready, alarms);
  while (ready.load() != n) std::this_thread::yield();
  // The workers have seen their last work; give them the time to notice.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));

  const Usage before = UsageNow();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const Usage after = UsageNow();

  if (alarms.load() != 0) {
    std::fprintf(stderr, "ERROR workload=idle a timer of an hour has fired\n");
    return 1;
  }
  const double cpu_ms = after.cpu_ms - before.cpu_ms;
  std::printf(
      "workload=idle n=%s seconds=%lld cpu_ms=%.3f cpu_percent=%.4f context_switches=%lld "
      "rss_kib=%lld\n",
      arguments.Numbers().c_str(), static_cast<long long>(seconds), cpu_ms,
      cpu_ms / static_cast<double>(seconds) / 10,
      static_cast<long long>(after.context_switches - before.context_switches),
      static_cast<long long>(StatusKib("VmHWM")));
  return 0;
}

int Main(const std::vector<std::string>& words) {
  absl::StatusOr<Arguments> arguments = Arguments::Parse(words);
  absl::Status status = arguments.status();
  if (status.ok()) status = arguments->Allow(1, {"workers", "seconds"});
  if (status.ok()) return Run(*arguments);
  std::fprintf(stderr, "%s\n\nusage: idle [ACTORS] [seconds=10] [workers=2]\n",
               std::string(status.message()).c_str());
  return 2;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
