// What names_test.cc asks of another translation unit.
#ifndef TROUPE_TESTS_RUNTIME_NAMES_ELSEWHERE_H_
#define TROUPE_TESTS_RUNTIME_NAMES_ELSEWHERE_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/troupe.h"

namespace troupe {

struct Shared {};

absl::StatusOr<Recipient<Shared>> FindSharedElsewhere(System& system, std::string_view name);

// Finds a Private of an unnamed namespace; names_test.cc has one in another.
absl::Status FindPrivateElsewhere(System& system, std::string_view name);

}  // namespace troupe

#endif  // TROUPE_TESTS_RUNTIME_NAMES_ELSEWHERE_H_
