#include "troupe/actors/ask.h"

#include <atomic>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/core/pause.h"

namespace troupe::internal {

absl::Status MayWaitHere() {
  if (ActorCell::Current() == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "Wait() in a handler would hold up its thread; use Then(), or co_await in a coroutine");
}

absl::Status NothingLeftToDo() {
  return absl::DeadlineExceededError("nothing is left to do, so nobody will end this wait");
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

}  // namespace troupe::internal
