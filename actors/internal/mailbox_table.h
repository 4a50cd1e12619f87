// MailboxTable: the mailboxes of one System: their cells, and the names of those that have one.
//
// Any thread. For the control path: what goes through a mailbox does not come here.
//
// T1  Who has a name changes under mutex_ only. A mailbox that ends is told of by one of its names at
//     most; of the others it is noticed when they are used next, since it is not in open_ any more.
// T2  Who holds a slot got it from Slot, under mutex_. So one that nobody else holds stays so while
//     mutex_ is held, and may be dropped if no mailbox has the name.
// T3  Names are dropped when their mailbox ends, or by a sweep when there are twice as many as the last
//     one left.
// T4  printed_ has the numbers that the mailboxes in open_ print, each once.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_TABLE_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/mailbox_name.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class MailboxTable {
 public:
  explicit MailboxTable(ActorSpace& space) : space_(space) {}
  MailboxTable(const MailboxTable&) = delete;
  MailboxTable& operator=(const MailboxTable&) = delete;
  ~MailboxTable();

  // kAlreadyExists: another mailbox has the name. Nobody's, if the system stops.
  absl::StatusOr<MailboxId> Open(MailboxSpec spec);
  // kNotFound; kFailedPrecondition: it is for messages of another type.
  absl::StatusOr<MailboxId> Find(std::string_view name, MessageType message);
  enum class IfTaken : uint8_t { kRefuse, kReplace };
  // kAlreadyExists: a mailbox has the name, be it this one. kInvalidArgument: no name, or nobody's
  // mailbox.
  absl::Status Bind(std::string_view name, const MailboxName::Bound& to, IfTaken if_taken);
  std::shared_ptr<MailboxName> Slot(std::string_view name);  // nullptr: no name
  // A cell whose mailbox has ended, and the name it was opened with.
  void Release(MailboxCell& cell, const std::string& name);
  void CloseAll();

 private:
  static constexpr size_t kSweepAt = 64;
  using Name = std::shared_ptr<MailboxName>;

  const Name& SlotLocked(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t DrawUnlikeOthers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsFree(MailboxName& name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Sweep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ActorSpace& space_;
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<MailboxCell>> cells_ ABSL_GUARDED_BY(mutex_);  // B1
  std::vector<MailboxCell*> free_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<const MailboxCell*, uint64_t> open_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<uint32_t> printed_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Name> names_ ABSL_GUARDED_BY(mutex_);
  size_t sweep_at_ ABSL_GUARDED_BY(mutex_) = kSweepAt;  // T3
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_TABLE_H_
