// DriverSeat: the place of a scheduler's one IoDriver, and of the worker that waits in it.
//
//   Operation   Who                                Effect
//   Attach      any thread                         the driver is there; false: there is one already
//   Detach      whoever attached, not in Serve     it is not any more, and nobody is in it
//   Take        a worker without work              the driver, to call Serve once; nullptr: none, or taken
//   Leave       the same, after Serve              gives it back
//   Interrupt   who has unparked that worker       the worker leaves it soon
//
// D1  A worker is in the driver between Take and Leave, one at a time; Detach waits until there is none. So Serve
//     and Interrupt never meet a driver that is gone.
// D2  A worker says in its parker that it is elsewhere when the driver has let it in (Serve's `begin`), not before,
//     or what calls it back might meet somebody else who serves; and takes that back before Leave. Whoever unparks
//     it between finds that out and calls Interrupt; it is still in the driver then, which returns.
//     The model is tests/models/io_driver.pml.
#ifndef TROUPE_RUNTIME_INTERNAL_DRIVER_SEAT_H_
#define TROUPE_RUNTIME_INTERNAL_DRIVER_SEAT_H_

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "troupe/core/event_count.h"
#include "troupe/core/io_driver.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class DriverSeat {
 public:
  bool Attach(IoDriver& driver) {
    const MutexLock lock(mutex_);
    if (driver_ != nullptr) return false;
    driver_ = &driver;
    attached_.store(true, std::memory_order_relaxed);  // a hint: Take looks again
    return true;
  }

  void Detach(IoDriver& driver) {
    {
      const MutexLock lock(mutex_);
      if (driver_ != &driver) return;
      driver_ = nullptr;
      attached_.store(false, std::memory_order_relaxed);
      if (in_use_ != nullptr) in_use_->Interrupt();
    }
    left_.Await([this] {
      const MutexLock lock(mutex_);
      return in_use_ == nullptr;
    });
  }

  IoDriver* Take() {
    if (!attached_.load(std::memory_order_relaxed)) return nullptr;
    const MutexLock lock(mutex_);
    if (in_use_ != nullptr) return nullptr;
    return in_use_ = driver_;
  }

  void Leave() {
    {
      const MutexLock lock(mutex_);
      in_use_ = nullptr;
      if (driver_ != nullptr) return;
    }
    left_.NotifyAll();
  }

  void Interrupt() {
    const MutexLock lock(mutex_);
    if (in_use_ != nullptr) in_use_->Interrupt();
  }

 private:
  std::atomic<bool> attached_{false};
  Mutex mutex_;
  IoDriver* driver_ ABSL_GUARDED_BY(mutex_) = nullptr;
  IoDriver* in_use_ ABSL_GUARDED_BY(mutex_) = nullptr;
  EventCount left_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_DRIVER_SEAT_H_
