// Text from strangers: what may be said, and what of it may reach a terminal.
#ifndef TROUPE_EXAMPLES_CHAT_TEXT_H_
#define TROUPE_EXAMPLES_CHAT_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace chat {

inline constexpr size_t kMaxName = 20;    // bytes
inline constexpr size_t kMaxText = 1000;  // bytes

// Of nicknames and rooms: 1 to kMaxName letters, digits, '-' and '_' of ASCII, so that nobody looks like
// somebody else. `what` is the name of what it is.
absl::Status CheckName(std::string_view what, std::string_view name);
// Not blank, and not longer than kMaxText.
absl::Status CheckText(std::string_view text);

// The text with U+FFFD in place of all that a terminal would obey, or that turns the direction of the
// text around it, or is not UTF-8. A tab becomes a space.
std::string Printable(std::string_view text);

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_TEXT_H_
