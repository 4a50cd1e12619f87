#include "troupe/tests/bench/workload.h"

#include "absl/strings/str_cat.h"

namespace troupe::bench {

absl::Status Expect(std::initializer_list<Expectation> expectations) {
  for (const auto& [what, got, wanted] : expectations) {
    if (got == wanted) continue;
    return absl::InternalError(absl::StrCat(what, ": ", got, " instead of ", wanted));
  }
  return absl::OkStatus();
}

}  // namespace troupe::bench
