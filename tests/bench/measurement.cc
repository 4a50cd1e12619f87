#include "troupe/tests/bench/measurement.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe::bench {

absl::Status Expect(std::initializer_list<Expectation> expectations) {
  for (const auto& [what, got, wanted] : expectations) {
    if (got == wanted) continue;
    return absl::InternalError(absl::StrCat(what, ": ", got, " instead of ", wanted));
  }
  return absl::OkStatus();
}

absl::Status ExpectClose(const char* what, double got, double wanted) {
  constexpr double kTolerance = 1e-9;
  if (std::abs(got - wanted) <= kTolerance * std::abs(wanted)) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("%s: %.17g instead of %.17g", what, got, wanted));
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
