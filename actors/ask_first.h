// PendingAskFirst<R>: a request to several actors that is ready to go; the first answer counts.
// FirstOf: one that is made of single asks.
#ifndef TROUPE_ACTORS_ASK_FIRST_H_
#define TROUPE_ACTORS_ASK_FIRST_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/first_answer.h"
#include "troupe/actors/internal/handler_result.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/reply.h"

namespace troupe {

// Made by Router::AskFirst() and FirstOf(). Like a PendingAsk (ask.h): sent when you say how you want
// the answer, used by the thread that made it.
//
//   router.AskFirst(Quote{"TRP"}, absl::Milliseconds(200))
//       .Then(self, [this](absl::StatusOr<int64_t> price) { ... });
//
// The first good answer is the answer; errors count only when all have failed, and then the last
// one to come is it. kUnavailable at once if there is nobody to ask, kDeadlineExceeded if nobody has
// answered well in time. There is one deadline for all.
// After the first good answer, the deadline or the end of the asker the others' Reply says that nobody
// waits, so they may save the work. After the latter two a request that is still in a mailbox is
// dropped (DeadLetterReason::kExpired). As with any ask, the deadline of an ask that is being answered
// meanwhile holds, if it is earlier. All of those asked are taken to be of one system.
template <class R>
class [[nodiscard]] PendingAskFirst {
 public:
  using Result = AskResult<R>;

  PendingAskFirst(PendingAskFirst&& other) noexcept
      : requests_(std::exchange(other.requests_, {})), timeout_(other.timeout_) {}
  PendingAskFirst& operator=(PendingAskFirst&&) = delete;
  ~PendingAskFirst() {
    for (const Request& r : requests_) {
      if (r.request != nullptr) internal::Discard(*r.request, internal::Lost::kReplyDropped);
    }
  }

  // Sends the requests and blocks the calling plain thread; see PendingAsk::Wait.
  AskResult<R> Wait() && {
    if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
    const AnyRef somebody = requests_.empty() ? AnyRef() : requests_.front().to;
    auto& slot = internal::WaitingThread<R>::Make(internal::DeadlineThere(somebody, timeout_));
    internal::AskedSeveral<R> asked;
    SendAll(slot, asked);
    return slot.Wait(internal::SpaceOf(somebody), timeout_, [&asked] {
      asked.Withdraw();
      return asked.TimedOut();
    });
  }

  // Sends the requests and returns; see PendingAsk::Then.
  template <class F>
    requires std::invocable<F&, AskResult<R>> || std::invocable<F&, AskResult<R>, Context&>
  void Then(Context& self, F then) && {
    if constexpr (internal::MayContinue<F, AskResult<R>>()) {
      auto& awaited = internal::Continuation<R, F, internal::AskedSeveral<R>>::Make(
          internal::CurrentActorRef(), std::move(then));
      internal::RegisterAwaited(awaited, self, timeout_,
                                requests_.empty() ? AnyRef() : requests_.front().to);
      SendAll(awaited, awaited.waits());
    }
  }

  // For the framework.
  explicit PendingAskFirst(absl::Duration timeout) : timeout_(timeout) {}
  void Reserve(size_t requests) { requests_.reserve(requests); }
  void Add(AnyRef to, internal::Envelope* request, Reply<R>* reply) {  // Reserve first
    requests_.push_back({to, request, reply});
  }
  void Add(PendingAsk<R> ask) {
    timeout_ = std::max(timeout_, ask.timeout_);
    Add(ask.to_, std::exchange(ask.request_, nullptr), ask.reply_);
  }

 private:
  struct Request {
    AnyRef to;
    internal::Envelope* request;  // nullptr: of a PendingAsk that has been sent before
    Reply<R>* reply;              // lies in `request`
  };

  // Consumes a reference to `asker`. Out of memory ends the process, as in RegisterAwaited: who has
  // been registered is told of nothing else.
  void SendAll(internal::ReplySlotOf<R>& asker, internal::AskedSeveral<R>& asked) noexcept {
    if (!asker.pending()) return asker.Release();  // no time is left, or he is being destroyed
    const std::vector<Request> requests = std::exchange(requests_, {});
    if (requests.empty()) return asker.Settle(internal::LostStatus(internal::Lost::kReceiverGone));
    auto& first = internal::FirstAnswer<R>::Make(asker, requests.size());
    asked.Hold(first);
    for (size_t i = 0; i < requests.size(); ++i) Send(requests[i], first.SlotOf(i));
    first.Release();
  }
  static void Send(const Request& r, internal::ReplySlotOf<R>* slot) {
    if (r.request == nullptr) return Reply<R>(slot).Send(internal::SentBefore());
    *r.reply = Reply<R>(slot);
    internal::PostRequest(r.to, *r.request);
  }

  std::vector<Request> requests_;
  absl::Duration timeout_;
};

// The first answer of different requests, as AskFirst tells it of equal ones: all are sent at once, and
// when one has been answered well the others need not be. One deadline holds for all, the latest of
// theirs.
//
//   // All with the same Reply, whatever they ask.
//   absl::StatusOr<Page> page = co_await FirstOf(near.Ask(Get{url}), far.Ask(Get{url}));
//   absl::StatusOr<Page> page = co_await FirstOf(std::move(asks));   // a vector<PendingAsk<Page>>
//
// Not of asks of mailboxes (Sender::Ask): who asks several of those makes one mailbox with several receivers.
template <class R>
PendingAskFirst<R> FirstOf(std::vector<PendingAsk<R>> asks) {
  PendingAskFirst<R> first(asks.empty() ? kDefaultAskTimeout : absl::ZeroDuration());
  first.Reserve(asks.size());
  for (PendingAsk<R>& ask : asks) first.Add(std::move(ask));
  return first;
}
template <class R, std::same_as<PendingAsk<R>>... Others>
PendingAskFirst<R> FirstOf(PendingAsk<R> ask, Others... others) {
  PendingAskFirst<R> first(absl::ZeroDuration());
  first.Reserve(1 + sizeof...(others));
  first.Add(std::move(ask));
  (first.Add(std::move(others)), ...);
  return first;
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_ASK_FIRST_H_
