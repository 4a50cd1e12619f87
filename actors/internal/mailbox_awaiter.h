// MailboxAwaiter: co_await of what a mailbox may let wait. Part of mailbox.h.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_AWAITER_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_AWAITER_H_

#include <concepts>
#include <coroutine>
#include <optional>
#include <utility>

#include "troupe/actors/enqueue.h"
#include "troupe/actors/internal/coroutine_handler.h"
#include "troupe/actors/mailbox.h"
#include "troupe/core/task.h"

namespace troupe {

namespace internal {

// `Pending` is a PendingSend, PendingReceive or the like. If it need not wait the coroutine goes on at
// once, but not for ever: others want to run, too.
template <class Pending, class Result>
class MailboxAwaiter : public TaskAwaitable {
 public:
  explicit MailboxAwaiter(Pending&& pending) : pending_(pending) {}

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<TaskFrame> Promise>
  bool await_suspend(std::coroutine_handle<Promise> by) {
    if (HandlerRun::Of(by.promise()).MayGoOn()) {
      result_ = pending_.TryNow();
      if constexpr (requires { pending_.TrySoon(); }) {
        if (!result_.has_value()) result_ = pending_.TrySoon();
      }
      if (result_.has_value()) return false;
    }
    HandlerRun& run = HandlerRun::SuspendAt(by.promise());
    std::move(pending_).Then(run.context(), [this, &run](Result result) {
      result_.emplace(std::move(result));
      run.Continue();
    });
    return true;
  }
  Result await_resume() { return *std::move(result_); }

 private:
  Pending& pending_;  // lives in the coroutine's frame, as this does
  std::optional<Result> result_;
};

}  // namespace internal

inline auto operator co_await(PendingEnqueue&& send) {
  return internal::MailboxAwaiter<PendingEnqueue, absl::Status>(std::move(send));
}
inline auto operator co_await(PendingSend&& send) {
  return internal::MailboxAwaiter<PendingSend, absl::Status>(std::move(send));
}
template <class R>
auto operator co_await(PendingMailAsk<R>&& ask) {
  return internal::MailboxAwaiter<PendingMailAsk<R>, AskResult<R>>(std::move(ask));
}
inline auto operator co_await(PendingClose&& close) {
  return internal::MailboxAwaiter<PendingClose, absl::Status>(std::move(close));
}
template <class M>
auto operator co_await(PendingReceive<M>&& receive) {
  return internal::MailboxAwaiter<PendingReceive<M>, typename PendingReceive<M>::Result>(
      std::move(receive));
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_AWAITER_H_
