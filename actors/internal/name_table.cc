#include "troupe/actors/internal/name_table.h"

#include <algorithm>
#include <utility>

namespace troupe::internal {
namespace {

std::string Quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

// All() leaves out who has ended: this is where that is noticed.
bool IsFree(RouteTable& routes) { return routes.All(0).empty(); }

absl::Status Check(std::string_view name, const AnyRef& who) {
  if (name.empty()) return absl::InvalidArgumentError("Troupe: a name must not be empty");
  if (!who) return absl::InvalidArgumentError("Troupe: nobody cannot have a name; see Unbind");
  return absl::OkStatus();
}

}  // namespace

absl::Status NameTable::Bind(std::string_view name, const AnyRef& who,
                             std::span<const PlacedThunk> routes) {
  if (absl::Status wrong = Check(name, who); !wrong.ok()) return wrong;
  MutexLock lock(mutex_);
  const Routes& slot = SlotLocked(name);
  if (!IsFree(*slot)) return absl::AlreadyExistsError("Troupe: " + Quoted(name) + " is bound");
  slot->Assign(who, routes);
  return absl::OkStatus();
}

absl::Status NameTable::Rebind(std::string_view name, const AnyRef& who,
                               std::span<const PlacedThunk> routes) {
  if (absl::Status wrong = Check(name, who); !wrong.ok()) return wrong;
  MutexLock lock(mutex_);
  SlotLocked(name)->Assign(who, routes);
  return absl::OkStatus();
}

bool NameTable::Unbind(std::string_view name) {
  MutexLock lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end()) return false;
  RouteTable& routes = *found->second;
  const bool was_bound = !IsFree(routes);
  routes.Assign(AnyRef(), {});
  if (found->second.use_count() == 1) names_.erase(found);  // N2
  return was_bound;
}

absl::StatusOr<AnyRef> NameTable::Find(std::string_view name, std::span<const MessageType> messages,
                                       Thunk* thunks) {
  MutexLock lock(mutex_);  // N1
  const auto found = names_.find(name);
  if (found == names_.end() || IsFree(*found->second)) {
    return absl::NotFoundError("Troupe: nobody has the name " + Quoted(name));
  }
  AnyRef who;
  for (const MessageType message : messages) {
    const Route route = found->second->At(PlaceOf(message));
    if (!route.to) {
      return absl::FailedPreconditionError("Troupe: " + Quoted(name) + " is not bound for " +
                                           std::string(*message));
    }
    who = route.to;
    *thunks++ = route.thunk;
  }
  return who;
}

std::shared_ptr<RouteTable> NameTable::Slot(std::string_view name) {
  if (name.empty()) return nullptr;
  MutexLock lock(mutex_);
  return SlotLocked(name);
}

const NameTable::Routes& NameTable::SlotLocked(std::string_view name) {
  if (const auto found = names_.find(name); found != names_.end()) return found->second;
  if (names_.size() >= sweep_at_) Sweep();
  return names_.emplace(name, std::make_shared<RouteTable>(RoutingPlan(), 1)).first->second;
}

void NameTable::Sweep() {
  std::erase_if(names_, [](const auto& entry) {
    return entry.second.use_count() == 1 && IsFree(*entry.second);  // N2
  });
  sweep_at_ = std::max<size_t>(64, 2 * names_.size());
}

}  // namespace troupe::internal
