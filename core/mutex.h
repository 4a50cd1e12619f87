// Mutex: std::mutex with clang's thread-safety annotations, so that ABSL_GUARDED_BY is checked by
// the compiler. (libstdc++'s own std::mutex carries none; leveldb's port::Mutex exists for the same
// reason.)
//
//   Mutex mutex_;
//   int count_ ABSL_GUARDED_BY(mutex_);
//   ...
//   MutexLock lock(mutex_);
//   ++count_;

#ifndef TROUPE_CORE_MUTEX_H_
#define TROUPE_CORE_MUTEX_H_

#include <mutex>

#include "absl/base/thread_annotations.h"

namespace troupe {

class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;  // constexpr: a constinit global may hold one
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace troupe

#endif  // TROUPE_CORE_MUTEX_H_
