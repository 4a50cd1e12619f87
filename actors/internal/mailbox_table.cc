#include "troupe/actors/internal/mailbox_table.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {
namespace {

absl::Status NameTaken(std::string_view name) {
  return absl::AlreadyExistsError("there is a mailbox named " + std::string(name));
}

}  // namespace

MailboxTable::~MailboxTable() {
  for (auto& cell : cells_) MailboxCell::Abandon(std::move(cell));
}

absl::StatusOr<MailboxId> MailboxTable::Open(MailboxSpec spec) {
  const MutexLock lock(mutex_);
  if (closed_) return MailboxId();
  const Name name = spec.name.empty() ? nullptr : SlotLocked(spec.name);
  if (name != nullptr && !IsFree(*name)) {
    return NameTaken(spec.name);
  }
  if (free_.empty()) {
    free_.push_back(cells_.emplace_back(std::make_unique<MailboxCell>(space_)).get());
  }
  const MailboxId id{free_.back(), DrawUnlikeOthers()};
  free_.pop_back();
  open_[id.cell] = id.incarnation;
  const MessageType message = spec.message;
  id.cell->Open(id.incarnation, std::move(spec));
  if (name != nullptr) name->Set({id, message});
  return id;
}

// T4
uint64_t MailboxTable::DrawUnlikeOthers() {
  uint64_t drawn;
  do {
    drawn = DrawIncarnation();
  } while (!printed_.insert(NumberToPrint(drawn, space_.print_key())).second);
  return drawn;
}

absl::StatusOr<MailboxId> MailboxTable::Find(std::string_view name, MessageType message) {
  const MutexLock lock(mutex_);
  const auto found = names_.find(std::string(name));
  if (found == names_.end() || IsFree(*found->second)) {
    return absl::NotFoundError("there is no mailbox named " + std::string(name));
  }
  const MailboxName::Bound bound = found->second->bound();
  if (bound.message != message) {
    return absl::FailedPreconditionError("the mailbox " + found->first +
                                         " is for messages of type " + std::string(*bound.message));
  }
  return bound.id;
}

absl::Status MailboxTable::Bind(std::string_view name, const MailboxName::Bound& to,
                                IfTaken if_taken) {
  if (name.empty()) return absl::InvalidArgumentError("Troupe: a name must not be empty");
  if (to.id.cell == nullptr) {
    return absl::InvalidArgumentError("Troupe: nobody's mailbox cannot have a name");
  }
  const MutexLock lock(mutex_);
  const Name& slot = SlotLocked(name);
  if (if_taken == IfTaken::kRefuse && !IsFree(*slot)) return NameTaken(name);
  slot->Set(to);
  return absl::OkStatus();
}

std::shared_ptr<MailboxName> MailboxTable::Slot(std::string_view name) {
  if (name.empty()) return nullptr;
  const MutexLock lock(mutex_);
  return SlotLocked(name);
}

const MailboxTable::Name& MailboxTable::SlotLocked(std::string_view name) {
  if (const auto found = names_.find(std::string(name)); found != names_.end()) {
    return found->second;
  }
  if (names_.size() >= sweep_at_) Sweep();
  return names_.emplace(name, std::make_shared<MailboxName>()).first->second;
}

bool MailboxTable::IsFree(MailboxName& name) const {
  const MailboxId id = name.bound().id;
  const auto open = open_.find(id.cell);
  return open == open_.end() || open->second != id.incarnation;  // T1
}

void MailboxTable::Sweep() {
  absl::erase_if(names_, [this](const auto& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return entry.second.use_count() == 1 && IsFree(*entry.second);  // T2
  });
  sweep_at_ = std::max(kSweepAt, 2 * names_.size());
}

void MailboxTable::Release(MailboxCell& cell, const std::string& name) {
  const MutexLock lock(mutex_);
  const auto open = open_.find(&cell);
  printed_.erase(NumberToPrint(open->second, space_.print_key()));  // T4
  open_.erase(open);
  free_.push_back(&cell);
  const auto found = names_.find(name);
  if (found == names_.end() || !IsFree(*found->second)) return;
  if (found->second.use_count() == 1) names_.erase(found);  // T2
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
