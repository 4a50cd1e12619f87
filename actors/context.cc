#include "troupe/actors/context.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/control.h"
#include "troupe/actors/internal/down_message.h"

namespace troupe {

AnyRef Context::self() const { return cell_.ref(); }
void* Context::actor() const { return cell_.actor(); }
internal::ActorSpace& Context::space() const { return cell_.space(); }
absl::Time Context::Now() const { return space().timers().clock().Now(); }

EventStream& Context::events() const { return space().events(); }

void Context::BeginBlocking() { cell_.BeginBlocking(); }

void Context::Stop() { cell_.End(ExitReason::kNormal, absl::OkStatus()); }

void Context::Fail(absl::Status status) {
  if (status.ok()) status = absl::UnknownError("Context::Fail was called with an OK status");
  cell_.End(ExitReason::kFailed, std::move(status));
}

void Context::Watch(const AnyRef& who) {
  if (!cell_.annex().watched.Insert(who)) return;
  if (who) {
    internal::Control& watch = internal::Control::Make(internal::Control::Kind::kWatch);
    watch.peer = self();
    if (internal::ActorCell::PostControl(who, watch)) return;
  }
  internal::SendDown(self(), {.who = who, .reason = ExitReason::kNoSuchActor});
}

void Context::Unwatch(const AnyRef& who) {
  if (!cell_.annex().watched.Erase(who) || !who) return;
  internal::Control& unwatch = internal::Control::Make(internal::Control::Kind::kUnwatch);
  unwatch.peer = self();
  internal::ActorCell::PostControl(who, unwatch);
}

void internal::CompactActor() { ActorCell::Current()->Compact(); }

void Context::Link(const AnyRef& who) {
  if (who == self()) return;
  const std::optional<uint64_t> number = cell_.annex().links.Begin(who);
  if (!number) return;
  if (who) {
    internal::Control& link = internal::Control::Make(internal::Control::Kind::kLink);
    link.peer = self();
    link.known.mine = *number;
    if (internal::ActorCell::PostControl(who, link)) return;
  }
  internal::SendDown(self(), {.who = who, .reason = ExitReason::kNoSuchActor});
}

void Context::Unlink(const AnyRef& who) {
  const std::optional<internal::Links::Known> known = cell_.annex().links.End(who);
  if (!known || !who) return;
  internal::Control& unlink = internal::Control::Make(internal::Control::Kind::kUnlink);
  unlink.peer = self();
  unlink.known = *known;
  internal::ActorCell::PostControl(who, unlink);
}

TimerHandle Context::StartTimer(internal::TimedMessage* timed, absl::Duration delay,
                                absl::Duration period, const AnyRef& to) {
  cell_.annex().timers.Add(*timed);
  return internal::StartTimed(space(), timed, delay, period, to, self());
}

}  // namespace troupe
