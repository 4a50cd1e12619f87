#include "troupe/actors/enqueue.h"

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/send_result.h"

namespace troupe {
namespace internal {
namespace {

absl::Status StatusOf(SendResult result) {
  switch (result) {
    case SendResult::kQueued:
      return absl::OkStatus();
    case SendResult::kFull:
    case SendResult::kDropped:
      return LostStatus(Lost::kReceiverFull);
    case SendResult::kClosed:
      return LostStatus(Lost::kReceiverGone);
    case SendResult::kNotAllowed:
      break;
  }
  return LostStatus(Lost::kNotAllowed);
}

// Nothing: it has to wait.
std::optional<absl::Status> Try(const AnyRef& to, Envelope& e, MailWaiter* waiter) {
  e.sender = ActorCell::CurrentRef();
  e.address = ActorCell::IncarnationOf(to);
  if (!to) return StatusOf(PostMessage(to, e, false));
  const std::optional<SendResult> result = ActorCell::Enqueue(to, e, waiter);
  if (!result.has_value()) return std::nullopt;
  return StatusOf(*result);
}

absl::Status RefuseOwn(const AnyRef& own, Envelope& e) {
  ActorCell::Of(own)->space().Lose(e, DeadLetterReason::kFull, own);
  return absl::FailedPreconditionError(
      "an actor cannot wait for room in its own mailbox: it would wait for itself");
}

}  // namespace

void RoomWait::Begin(const AnyRef& to, Envelope& message, ReplySlotOf<void>& slot) {
  const bool own = to && to == ActorCell::CurrentRef();
  to_ = to;
  waiter_.told_slot = &slot;
  std::optional<absl::Status> now = Try(to, message, own ? nullptr : &waiter_);
  if (!now.has_value() && own) now = RefuseOwn(to, message);
  if (now.has_value()) slot.Settle(*std::move(now));
}

void RoomWait::Withdraw() {
  if (to_) ActorCell::Withdraw(to_, waiter_);
}

}  // namespace internal

std::optional<absl::Status> PendingEnqueue::TryNow() {
  std::optional<absl::Status> now = internal::Try(to_, *message_, nullptr);
  if (now.has_value()) message_ = nullptr;
  return now;
}

absl::Status PendingEnqueue::Wait() && {
  if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
  auto& slot = internal::WaitingThread<void>::Make(absl::InfiniteFuture());
  internal::RoomWait wait;
  wait.Begin(to_, *std::exchange(message_, nullptr), slot);
  return slot.Wait(internal::SpaceOf(to_), timeout_, [&wait] {
    wait.Withdraw();
    return wait.TimedOut();
  });
}

}  // namespace troupe
