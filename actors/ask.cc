#include "troupe/actors/ask.h"

#include <algorithm>
#include <atomic>

#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/ask_cycle.h"
#include "troupe/core/pause.h"

namespace troupe::internal {

absl::Status MayWaitHere() {
  if (ActorCell::Current() == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "Wait() in a handler would hold up its thread; use Then(), or co_await in a coroutine");
}

absl::Status SentBefore() {
  return absl::FailedPreconditionError(
      "ask: it has been sent before; ask again for another answer");
}

AnyRef CurrentActorRef() { return ActorCell::CurrentRef(); }

void PostRequest(const AnyRef& to, Envelope& request) {
  PostMessage(to, request, /*may_block=*/false);
}

// ---- plain threads
namespace {

// Ends the turning at its deadline: time does not jump beyond the next timer.
struct Deadline : Timer {
  Deadline() : Timer([](Timer& t) { static_cast<Deadline&>(t).passed = true; }) {}
  std::atomic<bool> passed{false};
};

bool TurnUntilReady(Scheduler& scheduler, Timers& timers, const ReplySlot& slot, absl::Time until) {
  Deadline deadline;
  timers.Arm(deadline, until);
  while (!slot.ready() && timers.clock().Now() < until && scheduler.Turn()) {
  }
  if (!timers.Cancel(deadline)) {  // perhaps just firing, on whatever thread turns those timers
    while (!deadline.passed.load()) Pause();
  }
  return slot.ready();
}

// An actor that is idle answers within a microsecond or two once its worker is awake, and going to
// sleep and waking costs ten times that. So a short look before sleeping; about 10 us, since a
// pause takes some 40 ns on recent x86.
constexpr int kLooks = 256;

bool ReadySoon(const ReplySlot& slot) {
  for (int i = 0; i < kLooks; ++i) {
    if (slot.ready()) return true;
    Pause();
  }
  return false;
}

}  // namespace

absl::Time DeadlineThere(const AnyRef& receiver, absl::Duration timeout) {
  if (!receiver || timeout == absl::InfiniteDuration()) return absl::InfiniteFuture();
  return ActorCell::Of(receiver)->space().timers().clock().RoughNow() + timeout;
}

ActorSpace* SpaceOf(const AnyRef& who) { return who ? &ActorCell::Of(who)->space() : nullptr; }

bool AwaitReady(ActorSpace* there, const ReplySlot& slot, EventCount& settled,
                absl::Duration timeout) {
  if (slot.ready()) return true;
  ActorSpace& space = *there;
  const Clock& clock = space.timers().clock();
  if (space.scheduler().TurnsHere())
    return TurnUntilReady(space.scheduler(), space.timers(), slot, clock.Now() + timeout);
  if (ReadySoon(slot)) return true;
  return settled.Await([&slot] { return slot.ready(); }, SteadyDeadline(timeout));
}

// ---- actors

namespace {

inline void AddAwaited(AwaitedReply& reply, absl::Duration timeout, absl::Time latest) {
  ActorCell& asker = *ActorCell::Current();
  // Destroyed together with its system (ActorCell::Reclaim): no answer would find it.
  if (asker.shut()) [[unlikely]]
    return reply.abandon(reply);
  PendingReplies& replies = asker.annex().replies;
  Timers& timers = asker.space().timers();
  const bool for_ever = timeout == absl::InfiniteDuration();
  if (for_ever && latest == absl::InfiniteFuture()) return replies.Add(reply);
  const absl::Time now = timers.clock().RoughNow();
  const absl::Time deadline = for_ever ? latest : std::min(latest, now + timeout);
  if (deadline > now) [[likely]]
    return replies.AddWithDeadline(reply, deadline, timers);
  // Too late: the request is nobody's from the start. Or else handlers that have no time left could
  // ask each other on and on.
  replies.Add(reply);
  reply.fire(reply);
}

}  // namespace

void RegisterAwaited(AwaitedReply& reply, const Context& self, absl::Duration timeout,
                     const AnyRef& whom) noexcept {
  reply.other_system =
      whom && &ActorCell::Of(whom)->space() != &ActorCell::Of(reply.asker_ref)->space();
  AddAwaited(reply, timeout, self.deadline());
}

bool RegisterWait(AwaitedReply& reply, const Context& self, absl::Duration timeout,
                  const AnyRef& whom) noexcept {
  const ActorCell& asker = *ActorCell::Current();
  // One that is shut does not wait: the request may take `reply` with it.
  const bool shown = whom && &ActorCell::Of(whom)->space() == &asker.space() &&
                     asker.space().finds_ask_cycles() && !asker.shut();
  // First, since the deadline may have passed already.
  if (shown) reply.wait = asker.wait_edge().Prepare(ActorCell::Of(whom));
  RegisterAwaited(reply, self, timeout, whom);
  return shown;
}

absl::Status EnterWait(const AwaitedReply& reply, const AnyRef& whom) {
  ActorCell& asker = *ActorCell::Current();
  // Whoever lives now lived when the request was sent. If not, his cell may be another's, who will turn
  // it away unanswered, or even the asker's own (W5).
  if (!ActorCell::Of(whom)->IsLive(ActorCell::IncarnationOf(whom))) [[unlikely]]
    return absl::OkStatus();
  asker.wait_edge().Enter(reply.wait);
  // Usually he waits for nobody.
  if (!ActorCell::Of(whom)->wait_edge().there()) [[likely]]
    return absl::OkStatus();
  absl::Status cycle = CheckAskCycle(asker);
  if (!cycle.ok()) LeaveWait(reply);  // W3
  return cycle;
}

void LeaveWait(const AwaitedReply& reply) {
  ActorCell::Of(reply.asker_ref)->wait_edge().Leave(reply.wait);
}

void RegisterSleep(AwaitedReply& reply, absl::Duration duration) noexcept {
  AddAwaited(reply, duration, absl::InfiniteFuture());
}

void UnregisterAwaited(AwaitedReply& reply) { ActorCell::Current()->annex().replies.Remove(reply); }

void PostReply(AwaitedReply& reply) {
  if (reply.wait != 0) LeaveWait(reply);  // before the asker can learn of it
  reply.sender = ActorCell::CurrentRef();
  reply.address = ActorCell::IncarnationOf(reply.asker_ref) | kExempt | kAnswer;
  ActorCell::Post(reply.asker_ref, reply, PostMode::kNeverBlock);
}

}  // namespace troupe::internal
