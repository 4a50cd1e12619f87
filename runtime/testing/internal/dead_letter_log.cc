#include "troupe/testing/internal/dead_letter_log.h"

#include <algorithm>
#include <utility>

namespace troupe::internal {

void DeadLetterLog::Add(const DeadLetter& letter) {
  MutexLock lock(mutex_);
  letters_.push_back(letter);
}

std::optional<DeadLetter> DeadLetterLog::TakeOldest(std::string_view message_type) {
  MutexLock lock(mutex_);
  const auto found =
      std::ranges::find(letters_, message_type, [](const DeadLetter& d) { return d.message_type; });
  if (found == letters_.end()) return std::nullopt;
  DeadLetter letter = *found;
  letters_.erase(found);
  return letter;
}

std::vector<DeadLetter> DeadLetterLog::TakeAll() {
  MutexLock lock(mutex_);
  return std::exchange(letters_, {});
}

std::vector<DeadLetter> DeadLetterLog::letters() const {
  MutexLock lock(mutex_);
  return letters_;
}

}  // namespace troupe::internal
