// DriverSeat: the place of a scheduler's IoDrivers, and of the worker that waits in the first of them.
//
//   Operation   Who                                Effect
//   Attach      any thread                         the driver is there, behind those that are
//   Detach      whoever attached, not in Serve     it is not any more, and nobody is in it
//   Take        a worker without work              the first driver, to call Serve once; nullptr: none, or taken
//   MayWait     the same, in Serve's `begin`       false: the driver is about to go
//   Leave       the same, after Serve              gives it back
//   Interrupt   who has unparked that worker       the worker leaves it soon
//
// D1  A worker is in the driver between Take and Leave, one at a time; Detach waits until it is in another, or in
//     none. So Serve and Interrupt never meet a driver that is gone.
// D2  A worker says in its parker that it is elsewhere when the driver has let it in (Serve's `begin`), not before,
//     or what calls it back might meet somebody else who serves; and takes that back before Leave. Whoever unparks
//     it between finds that out and calls Interrupt; it is still in the driver then, which returns.
// D3  For the same reason `begin` asks MayWait: a Detach before that needs no Interrupt, and one after it calls one.
//     The model is tests/models/io_driver.pml.
#ifndef TROUPE_RUNTIME_INTERNAL_DRIVER_SEAT_H_
#define TROUPE_RUNTIME_INTERNAL_DRIVER_SEAT_H_

#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "troupe/core/event_count.h"
#include "troupe/core/io_driver.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class DriverSeat {
 public:
  void Attach(IoDriver& driver) {
    const MutexLock lock(mutex_);
    IoDriver** last = &first_;
    while (*last != nullptr) last = &(*last)->next;
    *last = &driver;
    Changed();
  }

  void Detach(IoDriver& driver) {
    {
      const MutexLock lock(mutex_);
      for (IoDriver** at = &first_; *at != nullptr; at = &(*at)->next) {
        if (*at != &driver) continue;
        *at = std::exchange(driver.next, nullptr);
        break;
      }
      if (in_use_ == &driver) driver.Interrupt();  // D3
      Changed();
    }
    left_.Await([&] {
      const MutexLock lock(mutex_);
      return in_use_ != &driver;
    });
  }

  IoDriver* Take() {
    if (!is_free()) return nullptr;
    const MutexLock lock(mutex_);
    if (in_use_ != nullptr) return nullptr;
    in_use_ = first_;
    Changed();
    return in_use_;
  }

  bool MayWait() {
    const MutexLock lock(mutex_);
    return first_ == in_use_;
  }

  void Leave() {
    bool stays;
    {
      const MutexLock lock(mutex_);
      stays = first_ == in_use_;
      in_use_ = nullptr;
      Changed();
    }
    if (!stays) left_.NotifyAll();
  }

  void Interrupt() {
    const MutexLock lock(mutex_);
    if (in_use_ != nullptr) in_use_->Interrupt();
  }

  // A hint: Take may succeed. Relaxed, since it looks again.
  bool is_free() const { return is_free_.load(std::memory_order_relaxed); }

 private:
  void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    is_free_.store(in_use_ == nullptr && first_ != nullptr, std::memory_order_relaxed);
  }

  std::atomic<bool> is_free_{false};
  Mutex mutex_;
  IoDriver* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
  IoDriver* in_use_ ABSL_GUARDED_BY(mutex_) = nullptr;
  EventCount left_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_DRIVER_SEAT_H_
