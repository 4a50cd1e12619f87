// TimedMessage: a message that a timer will send, once or every period.
//
// References: one for the handle, one while armed or firing, one for the owner's list (OwnedTimers).
// T1  stopped_ is set once; after the thread that set it returns from Cancel no further message is
//     sent, but for one that another thread is in the act of sending.
// T2  Fire arms again and then looks at stopped_; Cancel sets stopped_ and then disarms. Both go
//     through the lock of Timers, so a Cancel between the two is seen by one of them, and the armed
//     reference is given up once.
#ifndef TROUPE_ACTORS_INTERNAL_TIMED_MESSAGE_H_
#define TROUPE_ACTORS_INTERNAL_TIMED_MESSAGE_H_

#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <source_location>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/timer_handle.h"
#include "troupe/core/timers.h"

namespace troupe::internal {

// A repeated message that fires more often than this would do nothing else.
inline constexpr absl::Duration kShortestPeriod = absl::Milliseconds(1);

class TimedMessage : public Timer {
 public:
  virtual ~TimedMessage();

  // Arms it for the first time. `to` is who gets the messages; sender is who asked for them.
  void Start(Timers& timers, absl::Duration delay, absl::Duration period, AnyRef to, AnyRef sender);
  bool Cancel();
  bool done() const {
    return done_.load(std::memory_order_acquire);
  }  // acquire: pairs with the release that set it

  void Retain() {
    references_.fetch_add(1, std::memory_order_relaxed);
  }  // relaxed: the caller has a reference
  void Release();

 protected:
  TimedMessage() : Timer(&FireTimer) {}
  virtual Envelope* NextEnvelope() = 0;  // the message to send now
  // What happens when it is due; and says when next, if there is a period. False: never.
  virtual bool Act();

  virtual bool Send();  // false: the receiver has ended, or copying threw
  Envelope* Next();     // nullptr: copying threw, and there is nobody here to tell
  const AnyRef& to() const { return to_; }
  const AnyRef& sender() const { return sender_; }
  absl::Duration period() const { return period_; }
  absl::Time Now() const { return timers_->clock().Now(); }
  void set_due(absl::Time due) { due_ = due; }

 private:
  static void FireTimer(Timer& timer);
  void Fire();
  void Finish();

  std::atomic<uint32_t> references_{2};  // the handle's and the armed timer's
  std::atomic<bool> stopped_{false};
  std::atomic<bool> done_{false};
  Timers* timers_ = nullptr;
  absl::Duration period_ = absl::ZeroDuration();  // zero: once
  absl::Time due_;
  AnyRef to_;
  AnyRef sender_;
};

template <class To>
struct TimedFor;  // timing.h

// Of a message that is for the framework: a full mailbox must not refuse it.
template <class M>
inline constexpr bool kNeedsNoRoom = false;

// `Base` is TimedMessage or a class derived from it, which is made of `base`.
template <class M, class Base = TimedMessage>
class OneMessage final : public Base {
 public:
  template <class... Parts>
  OneMessage(Thunk thunk, M message, std::source_location where, const Parts&... base)
      : Base(base...), envelope_(EnvelopeOf<M>::Make(thunk, std::move(message), where)) {
    if constexpr (kNeedsNoRoom<M>) envelope_->address = kExempt;
  }
  ~OneMessage() override {
    if (envelope_ != nullptr) Discard(*envelope_, Lost::kReplyDropped);
  }

 private:
  Envelope* NextEnvelope() override { return std::exchange(envelope_, nullptr); }

  Envelope* envelope_;
};

template <class Message>
constexpr void RefuseToCopy() {
  static_assert(kMessage<Message>, TROUPE_ERROR_MESSAGE_NOT_COPYABLE);
}

// `Base` as above.
template <class M, class Base = TimedMessage>
class RepeatedMessage final : public Base {
 public:
  template <class... Parts>
  RepeatedMessage(Thunk thunk, M message, std::source_location where, const Parts&... base)
      : Base(base...), thunk_(thunk), message_(std::move(message)), where_(where) {
    if constexpr (!std::copy_constructible<M>) RefuseToCopy<M>();
  }

 private:
  Envelope* NextEnvelope() override {
    if constexpr (std::copy_constructible<M>) {
      return EnvelopeOf<M>::Make(thunk_, M(message_), where_);
    } else {
      return nullptr;  // refused by the constructor
    }
  }

  Thunk thunk_;
  const M message_;
  std::source_location where_;
};

// Sends when the actor that asked for it, its sender, has been idle for a period: once, until it has
// been busy again. It looks at what the actor's cell says of itself, and does not wake the actor for
// it: so neither the path of a message nor the run loop knows of it.
class WhenIdle : public TimedMessage {
 private:
  bool Act() override;

  uint64_t told_at_ = ~uint64_t{0};  // how many messages the actor had handled then
};

// The timers that end with somebody: an actor, or the system. Finished ones are forgotten when the
// list has doubled, so it holds at most twice as many as are pending, plus a few. Not thread safe.
class OwnedTimers {
 public:
  OwnedTimers() = default;
  OwnedTimers(const OwnedTimers&) = delete;
  OwnedTimers& operator=(const OwnedTimers&) = delete;
  ~OwnedTimers() { CancelAll(); }

  // Timers that have finished, to be released where a message's destructor does no harm.
  struct Release {
    void operator()(TimedMessage* timed) const { timed->Release(); }
  };
  using Finished = std::vector<std::unique_ptr<TimedMessage, Release>>;

  Finished Add(TimedMessage& timed);
  void CancelAll();
  void Compact();
  void Swap(OwnedTimers& other) {
    timers_.swap(other.timers_);
    std::swap(forget_at_, other.forget_at_);
  }

 private:
  static constexpr size_t kSmallest = 16;

  Finished ForgetFinished();

  std::vector<TimedMessage*> timers_;
  size_t forget_at_ = kSmallest;
};

class ActorSpace;

// Arms it with the space's timers; the handle takes over the first reference.
TimerHandle StartTimed(ActorSpace& space, TimedMessage* timed, absl::Duration delay,
                       absl::Duration period, const AnyRef& to, const AnyRef& sender);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_TIMED_MESSAGE_H_
