#include "troupe/actors/naming.h"

#include "troupe/actors/internal/actor_space.h"

namespace troupe::internal {

absl::Status BindName(ActorSpace& space, std::string_view name, const AnyRef& who,
                      std::span<const PlacedThunk> routes) {
  return space.name_table().Bind(name, who, routes);
}

absl::Status RebindName(ActorSpace& space, std::string_view name, const AnyRef& who,
                        std::span<const PlacedThunk> routes) {
  return space.name_table().Rebind(name, who, routes);
}

bool UnbindName(ActorSpace& space, std::string_view name) {
  return space.name_table().Unbind(name);
}

absl::StatusOr<AnyRef> FindName(ActorSpace& space, std::string_view name,
                                std::span<const MessageType> messages, Thunk* thunks) {
  return space.name_table().Find(name, messages, thunks);
}

std::shared_ptr<RouteTable> SlotOfName(ActorSpace& space, std::string_view name) {
  return space.name_table().Slot(name);
}

}  // namespace troupe::internal
