// ExportTable: the actors and mailboxes that a peer may send to, by the numbers that it knows them by.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_EXPORT_TABLE_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_EXPORT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/internal/ref_table.h"

namespace troupe::internal {

// X1  An actor has one number as long as it has an entry; numbers are never used again.
// X2  With a number goes a random incarnation, which every frame has to name. So a peer that makes up
//     frames reaches nobody, though it counts from 1.
// X3  An entry goes when the peer has released it as often as it was given to it: a release and a ref to
//     the same actor may cross. A peer releases once it has been told of the actor's end; until then
//     messages on their way are dead letters of the actor, as they would be here.
//
// Thread safety  Any thread.
class ExportTable {
 public:
  struct Entry {
    Referent who;
    uint64_t id = 0;
    uint64_t incarnation = 0;
    std::vector<ExportRoute> routes = {};
    uint64_t given = 0;  // X3

    // An error: it was not exported for that message.
    absl::StatusOr<ExportRoute> RouteFor(uint64_t type) const;
  };
  struct Added {
    WireRef ref;
    bool is_new;
    size_t entries;  // there are now
  };

  Added Add(const Referent& who, std::span<const ExportRoute> routes);
  // Where a message of this type goes. An error: the peer has no right to it.
  absl::StatusOr<std::pair<Referent, ExportRoute>> Find(uint64_t id, uint64_t incarnation,
                                                        uint64_t type) const;
  // kNotFound: it was exported, and has been released.
  absl::StatusOr<Entry> Get(uint64_t id, uint64_t incarnation) const;
  std::optional<Entry> Of(const Referent& who) const;
  // Who it is, if the peer has been given it once more than it knows (X3); else nobody. An error: it has not
  // been given so often, or `times` is 0.
  absl::StatusOr<Referent> Release(uint64_t id, uint64_t incarnation, uint64_t times);

 private:
  const Entry* Look(uint64_t id, uint64_t incarnation) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;  // tables may be looked into
  absl::flat_hash_map<uint64_t, Entry> by_id_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Referent, uint64_t> ids_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_EXPORT_TABLE_H_
