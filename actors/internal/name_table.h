// NameTable: the names of one System, and for each the actor that has it.
//
//   Operation       Who          Effect
//   Bind            any thread   give a name that nobody alive has
//   Rebind          any thread   give a name, whoever has it
//   Unbind          any thread   take a name away
//   Find            any thread   who has a name now, and his thunks for some messages
//   Slot            any thread   the routes of a name, for senders that come back
//
// A name's routes are a RouteTable in which the place of a route is its message type. Senders read
// it without a lock (T1 to T5 there); whoever uses a name as text takes the lock of this table.
//
// N1  Routes change under mutex_ only, so under mutex_ several looks see one binding.
// N2  Who holds a slot got it from Slot, under mutex_. So one that nobody else holds stays so while
//     mutex_ is held, and may be dropped if nobody alive has the name.
// N3  Names are dropped by Unbind, or by a sweep when there are twice as many as the last one left:
//     the table is at most twice as large as what was in use then, and a sweep costs each new name
//     a constant share.
#ifndef TROUPE_ACTORS_INTERNAL_NAME_TABLE_H_
#define TROUPE_ACTORS_INTERNAL_NAME_TABLE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/actors/internal/route_table.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class NameTable {
 public:
  absl::Status Bind(std::string_view name, const AnyRef& who, std::span<const PlacedThunk> routes);
  absl::Status Rebind(std::string_view name, const AnyRef& who,
                      std::span<const PlacedThunk> routes);
  bool Unbind(std::string_view name);
  // `thunks` gets one per message.
  absl::StatusOr<AnyRef> Find(std::string_view name, std::span<const MessageType> messages,
                              Thunk* thunks);
  std::shared_ptr<RouteTable> Slot(std::string_view name);

 private:
  using Routes = std::shared_ptr<RouteTable>;

  const Routes& SlotLocked(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Sweep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  std::map<std::string, Routes, std::less<>> names_ ABSL_GUARDED_BY(mutex_);
  size_t sweep_at_ ABSL_GUARDED_BY(mutex_) = 64;  // N3
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_NAME_TABLE_H_
