#include "troupe/actors/internal/caretaker.h"

#include <stdexcept>
#include <utility>

#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/deferred_messages.h"
#include "troupe/actors/internal/spawn.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/mailbox.h"

namespace troupe::internal {
namespace {

ActorSpace* HomeOf(const Guarded& guarded) {
  return guarded.mailbox.cell != nullptr ? &guarded.mailbox.cell->space() : SpaceOf(guarded.actor);
}

}  // namespace

AnyRef SpawnCaretaker(const Guarded& guarded, std::vector<Thunk> thunks,
                      const RightLimits& limits) {
  if (limits.messages == 0 || limits.per <= absl::ZeroDuration()) {
    throw std::invalid_argument(
        "Troupe: a right is for at least 1 message, in a span longer than zero");
  }
  ActorSpace* const space = HomeOf(guarded);
  if (space == nullptr) return AnyRef();
  return SpawnActor<Caretaker>(*space, nullptr, nullptr, guarded, std::move(thunks), limits);
}

absl::Time ExpiryOf(const Guarded& guarded, absl::Duration after) {
  ActorSpace* const space = HomeOf(guarded);
  return space != nullptr ? space->timers().clock().Now() + after : absl::InfinitePast();
}

void Caretaker::OnStart(Context& self) {
  if (limits_.messages != kUnlimited) passed_.emplace();
  if (guarded_.actor) {
    self.Watch(guarded_.actor);
  } else {
    PendingClose(guarded_.mailbox, absl::InfiniteDuration())
        .Then(self, [](absl::Status, Context& here) { here.Stop(); });
  }
  if (limits_.expires != absl::InfiniteFuture()) {
    self.SendAfter(limits_.expires - self.Now(), self.ref(this), Expired{});
  }
}

void Caretaker::On(Expired, Context& self) { self.Stop(); }

// The end of the receiver is the end of the right. Others may have linked themselves to it: they do
// not matter.
void Caretaker::On(Down down, Context& self) {
  if (down.who != guarded_.actor) return;
  if (down.reason != ExitReason::kFailed) return self.Stop();
  self.Fail(std::move(down.status));
}

void Caretaker::Pass(Envelope& e, size_t which, Context& self) {
  ActorCell& me = *ActorCell::Current();
  if (me.HasControl()) [[unlikely]] {  // G1
    DeferredMessages again;
    again.Append(e);
    me.KeepQueued();
    return me.PutBack(again);
  }
  const bool timed = passed_.has_value() || limits_.expires != absl::InfiniteFuture();
  const absl::Time now = timed ? self.Now() : absl::Time();
  if (timed && now >= limits_.expires) {  // G2
    self.Stop();
    return me.space().Lose(e, DeadLetterReason::kStopped, me.ref());
  }
  if (!Admit(now)) return me.space().Lose(e, DeadLetterReason::kFull, me.ref());
  GoOn(e, thunks_[which]);
}

// To wait for room would hold up all who come after; so a full receiver refuses.
void Caretaker::GoOn(Envelope& e, Thunk thunk) {
  e.thunk = thunk;
  if (guarded_.mailbox.cell != nullptr) {
    e.address = 0;
    SendToMailbox(guarded_.mailbox, e, /*may_block=*/false);
    return;
  }
  e.address = ActorCell::IncarnationOf(guarded_.actor) | (e.address & kAddressFlags);
  ActorCell::Post(guarded_.actor, e, PostMode::kNeverBlock);
}

// A sliding window: amortised O(1).
bool Caretaker::Admit(absl::Time now) {
  if (!passed_.has_value()) return true;
  while (!passed_->empty() && now - passed_->front() >= limits_.per) passed_->pop_front();
  if (passed_->size() >= limits_.messages) return false;
  passed_->push_back(now);
  return true;
}

}  // namespace troupe::internal
