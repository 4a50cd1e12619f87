#include "troupe/tests/bench/measurement.h"

#include <fstream>
#include <limits>
#include <string>

namespace troupe::bench {

absl::Status Expect(const char* what, int64_t got, int64_t wanted) {
  if (got == wanted) return absl::OkStatus();
  return absl::InternalError(std::string(what) + ": " + std::to_string(got) + " instead of " +
                             std::to_string(wanted));
}

int64_t StatusKib(std::string_view key) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    int64_t kib = 0;
    if (word.size() == key.size() + 1 && word.starts_with(key) && status >> kib) return kib;
    status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

}  // namespace troupe::bench
