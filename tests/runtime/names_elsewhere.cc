#include "tests/runtime/names_elsewhere.h"

namespace troupe {
namespace {

struct Private {};

}  // namespace

absl::StatusOr<Recipient<Shared>> FindSharedElsewhere(System& system, std::string_view name) {
  return system.Find<Shared>(name);
}

absl::Status FindPrivateElsewhere(System& system, std::string_view name) {
  return system.Find<Private>(name).status();
}

}  // namespace troupe
