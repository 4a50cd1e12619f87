// WaitingThread: the slot of an ask made by a plain thread, which sleeps on it.
#ifndef TROUPE_ACTORS_INTERNAL_WAITING_THREAD_H_
#define TROUPE_ACTORS_INTERNAL_WAITING_THREAD_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/core/event_count.h"

namespace troupe::internal {

class ActorSpace;
struct Envelope;

absl::Status MayWaitHere();                             // an error inside a handler
absl::Status NothingLeftToDo();                         // without a deadline, for ever
absl::Status SentBefore();                              // what a second use of an ask yields
AnyRef CurrentActorRef();                               // nobody on a plain thread
void PostRequest(const AnyRef& to, Envelope& request);  // never blocks; consumes the request

// True once the slot is ready; false when the deadline has passed (real time, or the host-driven
// scheduler's), or when a host-driven scheduler has nothing left to run.
// `space`: of the receiver; nullptr if that is nobody, who has settled the slot already.
bool AwaitReady(ActorSpace* space, const ReplySlot& slot, EventCount& settled,
                absl::Duration timeout);
ActorSpace* SpaceOf(const AnyRef& who);

// By the clock of the receiver's system.
absl::Time DeadlineThere(const AnyRef& receiver, absl::Duration timeout);

template <class R>
class WaitingThread final : public ReplySlotOf<R> {
 public:
  // Two references: the request's and the waiting thread's. On the heap, since the answer may come
  // after the thread gave up.
  static WaitingThread& Make(absl::Time deadline) { return *new WaitingThread(deadline); }

  // Consumes the thread's reference.
  ReplyResult<R> Wait(ActorSpace* space, absl::Duration timeout) {
    return Wait(space, timeout, [] { return LostStatus(Lost::kTimedOut); });
  }
  // `withdraw` is called before the thread gives up, and says what it is told then.
  template <class Withdraw>
  ReplyResult<R> Wait(ActorSpace* space, absl::Duration timeout, Withdraw withdraw) {
    if (!AwaitReady(space, *this, settled_, timeout)) {
      absl::Status timed_out = withdraw();
      // Whoever claims first decides. If that was the receiver, the result is moments away.
      if (this->Claim()) {
        this->MarkReady(ReplySlot::kExpired);  // without a result: nobody else looks for one
        this->Release();
        return timeout == absl::InfiniteDuration() ? NothingLeftToDo() : std::move(timed_out);
      }
    }
    while (!this->ready()) AwaitReady(space, *this, settled_, absl::InfiniteDuration());
    ReplyResult<R> result(std::move(*this->result_));
    this->Release();
    return result;
  }

 private:
  explicit WaitingThread(absl::Time deadline) : ReplySlotOf<R>(kKind, 2), deadline_(deadline) {}

  // By the holder of the Reply: the deadline does not come this way.
  static void OnReady(ReplySlot& slot) {
    static_cast<WaitingThread&>(slot).settled_.NotifyAll();
    slot.Release();
  }
  static void Destroy(ReplySlot& slot) { delete &static_cast<WaitingThread&>(slot); }
  static absl::Time Deadline(const ReplySlot& slot) {
    return static_cast<const WaitingThread&>(slot).deadline_;
  }
  static constexpr ReplySlot::Kind kKind{&OnReady, &Destroy, &Deadline};

  EventCount settled_;
  const absl::Time deadline_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_WAITING_THREAD_H_
