#include "examples/chat/text.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace chat {
namespace {

constexpr char32_t kNone = 0xFFFD;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The first character and its length; kNone and 1 for a byte that begins none (Unicode, table 3-7).
std::pair<char32_t, size_t> First(std::string_view text) {
  constexpr char32_t kSmallest[] = {0x80, 0x800, 0x10000};
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {kNone, 1};
  char32_t c = lead & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xC0) != 0x80) return {kNone, 1};
    c = c << 6 | (next & 0x3F);
  }
  const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
  if (c < kSmallest[size - 2] || c > 0x10FFFF || surrogate) return {kNone, 1};
  return {c, size};
}

bool IsObeyed(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0)  // control characters, C0 and C1
         || c == 0x200E || c == 0x200F        // marks of direction
         || (c >= 0x2028 && c <= 0x202E)      // ends of lines, embeddings, overrides
         || (c >= 0x2066 && c <= 0x2069);     // isolates
}

}  // namespace

absl::Status CheckName(std::string_view what, std::string_view name) {
  const bool good = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
  if (good && !name.empty() && name.size() <= kMaxName) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), " has 1 to ", kMaxName, " letters, digits, '-' and '_'"));
}

absl::Status CheckText(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), absl::ascii_isspace)) {
    return absl::InvalidArgumentError("there is nothing to say");
  }
  if (text.size() <= kMaxText) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("too long: a message has at most ", kMaxText, " bytes"));
}

std::string Printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const auto [c, size] = First(text);
    if (c == '\t') {
      clean += ' ';
    } else if (c == kNone || IsObeyed(c)) {
      clean += kReplacement;
    } else {
      clean += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return clean;
}

}  // namespace chat
