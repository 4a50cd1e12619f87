#include "troupe/actors/internal/mailbox_table.h"

#include <utility>

#include "absl/status/status.h"
#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {

absl::StatusOr<MailboxId> MailboxTable::Open(MailboxSpec spec) {
  const MutexLock lock(mutex_);
  if (closed_) return MailboxId();
  if (!spec.name.empty() && names_.contains(spec.name)) {
    return absl::AlreadyExistsError("there is a mailbox named " + spec.name);
  }
  if (free_.empty()) {
    free_.push_back(cells_.emplace_back(std::make_unique<MailboxCell>(space_)).get());
  }
  const MailboxId id{free_.back(), DrawIncarnation()};
  free_.pop_back();
  open_[id.cell] = id.incarnation;
  if (!spec.name.empty()) {
    names_[spec.name] = {id, spec.message};
  }
  id.cell->Open(id.incarnation, std::move(spec));
  return id;
}

absl::StatusOr<MailboxId> MailboxTable::Find(std::string_view name, MessageType message) {
  const MutexLock lock(mutex_);
  const auto found = names_.find(std::string(name));
  if (found == names_.end()) {
    return absl::NotFoundError("there is no mailbox named " + std::string(name));
  }
  if (found->second.message != message) {
    return absl::FailedPreconditionError("the mailbox " + found->first +
                                         " is for messages of type " +
                                         std::string(*found->second.message));
  }
  return found->second.id;
}

void MailboxTable::Release(MailboxCell& cell, const std::string& name) {
  const MutexLock lock(mutex_);
  if (!name.empty()) names_.erase(name);
  open_.erase(&cell);
  free_.push_back(&cell);
}

void MailboxTable::CloseAll() {
  absl::flat_hash_map<const MailboxCell*, uint64_t> open;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    open = open_;
  }
  for (const auto& [cell, incarnation] : open) {
    const_cast<MailboxCell*>(cell)->Close(incarnation, Backlog::kDrop);
  }
}

}  // namespace troupe::internal
