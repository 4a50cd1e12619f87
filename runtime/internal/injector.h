// Injector: the run queue of work that comes from outside the workers, or that a worker's own queue
// has no room for.
//
// First in, first out, behind a lock: it is off the usual path. `empty` is one load, so workers can
// look often.
//
//   Operation   Who          Effect
//   Push        any thread   append one
//   PushAll     any thread   append several at the price of one lock
//   Pop         any thread   the oldest or nullptr
//   empty       any thread   a snapshot
#ifndef TROUPE_RUNTIME_INTERNAL_INJECTOR_H_
#define TROUPE_RUNTIME_INTERNAL_INJECTOR_H_

#include <atomic>
#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "troupe/core/mutex.h"
#include "troupe/core/runnable.h"

namespace troupe::internal {

class Injector {
 public:
  void Push(Runnable& r) {
    MutexLock lock(mutex_);
    Append(r);
  }

  template <class Iterator>
  void PushAll(Iterator begin, Iterator end) {
    MutexLock lock(mutex_);
    for (; begin != end; ++begin) Append(**begin);
  }

  Runnable* Pop() {
    if (empty()) return nullptr;
    MutexLock lock(mutex_);
    Runnable* r = first_;
    if (r == nullptr) return nullptr;
    first_ = r->next;
    if (first_ == nullptr) last_ = nullptr;
    size_.fetch_sub(1);
    return r;
  }

  bool empty() const { return size() == 0; }
  size_t size() const { return size_.load(); }

 private:
  void Append(Runnable& r) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    r.next = nullptr;
    if (last_ == nullptr) {
      first_ = &r;
    } else {
      last_->next = &r;
    }
    last_ = &r;
    size_.fetch_add(1);
  }

  Mutex mutex_;
  Runnable* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Runnable* last_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::atomic<size_t> size_{0};
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_INJECTOR_H_
