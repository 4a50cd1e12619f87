#include "troupe/runtime/bridges/schema.h"

#include <charconv>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace troupe {
namespace {

struct Line {
  absl::string_view path;
  absl::string_view kind;
};

// Names of messages have "::" in them, but no ": ".
absl::StatusOr<std::vector<Line>> Parse(std::string_view schema) {
  std::vector<Line> lines;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(schema.data(), schema.size()), '\n', absl::SkipEmpty())) {
    const size_t colon = line.find(": ");
    if (colon == absl::string_view::npos || colon == 0) {
      return absl::InvalidArgumentError(absl::StrCat("no line of a schema: ", line));
    }
    lines.push_back({line.substr(0, colon), line.substr(colon + 2)});
  }
  return lines;
}

// "int32" is prefix "int" and 32.
std::optional<int> NumberBehind(absl::string_view prefix, absl::string_view text) {
  if (!absl::ConsumePrefix(&text, prefix)) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool MayBecome(absl::string_view before, absl::string_view after) {
  if (before == after || (before == "float" && after == "double")) return true;
  // Of an array those elements that are missing stay what they were.
  for (const char* prefix : {"int", "uint", "array "}) {
    const auto from = NumberBehind(prefix, before);
    const auto to = NumberBehind(prefix, after);
    if (from && to) return *from <= *to;
  }
  const auto from = NumberBehind("uint", before);
  const auto to = NumberBehind("int", after);
  return from && to && *from < *to;
}

}  // namespace

absl::Status CheckSchema(std::string_view before, std::string_view after) {
  const auto old_lines = Parse(before);
  const auto new_lines = Parse(after);
  if (!old_lines.ok()) return old_lines.status();
  if (!new_lines.ok()) return new_lines.status();
  absl::flat_hash_map<absl::string_view, absl::string_view> now;
  for (const Line& line : *new_lines) now.emplace(line.path, line.kind);
  std::vector<std::string> wrong;
  for (const Line& line : *old_lines) {
    const auto found = now.find(line.path);
    if (found == now.end()) {
      wrong.push_back(absl::StrCat(line.path, ": ", line.kind, " is gone"));
    } else if (!MayBecome(line.kind, found->second)) {
      wrong.push_back(absl::StrCat(line.path, ": ", line.kind, " has become ", found->second));
    }
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrJoin(wrong, "\n"));
}

}  // namespace troupe
