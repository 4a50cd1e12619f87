#include "troupe/runtime/bridges/internal/published.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe::internal {
namespace {

// It is the user's: who throws has not said yes.
bool MayFind(const PublishOptions& options, const PeerIdentity& peer) {
  if (!options.allow) return true;
  try {
    return options.allow(peer);
  } catch (...) {
    return false;
  }
}

}  // namespace

absl::StatusOr<std::vector<ExportRoute>> Published::RoutesFor(const PeerIdentity& peer,
                                                              std::string_view name,
                                                              std::span<const uint64_t> types,
                                                              bool wants_mailbox) const {
  const std::string quoted = absl::StrCat("\"", std::string(name), "\"");
  if (!MayFind(options, peer)) {
    return absl::PermissionDeniedError(absl::StrCat(quoted, " is not for this peer"));
  }
  if (who.is_mailbox() != wants_mailbox) {
    return absl::FailedPreconditionError(
        absl::StrCat(quoted, wants_mailbox ? " is an actor: Find" : " is a mailbox: FindMailbox"));
  }
  std::vector<ExportRoute> found;
  for (const uint64_t type : types) {
    const auto route = std::find_if(routes.begin(), routes.end(),
                                    [&](const ExportRoute& r) { return r.type == type; });
    if (route == routes.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat(quoted, " is not published for message ", absl::Hex(type)));
    }
    found.push_back(*route);
  }
  return found;
}

}  // namespace troupe::internal
