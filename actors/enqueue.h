// PendingEnqueue: a message that waits for room in the mailbox of an actor, without a thread.
#ifndef TROUPE_ACTORS_ENQUEUE_H_
#define TROUPE_ACTORS_ENQUEUE_H_

#include <concepts>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler_result.h"
#include "troupe/actors/internal/mail_waiter.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/internal/waiting_thread.h"

namespace troupe {

namespace internal {

// Where the one who waits is linked (bounded_queue.h, B5).
class RoomWait {
 public:
  RoomWait() = default;
  RoomWait(const RoomWait&) = delete;
  RoomWait& operator=(const RoomWait&) = delete;

  // Consumes `message`, and a reference of `slot`.
  void Begin(const AnyRef& to, Envelope& message, ReplySlotOf<void>& slot);
  void Withdraw();
  absl::Status TimedOut() const {
    return absl::DeadlineExceededError("send: no room in the mailbox before the deadline");
  }
  void WithdrawOthers() {}

 private:
  AnyRef to_;
  MailWaiter waiter_;
};

}  // namespace internal

// Made by Enqueue() of an ActorRef or a Recipient. As Sender::Enqueue (mailbox.h) it sends the message once
// the mailbox has room, and you say how to wait: by Wait, Then or co_await, once. One that is neither is never
// sent.
//
//   for (const Row& row : rows) {
//     absl::Status sent = co_await store.Enqueue(Insert{row}, absl::Seconds(1));
//     if (!sent.ok()) co_return;
//   }
//
// OK                    it is in the mailbox
// kDeadlineExceeded     there was no room in time, and now it never will be delivered. Without a timeout it
//                       waits for ever, but in a handler that answers an ask no longer than that one
//                       (Context::deadline())
// kUnavailable          the actor has ended, before or meanwhile
// kResourceExhausted    the mailbox is full, and its WhenFull is not kBlock, or the system stops
// kFailedPrecondition   it is the sender's own, and full: he would wait for himself. Or Wait() was called in a
//                       handler
// kCancelled            Cancellable (cancellable.h)
// Anything but OK is a dead letter, too, but for what has not begun: Wait() in a handler, a token that is stopped
// already, an actor that is being destroyed. An actor that ends waits no more, and what it waited to send is one.
//
// By a right that can be revoked (revocable_recipient.h) it is OK at once, as Send says kQueued: it waits for
// nobody's room. Only a mailbox with a capacity and kBlock makes anybody wait (ActorOptions). So it is with one on another
// node: the Recipient's mailbox here is full as long as the other side gives no credit (node_options.h).
// Order: what is awaited in turn arrives in that order. Something sent otherwise may come before what waits.
// Two actors that wait for room at each other wait until a deadline, an end or a stop; nobody looks for that.
// Cost: with room, that of Send. Else a block of 256 bytes and a message to the sender; those who wait are let
// in several at a time.
// Thread safety: used by the thread that made it.
class [[nodiscard]] PendingEnqueue {
 public:
  using Result = absl::Status;

  PendingEnqueue(PendingEnqueue&& other) noexcept
      : to_(other.to_),
        message_(std::exchange(other.message_, nullptr)),
        timeout_(other.timeout_) {}
  PendingEnqueue& operator=(PendingEnqueue&&) = delete;
  ~PendingEnqueue() {
    if (message_ != nullptr) internal::Discard(*message_, internal::Lost::kReplyDropped);
  }

  absl::Status Wait() &&;

  // `then` is called with the status, and a Context& if it takes one, as that of an ask (ask.h).
  template <class F>
    requires std::invocable<F&, absl::Status> || std::invocable<F&, absl::Status, Context&>
  void Then(Context& self, F then) && {
    if constexpr (internal::MayContinue<F, absl::Status>()) {
      auto& awaited = internal::Continuation<void, F, internal::RoomWait>::Make(
          internal::CurrentActorRef(), std::move(then));
      internal::ReplySlotOf<void>& slot = awaited;
      const bool in_time = internal::RegisterMailWait(awaited, self, timeout_);
      // Settled already: the actor is being destroyed.
      if (!slot.pending()) return slot.Release();
      awaited.waits().Begin(to_, *std::exchange(message_, nullptr), slot);
      if (!in_time) awaited.fire(awaited);
    }
  }

  // For the framework.
  PendingEnqueue(const AnyRef& to, internal::Envelope* message, absl::Duration timeout)
      : to_(to), message_(message), timeout_(timeout) {}
  // Nothing: it would have to wait.
  std::optional<absl::Status> TryNow();

 private:
  AnyRef to_;
  internal::Envelope* message_;
  absl::Duration timeout_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_ENQUEUE_H_
