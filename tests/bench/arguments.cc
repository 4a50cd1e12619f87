#include "troupe/tests/bench/arguments.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace troupe::bench {
namespace {

bool ParsePositive(std::string_view text, int64_t& value) {
  return absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &value) && value > 0;
}

bool IsCount(const std::string& key) {
  return key == "workers" || key == "seconds" || key == "neighbour" || key == "handler_us";
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    int64_t number = 0;
    if (equals == std::string::npos) {
      if (!ParsePositive(word, number)) {
        return absl::InvalidArgumentError(absl::StrCat("not a positive number: ", word));
      }
      arguments.numbers_.push_back(number);
      continue;
    }
    const std::string key = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (IsCount(key) && (!ParsePositive(value, number) || number > 1024)) {
      return absl::InvalidArgumentError(absl::StrCat("not a number from 1 to 1024: ", word));
    }
    if (!arguments.options_.emplace(key, value).second) {
      return absl::InvalidArgumentError(absl::StrCat("given twice: ", key));
    }
  }
  return arguments;
}

absl::Status Arguments::Allow(size_t most, std::initializer_list<std::string_view> known) const {
  if (numbers_.size() > most) {
    return absl::InvalidArgumentError(absl::StrCat("at most ", most, " number(s) are understood"));
  }
  for (const auto& [key, value] : options_) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat("unknown option: ", key));
    }
  }
  return absl::OkStatus();
}

int64_t Arguments::Number(size_t position, int64_t fallback) {
  if (position >= numbers_.size()) numbers_.resize(position + 1, fallback);
  return numbers_[position];
}

int64_t Arguments::NumberOption(const std::string& key, int64_t fallback) const {
  const auto found = options_.find(key);
  int64_t value = fallback;
  if (found != options_.end()) ParsePositive(found->second, value);
  return value;
}

std::string Arguments::Option(const std::string& key, const std::string& fallback) const {
  const auto found = options_.find(key);
  return found == options_.end() ? fallback : found->second;
}

std::string Arguments::Numbers() const { return absl::StrJoin(numbers_, ","); }

}  // namespace troupe::bench
