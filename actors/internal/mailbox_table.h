// MailboxTable: the mailboxes of one System: their cells, and the names of those that have one.
//
// Any thread. For the control path: what goes through a mailbox does not come here.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_TABLE_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_TABLE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class MailboxTable {
 public:
  explicit MailboxTable(ActorSpace& space) : space_(space) {}
  MailboxTable(const MailboxTable&) = delete;
  MailboxTable& operator=(const MailboxTable&) = delete;

  // kAlreadyExists: another mailbox has the name. Nobody's, if the system stops.
  absl::StatusOr<MailboxId> Open(MailboxSpec spec);
  // kNotFound; kFailedPrecondition: it is for messages of another type.
  absl::StatusOr<MailboxId> Find(std::string_view name, MessageType message);
  // A cell whose mailbox has ended, and the name it had.
  void Release(MailboxCell& cell, const std::string& name);
  void CloseAll();

 private:
  struct Named {
    MailboxId id;
    MessageType message;
  };

  ActorSpace& space_;
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<MailboxCell>> cells_ ABSL_GUARDED_BY(mutex_);  // B1
  std::vector<MailboxCell*> free_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<const MailboxCell*, uint64_t> open_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Named> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_TABLE_H_
