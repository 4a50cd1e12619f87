// Published: an actor or a mailbox that can be found by a name.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_PUBLISHED_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_PUBLISHED_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/node_options.h"
#include "troupe/runtime/bridges/peer_identity.h"

namespace troupe::internal {

struct Published {
  Referent who;
  std::vector<ExportRoute> routes;
  PublishOptions options;

  // For that peer's Find of `name` and these messages. kPermissionDenied: it may not find it.
  // kFailedPrecondition: not published for one of them, or not as what it looks for.
  absl::StatusOr<std::vector<ExportRoute>> RoutesFor(const PeerIdentity& peer,
                                                     std::string_view name,
                                                     std::span<const uint64_t> types,
                                                     bool wants_mailbox) const;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_PUBLISHED_H_
