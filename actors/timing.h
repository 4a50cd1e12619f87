// Timing: how System and Context send messages later.
#ifndef TROUPE_ACTORS_TIMING_H_
#define TROUPE_ACTORS_TIMING_H_

#include <algorithm>
#include <source_location>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/actors/timer_handle.h"

namespace troupe {

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
  // Sends `message` to `to`, an ActorRef or Recipient, after `delay`.
  template <class To, class M>
  TimerHandle SendAfter(absl::Duration delay, const To& to, M message,
                        std::source_location where = std::source_location::current()) {
    auto* timed = new internal::OneMessage<M>(internal::ThunkTo<M>(to), std::move(message), where);
    return owner().StartTimer(timed, delay, absl::ZeroDuration(), to);
  }
  // Every `period` (at least 1 ms), first after one period, a copy of `message`, until
  // cancelled, or `to` has ended, or copying throws.
  template <class To, class M>
  TimerHandle SendEvery(absl::Duration period, const To& to, M message,
                        std::source_location where = std::source_location::current()) {
    auto* timed =
        new internal::RepeatedMessage<M>(internal::ThunkTo<M>(to), std::move(message), where);
    period = std::max(period, internal::kShortestPeriod);
    return owner().StartTimer(timed, period, period, to);
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
