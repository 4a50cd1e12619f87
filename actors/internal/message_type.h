// MessageType: the identity of a message type while the program runs; the same in every translation
// unit. What it points to is what the type is called.
#ifndef TROUPE_ACTORS_INTERNAL_MESSAGE_TYPE_H_
#define TROUPE_ACTORS_INTERNAL_MESSAGE_TYPE_H_

#include <bit>
#include <cstdint>
#include <string_view>

#include "troupe/core/type_name.h"

namespace troupe::internal {

using MessageType = const std::string_view*;

// Inline: one object per type in the program, and so one address. By address, and not by text: types
// of the same name in two unnamed namespaces are two.
template <class M>
inline constexpr std::string_view kMessageName = TypeName<M>();

template <class M>
constexpr MessageType MessageTypeFor() {
  return &kMessageName<M>;
}

// In a RouteTable whose routes lie by message type.
inline uint64_t PlaceOf(MessageType message) { return std::bit_cast<uint64_t>(message); }

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MESSAGE_TYPE_H_
