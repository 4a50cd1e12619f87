// TimerHandle: the way to take back a SendAfter or SendEvery.
#ifndef TROUPE_ACTORS_TIMER_HANDLE_H_
#define TROUPE_ACTORS_TIMER_HANDLE_H_

#include <utility>

namespace troupe {

namespace internal {
class TimedMessage;  // timed_message.h
void RetainTimed(TimedMessage& timed);
void ReleaseTimed(TimedMessage& timed);
bool CancelTimed(TimedMessage& timed);
}  // namespace internal

// A value; copies refer to the same timer. Letting go of the handle does not cancel.
// Thread safety: any thread, one at a time per handle. Use it only while the System lives.
class TimerHandle {
 public:
  TimerHandle() = default;  // refers to no timer; Cancel says false
  TimerHandle(const TimerHandle& other) : timed_(other.timed_) {
    if (timed_ != nullptr) internal::RetainTimed(*timed_);
  }
  TimerHandle(TimerHandle&& other) noexcept : timed_(std::exchange(other.timed_, nullptr)) {}
  TimerHandle& operator=(TimerHandle other) noexcept {
    std::swap(timed_, other.timed_);
    return *this;
  }
  ~TimerHandle() {
    if (timed_ != nullptr) internal::ReleaseTimed(*timed_);
  }

  // True if this call stopped something: no message will be sent after it returns, but for one that
  // the timer was in the act of sending; and one that was sent before may still be in the receiver's
  // mailbox. False if the timer had fired for the last time, or was cancelled already.
  bool Cancel() { return timed_ != nullptr && internal::CancelTimed(*timed_); }

  // For the framework: takes over one reference.
  explicit TimerHandle(internal::TimedMessage* timed) : timed_(timed) {}

 private:
  internal::TimedMessage* timed_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_TIMER_HANDLE_H_
