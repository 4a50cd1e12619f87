// Timing: how System and Context send messages later.
#ifndef TROUPE_ACTORS_TIMING_H_
#define TROUPE_ACTORS_TIMING_H_

#include <algorithm>
#include <source_location>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/timer_handle.h"

namespace troupe {

namespace internal {
// How a timer reaches a To.
template <class To>
struct TimedFor {  // specialised for a Sender: timed_mail.h
  template <class M>
  static TimedMessage* Once(const To& to, M message, std::source_location where) {
    return new OneMessage<M>(ThunkTo<M>(to), std::move(message), where);
  }
  template <class M>
  static TimedMessage* Repeated(const To& to, M message, std::source_location where) {
    return new RepeatedMessage<M>(ThunkTo<M>(to), std::move(message), where);
  }
  static AnyRef Who(const To& to) { return to; }
};
}  // namespace internal

// A timer belongs to whose function it was: an actor's (Context) is cancelled when the actor ends, a
// system's by Shutdown. It never blocks: if the mailbox is full when the message is due, that is a
// dead letter.
//
//   self.SendAfter(absl::Seconds(5), self.ref(this), Expired{});
//
// Thread safety  As the System, or the Context. The TimerHandle may be used by any thread.
template <class Owner>
class Timing {
 public:
  // Sends `message` to `to`, an ActorRef, a Recipient, or the Sender of a mailbox, after `delay`.
  template <class To, class M>
  TimerHandle SendAfter(absl::Duration delay, const To& to, M message,
                        std::source_location where = std::source_location::current()) {
    using Timed = internal::TimedFor<To>;
    return owner().StartTimer(Timed::Once(to, std::move(message), where), delay,
                              absl::ZeroDuration(), Timed::Who(to));
  }
  // Every `period` (at least 1 ms), first after one period, a copy of `message`, until
  // cancelled, or `to` has ended (is closed), or copying throws.
  template <class To, class M>
  TimerHandle SendEvery(absl::Duration period, const To& to, M message,
                        std::source_location where = std::source_location::current()) {
    using Timed = internal::TimedFor<To>;
    auto* timed = Timed::Repeated(to, std::move(message), where);
    period = std::max(period, internal::kShortestPeriod);
    return owner().StartTimer(timed, period, period, Timed::Who(to));
  }

 protected:
  Timing() = default;
  Timing(const Timing&) = default;
  Timing& operator=(const Timing&) = default;
  ~Timing() = default;

 private:
  Owner& owner() { return static_cast<Owner&>(*this); }
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_TIMING_H_
