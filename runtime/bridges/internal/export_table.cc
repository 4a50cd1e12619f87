#include "troupe/runtime/bridges/internal/export_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {
namespace {

const ExportRoute* RouteOf(const std::vector<ExportRoute>& routes, uint64_t type) {
  const auto route = std::find_if(routes.begin(), routes.end(),
                                  [&](const ExportRoute& r) { return r.type == type; });
  return route == routes.end() ? nullptr : &*route;
}

absl::Status NoSuchExport(uint64_t id) {
  return absl::PermissionDeniedError(absl::StrCat("nobody was exported as number ", id));
}

}  // namespace

absl::StatusOr<ExportRoute> ExportTable::Entry::RouteFor(uint64_t type) const {
  if (const ExportRoute* const route = RouteOf(routes, type)) return *route;
  return absl::PermissionDeniedError(
      absl::StrCat("number ", id, " was not exported for message ", absl::Hex(type)));
}

ExportTable::Added ExportTable::Add(const Referent& who, std::span<const ExportRoute> routes) {
  MutexLock lock(mutex_);
  const auto [place, is_new] = ids_.try_emplace(who, last_id_ + 1);
  Entry& entry = by_id_[place->second];
  if (is_new) {
    entry = {.who = who, .id = ++last_id_, .incarnation = DrawIncarnation()};
  }
  ++entry.given;
  Added added{{.whose = WireRef::Whose::kWriters,
               .id = entry.id,
               .incarnation = entry.incarnation,
               .is_mailbox = who.is_mailbox()},
              is_new,
              by_id_.size()};
  for (const ExportRoute& route : routes) {
    if (RouteOf(entry.routes, route.type) == nullptr) entry.routes.push_back(route);
    added.ref.types.push_back(route.type);
  }
  return added;
}

const ExportTable::Entry* ExportTable::Look(uint64_t id, uint64_t incarnation) const {
  const auto entry = by_id_.find(id);
  if (entry == by_id_.end() || entry->second.incarnation != incarnation) return nullptr;
  return &entry->second;
}

absl::StatusOr<std::pair<Referent, ExportRoute>> ExportTable::Find(uint64_t id,
                                                                   uint64_t incarnation,
                                                                   uint64_t type) const {
  MutexLock lock(mutex_);
  const Entry* const entry = Look(id, incarnation);
  if (entry == nullptr) return NoSuchExport(id);
  absl::StatusOr<ExportRoute> route = entry->RouteFor(type);
  if (!route.ok()) return route.status();
  return std::pair(entry->who, *route);
}

absl::StatusOr<ExportTable::Entry> ExportTable::Get(uint64_t id, uint64_t incarnation) const {
  MutexLock lock(mutex_);
  const Entry* const entry = Look(id, incarnation);
  if (entry != nullptr) return *entry;
  if (id != 0 && id <= last_id_ && !by_id_.contains(id)) {
    return absl::NotFoundError(absl::StrCat("number ", id, " has been released"));
  }
  return NoSuchExport(id);
}

std::optional<ExportTable::Entry> ExportTable::Of(const Referent& who) const {
  MutexLock lock(mutex_);
  const auto id = ids_.find(who);
  if (id == ids_.end()) return std::nullopt;
  return by_id_.find(id->second)->second;
}

absl::StatusOr<Referent> ExportTable::Release(uint64_t id, uint64_t incarnation, uint64_t times) {
  MutexLock lock(mutex_);
  if (Look(id, incarnation) == nullptr) return Referent();
  Entry& entry = by_id_.find(id)->second;
  if (times == 0 || times > entry.given) {
    return absl::InvalidArgumentError(
        absl::StrCat("protocol: number ", id, " is released ", times, " times"));
  }
  entry.given -= times;
  const Referent who = entry.who;
  if (entry.given > 0) return who;
  ids_.erase(who);
  by_id_.erase(id);
  return Referent();
}

}  // namespace troupe::internal
