// What things take while they wait, in memory.
//
//   ./bazelw run -c opt //tests/bench:memory                         # everything
//   ./bazelw run -c opt //tests/bench:memory -- queued_message 1000000
//
// prints for each   memory=NAME n=N bytes_each=B
// which is what the resident set grew by when there were N of them, divided by N. Each is measured in
// a process of its own, since what one frees the next would use again. Exits with 1 and an error line
// if something was not as it should be, with 2 and a usage text if it was called wrongly.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/memory/footprints.h"

namespace troupe::bench {
namespace {

constexpr int64_t kUsualN = 1'000'000;

struct Entry {
  std::string_view name;
  Footprint measure;
  std::string_view usage;
};

constexpr Entry kFootprints[] = {
    {"idle_actor", &IdleActor, "an actor with 16 bytes of state"},
    {"queued_message", &QueuedMessage, "a message of 8 bytes in a mailbox"},
    {"queued_bounded", &QueuedBounded, "the same, in a mailbox with a capacity"},
    {"pending_timer", &PendingTimer, "a timer that will send a message of 8 bytes"},
    {"pending_ask", &PendingAsk, "an ask of 8 bytes, its request not yet looked at"},
    {"watch", &Watched, "a watch of one actor, of actors that wait"},
    {"link", &Linked, "a link of one actor, to actors that wait"},
    {"child", &Child, "a child of one actor, with 8 bytes of state"},
    {"name", &Named, "a name of one actor"},
#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h
    {"suspended_handler", &SuspendedHandler, "a coroutine that awaits an answer, of one actor"},
    {"suspended_actor", &SuspendedActor, "an actor with a coroutine that awaits an answer"},
#endif
};

int Usage(std::string_view problem) {
  std::fprintf(stderr, "%.*s\n\nusage: memory [NAME [N]]\n\n", static_cast<int>(problem.size()),
               problem.data());
  for (const Entry& entry : kFootprints) {
    std::fprintf(stderr, "  %-18s %.*s\n", std::string(entry.name).c_str(),
                 static_cast<int>(entry.usage.size()), entry.usage.data());
  }
  return 2;
}

bool Run(const Entry& entry, int64_t n) {
  const std::string name(entry.name);
  const absl::StatusOr<int64_t> kib = entry.measure(n);
  if (!kib.ok()) {
    std::fprintf(stderr, "ERROR memory=%s %s\n", name.c_str(), kib.status().ToString().c_str());
    return false;
  }
  std::printf("memory=%s n=%lld bytes_each=%.1f\n", name.c_str(), static_cast<long long>(n),
              static_cast<double>(*kib) * 1024 / static_cast<double>(n));
  return true;
}

bool RunAlone(const Entry& entry, int64_t n) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const bool good = Run(entry, n);
    std::fflush(stdout);
    _exit(good ? 0 : 1);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

// All of them, or the one of that name; none: there is no such name.
std::vector<Entry> Chosen(std::string_view name) {
  std::vector<Entry> chosen;
  for (const Entry& entry : kFootprints) {
    if (name.empty() || entry.name == name) chosen.push_back(entry);
  }
  return chosen;
}

int Main(const std::vector<std::string>& words) {
  const std::vector<Entry> chosen = Chosen(words.empty() ? "" : words.front());
  if (chosen.empty()) return Usage("unknown measurement: " + words.front());
  absl::StatusOr<Arguments> arguments =
      Arguments::Parse({words.begin() + (words.empty() ? 0 : 1), words.end()});
  absl::Status status = arguments.status();
  if (status.ok()) status = arguments->Allow(1, {});
  if (!status.ok()) return Usage(std::string(status.message()));
  bool good = true;
  for (const Entry& entry : chosen) {
    good = RunAlone(entry, arguments->Number(0, kUsualN)) && good;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
