// Cancellable(wait, token): a wait that a std::stop_token ends.
//
//   std::stop_source stop;                          // a member, or a local variable of a coroutine
//   ...
//   absl::StatusOr<Page> page = co_await Cancellable(web.Ask(Fetch{url}), stop.get_token());
//   if (absl::IsCancelled(page.status())) co_return;
//   ...
//   stop.request_stop();                            // any thread, any actor, any handler
//
// A wait          is one ask, an AskFirst or FirstOf (ask.h, router.h, ask_first.h), what may wait at a
//                 mailbox (mailbox.h, select.h: Receive, Select, Enqueue, Deliver, Ask, Closed), and room
//                 in that of an actor (actor_ref.h: Enqueue). In a coroutine also AllOf, Sleep and Offload
//                 (coroutine.h). What a process receives (process.h) is not: send it a message.
// It yields       what the wait yields, or kCancelled; Sleep a Status: OK, or kCancelled.
// If both come    the answer or the stop, whichever is first counts; it is told once, and on the waiting
//                 actor. A stop that comes after the end of the wait does nothing.
// Then            a receive has taken nothing, a send will not be delivered any more, and the Reply to
//                 an ask says that nobody waits; a request that is still in an actor's mailbox is dropped
//                 (DeadLetterReason::kExpired), one in a mailbox as an object is received with such a
//                 Reply. A function given to Offload that has begun goes on to its
//                 end, and nobody learns its result; if it has not, it never runs.
// A token         that is stopped already ends the wait before it begins: nothing is sent or
//                 taken. One that cannot be stopped costs nothing.
// A handler       that waits lets no messages through, so one that is to be stopped by a message to its
//                 own actor is a ReentrantTask (coroutine.h). Others reach the stop_source by themselves.
// Ask cycles      (coroutine.h) are not looked for: a stop may end the circle.
// Lifetime        A std::stop_source may end before, and outlive the System.
// Cost            Two blocks more, and what registering with the token costs; a stop costs the thread
//                 that requests it a message, and the actor two.
#ifndef TROUPE_ACTORS_CANCELLABLE_H_
#define TROUPE_ACTORS_CANCELLABLE_H_

#include <concepts>
#include <memory>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/handler_result.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/wait_canceller.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/reply.h"

namespace troupe {

namespace internal {

struct AnyContinuation {
  template <class Result>
  void operator()(Result&&, Context&);
};
template <class W>
concept CancellableWait = requires(W&& wait, Context& self, AnyContinuation then) {
  typename W::Result;
  std::move(wait).Then(self, then);
};

}  // namespace internal

// Made by Cancellable. Used once, by the actor that made it: with co_await or Then. (Who has a thread to
// wait with has a deadline; there is no Wait.)
template <class Wait>
class [[nodiscard]] PendingCancellable {
 public:
  using Result = typename Wait::Result;

  // As that of the wait: `then` is called on this actor, with the Result, and a Context& if it takes one.
  template <class F>
    requires std::invocable<F&, typename Wait::Result> ||
             std::invocable<F&, typename Wait::Result, Context&>
  void Then(Context& self, F then) && {
    if constexpr (internal::MayContinue<F, Result>()) {
      if (token_.stop_requested()) return TellStopped(std::move(then));
      if (!token_.stop_possible()) return std::move(wait_).Then(self, std::move(then));
      auto by = std::make_shared<internal::WaitCanceller>();
      std::move(wait_).Then(self, internal::CancellableContinuation<F>(std::move(then), by));
      internal::WaitCanceller::Watch(by, std::move(token_));
    }
  }

  // For the framework.
  PendingCancellable(Wait wait, std::stop_token token)
      : wait_(std::move(wait)), token_(std::move(token)) {}

 private:
  template <class F>
  static void TellStopped(F then) {
    auto tell =
        internal::AfterFirst([](absl::Status why) -> Result { return why; }, std::move(then));
    auto& told = internal::Continuation<void, decltype(tell)>::Make(internal::CurrentActorRef(),
                                                                    std::move(tell));
    internal::RegisterSleep(told, absl::InfiniteDuration());
    Reply<void>(&told).Send(internal::StopRequested());
  }

  Wait wait_;
  std::stop_token token_;
};

template <internal::CancellableWait Wait>
PendingCancellable<Wait> Cancellable(Wait wait, std::stop_token token) {
  return PendingCancellable<Wait>(std::move(wait), std::move(token));
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_CANCELLABLE_H_
