// PendingAsk<R>: a request that is ready to go, and the two ways to get its answer.
#ifndef TROUPE_ACTORS_ASK_H_
#define TROUPE_ACTORS_ASK_H_

#include <concepts>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler_result.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/reply.h"

namespace troupe {

// Every ask has a deadline; this is it where none is given.
inline constexpr absl::Duration kDefaultAskTimeout = absl::Seconds(5);

template <class R>
class PendingAskFirst;

// Made by Ask(). The request is sent when you say how you want the answer: by Wait, Then or co_await, once.
// One that is neither is never sent (the compiler warns if it is not even kept). So of two that are kept
// and awaited in turn the second is sent when the first is answered; AllOf (coroutine.h) sends both.
//
//   // A plain thread: sleeps until the answer is there.
//   absl::StatusOr<int64_t> cents = account.Ask(Balance{}).Wait();
//
//   // A handler: goes on at once, and the continuation runs later, on this actor.
//   account.Ask(Balance{}).Then(self, [this](absl::StatusOr<int64_t> cents) {
//     if (cents.ok()) total_ += *cents;
//   });
//
// The answer is an error at once, and not only at the deadline, when there will be none:
//   kUnavailable         the receiver has ended, or ended with the request still in its mailbox
//   kResourceExhausted   its mailbox is full (an ask never blocks, whatever the policy)
//   kInternal            its handler threw; the message has the exception's text
//   kAborted             it dropped its Reply, also by an exception in a handler that took one
//   kDeadlineExceeded    none of these, and no answer in time, or no time left to begin with. A
//                        request that is still in the mailbox is then dropped
//                        (DeadLetterReason::kExpired); if it is being handled its answer is discarded
//   kFailedPrecondition  Wait() was called in a handler, where it would hold up the thread: on the
//                        pool, on a dedicated thread and inside Blocking alike. Or it was awaited and
//                        closes a cycle of actors that await each other (coroutine.h). Or it has been
//                        sent before
// or whatever error status the handler answered with.
//
// An ask made by the handler that answers another has that one's deadline, if its own is later: nobody
// would wait for the answer. So do all asks of a handler that is a coroutine. What answers later has
// none to inherit: a continuation given to Then, another handler that finds the Reply stored, the body
// of a process. There one may say
//
//   d.Ask(Query{}, std::min(kDefaultAskTimeout, reply.deadline() - self.Now()))
//
// (A continuation does not keep it by itself: the block of a pending ask has 192 bytes, all in use, and would
// have 256; and each answer would set and reset a deadline that most continuations have no use for.)
//
// Order: the answer arrives after all that the receiver sent to the asker before it answered. (If a
// coroutine of the asker is suspended, the answer is handled at once and those wait: coroutine.h.)
// Thread safety: a PendingAsk is used by the thread that made it.
template <class R>
class [[nodiscard]] PendingAsk {
 public:
  using Result = AskResult<R>;

  PendingAsk(PendingAsk&& other) noexcept
      : to_(other.to_),
        request_(std::exchange(other.request_, nullptr)),
        reply_(other.reply_),
        timeout_(other.timeout_) {}
  PendingAsk& operator=(PendingAsk&&) = delete;
  ~PendingAsk() {
    if (request_ != nullptr) internal::Discard(*request_, internal::Lost::kReplyDropped);
  }

  // Sends the request and blocks the calling plain thread. On a system with a host-driven scheduler
  // it turns that scheduler meanwhile.
  AskResult<R> Wait() && {
    if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
    auto& slot = internal::WaitingThread<R>::Make(internal::DeadlineThere(to_, timeout_));
    Post(slot);
    return slot.Wait(internal::SpaceOf(to_), timeout_);
  }

  // Sends the request and returns. `then` is called with the AskResult<R>, and a Context& if it
  // takes one, on the asking actor, as if in a handler. If the actor ends first, `then` is
  // destroyed without being called.
  template <class F>
    requires std::invocable<F&, AskResult<R>> || std::invocable<F&, AskResult<R>, Context&>
  void Then(Context& self, F then) && {
    if constexpr (internal::MayContinue<F, AskResult<R>>()) {
      auto& awaited =
          internal::Continuation<R, F>::Make(internal::CurrentActorRef(), std::move(then));
      internal::RegisterAwaited(awaited, self, timeout_, to_);
      Post(awaited);
    }
  }

  // For the framework: Then, for a handler whose actor does nothing else until the answer comes.
  // Noticed by others, and refused if it closes a cycle.
  template <class F>
  void ThenAlone(Context& self, F then) && {
    auto& awaited =
        internal::Continuation<R, F>::Make(internal::CurrentActorRef(), std::move(then));
    const bool shown = internal::RegisterWait(awaited, self, timeout_, to_);
    Post(awaited);
    if (!shown) return;
    absl::Status cycle = internal::EnterWait(awaited, to_);
    if (!cycle.ok()) [[unlikely]]
      awaited.Refuse(std::move(cycle));
  }

  // For the framework: `reply` lies in `request`.
  PendingAsk(AnyRef to, internal::Envelope* request, Reply<R>* reply, absl::Duration timeout)
      : to_(to), request_(request), reply_(reply), timeout_(timeout) {}

 private:
  friend class PendingAskFirst<R>;  // takes it over

  template <class Slot>
  void Post(Slot& slot) {
    if (request_ == nullptr) [[unlikely]]
      return Refuse(slot);
    *reply_ = Reply<R>(&slot);
    internal::PostRequest(to_, *std::exchange(request_, nullptr));
  }
  // Out of line: a dozen instructions of every ask otherwise.
  template <class Slot>
  [[gnu::noinline, gnu::cold]] static void Refuse(Slot& slot) {
    Reply<R>(&slot).Send(internal::SentBefore());
  }

  AnyRef to_;
  internal::Envelope* request_;  // nullptr: sent, or moved from
  Reply<R>* reply_;
  absl::Duration timeout_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_ASK_H_
