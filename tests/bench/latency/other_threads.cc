#include "troupe/tests/bench/latency/other_threads.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace troupe::bench {
namespace {

// Of /proc/self/task/ID/stat: "4711 (its name) S ...". A name may have parentheses of its own. A
// thread that has ended meanwhile does nothing either.
bool Sleeps(const std::filesystem::path& task) {
  std::ifstream file(task / "stat");
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  const size_t name_end = stat.rfind(") ");
  return name_end == std::string::npos || stat[name_end + 2] == 'S';
}

bool OthersSleep() {
  const std::string self = std::to_string(gettid());
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::all_of(begin(tasks), end(tasks), [&](const std::filesystem::path& task) {
    return task.filename() == self || Sleeps(task);
  });
}

}  // namespace

void AwaitOtherThreadsAsleep() {
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (!OthersSleep());
}

}  // namespace troupe::bench
