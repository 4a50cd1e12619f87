// DeadLetterLog: the dead letters of a TestSystem that its test has not taken yet.
#ifndef TROUPE_TESTING_INTERNAL_DEAD_LETTER_LOG_H_
#define TROUPE_TESTING_INTERNAL_DEAD_LETTER_LOG_H_

#include <optional>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

// Thread safety: any thread, since messages are lost on the thread that sends them.
class DeadLetterLog {
 public:
  void Add(const DeadLetter& letter);
  std::optional<DeadLetter> TakeOldest(std::string_view message_type);
  std::vector<DeadLetter> TakeAll();
  std::vector<DeadLetter> letters() const;

 private:
  mutable Mutex mutex_;  // mutable: letters() takes it
  std::vector<DeadLetter> letters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe::internal

#endif  // TROUPE_TESTING_INTERNAL_DEAD_LETTER_LOG_H_
