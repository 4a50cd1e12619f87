// ThreadGroup: threads that are started at any time and joined together, by a deadline.
#ifndef TROUPE_RUNTIME_INTERNAL_THREAD_GROUP_H_
#define TROUPE_RUNTIME_INTERNAL_THREAD_GROUP_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/core/event_count.h"
#include "troupe/core/futex.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class ThreadGroup {
 public:
  ThreadGroup() = default;
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;
  ~ThreadGroup();  // leaves behind whoever has not been joined

  // Any thread. Throws std::system_error.
  void Start(const std::string& name, std::function<void()> body);

  // One thread, once. Waits for every thread to end; those that have not by the deadline are
  // detached. True: all were joined.
  bool Join(SteadyTime deadline);

 private:
  struct Member {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> ended;
  };

  std::shared_ptr<EventCount> changed_ =
      std::make_shared<EventCount>();  // a left-behind thread still notifies it
  Mutex mutex_;
  std::vector<Member> members_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_THREAD_GROUP_H_
