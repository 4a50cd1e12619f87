// What tests of nodes wait for, and write down.
#ifndef TROUPE_TESTS_BRIDGES_WATCHING_H_
#define TROUPE_TESTS_BRIDGES_WATCHING_H_

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "troupe/core/mutex.h"

namespace troupe {

// As a guard against hanging only.
inline constexpr absl::Duration kLong = absl::Seconds(60);

// True: `done` was soon. As a guard, false.
template <class Done>
bool Eventually(Done done) {
  const absl::Time end = absl::Now() + kLong;
  while (!done()) {
    if (absl::Now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// What a subscriber has been told. From any thread.
class Log {
 public:
  std::vector<std::string> entries() const {
    const MutexLock lock(mutex_);
    return entries_;
  }
  void Add(std::string entry) {
    const MutexLock lock(mutex_);
    entries_.push_back(std::move(entry));
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BRIDGES_WATCHING_H_
