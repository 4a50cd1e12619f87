#include "troupe/actors/internal/timed_message.h"

#include <algorithm>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/timed_mail.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/timer_handle.h"

namespace troupe::internal {

TimedMessage::~TimedMessage() = default;

void TimedMessage::Start(Timers& timers, absl::Duration delay, absl::Duration period, AnyRef to,
                         AnyRef sender) {
  timers_ = &timers;
  period_ = period;
  to_ = to;
  sender_ = sender;
  due_ = timers.clock().Now() + std::max(delay, absl::ZeroDuration());
  try {
    timers.Arm(*this, due_);
  } catch (...) {  // no memory, or no thread for the system's first timer
    Release();     // the armed timer's
    throw;
  }
}

bool TimedMessage::Cancel() {
  if (done() || stopped_.exchange(true)) return false;
  const bool disarmed = timers_->Cancel(*this);
  if (disarmed) Finish();
  return disarmed || period_ > absl::ZeroDuration();
}

void TimedMessage::Release() {
  // acq_rel: what every other holder did happens before the destruction by the last one.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void TimedMessage::FireTimer(Timer& timer) { static_cast<TimedMessage&>(timer).Fire(); }

void TimedMessage::Fire() {
  const bool again = !stopped_.load() && Act() && period_ > absl::ZeroDuration();
  if (again) {
    Retain();  // once armed, a Cancel by another thread may give up that reference, and all others
    timers_->Arm(*this, due_);
    if (stopped_.load() && timers_->Cancel(*this)) Finish();  // T2
    return Release();
  }
  Finish();
}

// Gives up the reference of the timer that was armed or has fired.
void TimedMessage::Finish() {
  done_.store(true, std::memory_order_release);  // pairs with done()
  Release();
}

bool TimedMessage::Act() {
  if (!Send()) return false;
  // From the time it was due, so that the rate is kept; but periods that were missed altogether are
  // not made up for.
  const absl::Time now = Now();
  due_ += period_;
  if (due_ <= now) due_ = now + period_;
  return true;
}

bool WhenIdle::Act() {
  ActorCell& cell = *ActorCell::Of(sender());
  cell.space().RefreshCoarseClock();
  const ActorCell::Snapshot seen = cell.TakeSnapshot();
  if (seen.ref != sender()) return false;
  set_due(Now() + period());
  if (seen.running != nullptr || seen.has_news || seen.handled == told_at_) return true;
  const auto now_ms = static_cast<uint32_t>(cell.space().coarse_clock().NowMs());
  // A difference, since these wrap; negative, if the actor was woken just now.
  const auto idle = absl::Milliseconds(static_cast<int32_t>(now_ms - seen.taken_ms));
  if (idle < period()) {
    set_due(Now() + period() - std::max(idle, absl::ZeroDuration()));
    return true;
  }
  told_at_ = seen.handled + (to() == sender() ? 1 : 0);  // that message is no news
  return Send();
}

Envelope* TimedMessage::Next() {
  try {
    Envelope* const e = NextEnvelope();
    e->sender = sender_;
    return e;
  } catch (...) {
    return nullptr;
  }
}

bool TimedMail::Send() {
  Envelope* const e = Next();
  return e != nullptr && SendToMailbox(mailbox_, *e, /*may_block=*/false) != SendResult::kClosed;
}

bool TimedMessage::Send() {
  if (!to_) return false;
  Envelope* const e = Next();
  if (e == nullptr) return false;
  e->address |= ActorCell::IncarnationOf(to_);  // beside the flags
  return ActorCell::Post(to_, *e, PostMode::kNeverBlock) != SendResult::kClosed;
}

TimerHandle StartTimed(ActorSpace& space, TimedMessage* timed, absl::Duration delay,
                       absl::Duration period, const AnyRef& to, const AnyRef& sender) {
  TimerHandle handle(timed);
  timed->Start(space.timers(), delay, period, to, sender);
  return handle;
}

void RetainTimed(TimedMessage& timed) { timed.Retain(); }
void ReleaseTimed(TimedMessage& timed) { timed.Release(); }
bool CancelTimed(TimedMessage& timed) { return timed.Cancel(); }

OwnedTimers::Finished OwnedTimers::Add(TimedMessage& timed) {
  Finished finished;
  if (timers_.size() >= forget_at_) finished = ForgetFinished();
  timers_.push_back(&timed);
  timed.Retain();
  return finished;
}

OwnedTimers::Finished OwnedTimers::ForgetFinished() {
  auto first =
      std::partition(timers_.begin(), timers_.end(), [](TimedMessage* t) { return !t->done(); });
  Finished finished(first, timers_.end());
  timers_.erase(first, timers_.end());
  forget_at_ = std::max(kSmallest, 2 * timers_.size());
  return finished;
}

void OwnedTimers::Compact() {
  ForgetFinished();
  timers_.shrink_to_fit();
}

void OwnedTimers::CancelAll() {
  for (TimedMessage* timed : timers_) {
    timed->Cancel();
    timed->Release();
  }
  timers_.clear();
}

}  // namespace troupe::internal
