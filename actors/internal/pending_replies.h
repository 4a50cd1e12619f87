// AwaitedReply: an ask that an actor waits for: where the answer goes, the deadline, and what to do
// with it, in one block.
//
// The block is the ReplySlot the request points to, the asker's note of the deadline, and the
// Envelope that carries the answer back into the asker's mailbox, so that an ask costs one
// allocation beyond the request itself.
//
// References: the request's Reply holds one, the asker one. Both come with the answer and are given
// up when that is handled or discarded (R4 of reply_slot.h).
// A1  While the asker lives the block is in its PendingReplies, from Then until the answer is
//     handled.
// A2  The continuation is touched by the asker's running thread alone; when the asker ends,
//     AbandonAll destroys it there.
// A3  The deadlines are a heap of the asker's own. Of the system's timers it uses one, its alarm,
//     which is armed for a deadline no later than the earliest. Most asks are answered long before,
//     and whoever asks again by then has touched no timer. An alarm that comes for an answered ask
//     finds nothing, and is armed anew for the next deadline: once per timeout and asking actor,
//     not once per ask. An actor that parks without a deadline disarms it.
#ifndef TROUPE_ACTORS_INTERNAL_PENDING_REPLIES_H_
#define TROUPE_ACTORS_INTERNAL_PENDING_REPLIES_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/core/timer_queue.h"
#include "troupe/core/timers.h"

namespace troupe {
class Context;

namespace internal {

// The asker's running thread only.
struct AwaitedReply : Envelope, Timer {
  AwaitedReply(Thunk thunk, void (*expire)(Timer&), AnyRef asker, void (*abandon_fn)(AwaitedReply&))
      : Envelope(thunk, std::source_location()),
        Timer(expire),
        asker_ref(asker),
        abandon(abandon_fn) {}

  AnyRef asker_ref;
  void (*abandon)(AwaitedReply&);  // A2; nullptr: it has been
  AwaitedReply* newer = nullptr;
  AwaitedReply* older = nullptr;
  // Both are fixed before the request is sent.
  uint64_t wait : 63 = 0;  // its number, if others can see it (wait_edge.h)
  // Its deadline is told by the asker's clock, and means nothing to an actor of another system.
  bool other_system : 1 = false;
};

static_assert(sizeof(AwaitedReply) == 128, "and a pending ask of 8 bytes 192, its slot included");

// Whether this answer (kAnswer) is to an ask that its actor has abandoned: of a life before this
// one.
inline bool IsAbandoned(const Envelope& answer) {
  return static_cast<const AwaitedReply&>(answer).abandon == nullptr;
}

class DeadlineAlarm;

// Of one actor; its running thread only.
class PendingReplies {
 public:
  PendingReplies() = default;
  PendingReplies(const PendingReplies&) = delete;
  PendingReplies& operator=(const PendingReplies&) = delete;

  void Add(AwaitedReply& reply);
  void AddWithDeadline(AwaitedReply& reply, absl::Time deadline, Timers& timers);
  void Remove(AwaitedReply& reply);
  void Expire(Timers& timers) noexcept;  // the alarm has come
  void AbandonAll(Timers& timers);
  void LeaveWaits();
  bool HasIdleAlarm() const {
    return deadlines_.empty() && alarm_ != nullptr && alarm_at() != absl::InfiniteFuture();
  }
  void Disarm(Timers& timers);
  void Compact(Timers& timers);  // gives back the alarm and room for deadlines, if there are none

 private:
  absl::Time alarm_at() const;
  void SetAlarm(absl::Time deadline, const AnyRef& asker, Timers& timers);
  void DropAlarm(Timers& timers);

  AwaitedReply* newest_ = nullptr;
  TimerQueue deadlines_;
  DeadlineAlarm* alarm_ = nullptr;
};

// The glue to ActorCell and ActorSpace, which this header does not show to every user's translation
// unit.
//
// By the asker; out of memory ends the process. An ask ends by Context::deadline() at the latest, a
// sleep does not.
void RegisterAwaited(AwaitedReply& reply, const Context& self, absl::Duration timeout,
                     const AnyRef& whom) noexcept;
// The same for what may be there already. False: there is no time to wait, so whoever begins the wait
// fires it at once.
bool RegisterMailWait(AwaitedReply& reply, const Context& self, absl::Duration timeout) noexcept;
// As RegisterAwaited, for a handler whose actor does nothing else until the answer comes. True: EnterWait once
// the request has been sent; if that is not OK, `reply` is to be refused.
bool RegisterWait(AwaitedReply& reply, const Context& self, absl::Duration timeout,
                  const AnyRef& whom) noexcept;
absl::Status EnterWait(const AwaitedReply& reply, const AnyRef& whom);
void LeaveWait(const AwaitedReply& reply);  // any thread that may touch `reply`
void RegisterSleep(AwaitedReply& reply, absl::Duration duration) noexcept;
void UnregisterAwaited(AwaitedReply& reply);
void PostReply(AwaitedReply& reply);  // into the asker's mailbox

// Where else an asker is noted as waiting, if an answer need not come from whoever has the Reply
// (mailbox_waits.h).
struct NoWaits {
  void Withdraw() {}  // before the asker gives up
  absl::Status TimedOut() const { return LostStatus(Lost::kTimedOut); }  // what he is told then
  void WithdrawOthers() {}                                               // when the answer is there
};

// A continuation that may have its wait given up: told, before that begins, how. GiveUp is the asker's
// running thread's, while the continuation exists; it does nothing if the answer is there.
using GiveUpFunction = void (*)(AwaitedReply&, absl::Status why);
template <class F>
concept WantsToEndIt =
    requires(F& then, AwaitedReply& wait, GiveUpFunction give_up) { then.Begins(wait, give_up); };

// A continuation for which `first` makes the result from what there is.
template <class First, class F>
struct AfterFirst {
  First first;
  F then;

  template <class Given>
  void operator()(Given&& given, Context& self) {
    using Result = std::invoke_result_t<First&, Given&&>;
    if constexpr (std::invocable<F&, Result, Context&>) {
      std::invoke(then, first(std::forward<Given>(given)), self);
    } else {
      std::invoke(then, first(std::forward<Given>(given)));
    }
  }
  void Begins(AwaitedReply& wait, GiveUpFunction give_up)
    requires WantsToEndIt<F>
  {
    then.Begins(wait, give_up);
  }
};
template <class First, class F>
AfterFirst(First, F) -> AfterFirst<First, F>;

template <class R, class F, class Waits = NoWaits>
class Continuation final : public AwaitedReply, public ReplySlotOf<R> {
 public:
  // Two references: the request's and the asker's.
  static Continuation& Make(AnyRef asker, F then) {
    static_assert(alignof(Continuation) <= 64);
    auto& made = *new (AllocateNode(sizeof(Continuation))) Continuation(asker, std::move(then));
    if constexpr (WantsToEndIt<F>) made.then_->Begins(made, &GiveUp);
    return made;
  }

  Waits& waits() { return waits_; }

 private:
  Continuation(AnyRef asker, F then)
      : AwaitedReply(&Deliver, &Expire, asker, &Abandon),
        ReplySlotOf<R>(kKind, 2),
        then_(std::move(then)) {}

  static void Deliver(Envelope& e, Delivery& d) {
    auto& me = static_cast<Continuation&>(e);
    switch (d.verb) {
      case Delivery::Verb::kHandle:
        return me.Continue(*d.self);
      case Delivery::Verb::kDiscard:
        return me.Release(me.ReferencesHere());
      case Delivery::Verb::kReturn:
        return;  // nobody tries to send an answer
      case Delivery::Verb::kName:
        d.message_type = "troupe::Reply";
    }
  }

  void Continue(Context& self) {
    UnregisterAwaited(*this);
    waits_.WithdrawOthers();
    F then(std::move(*then_));
    ReplyResult<R> result(std::move(*this->result_));
    // Both references, and nobody else knows this block (R4).
    this->expired() ? this->Release() : Destroy(*this);
    if constexpr (std::invocable<F&, ReplyResult<R>, Context&>) {
      std::invoke(then, std::move(result), self);
    } else {
      std::invoke(then, std::move(result));
    }
  }

  // Of an envelope in the asker's mailbox (R4).
  uint32_t ReferencesHere() const { return this->expired() ? 1 : 2; }

  static void Expire(Timer& timer) {
    auto& me = static_cast<Continuation&>(timer);
    TakeOut(me);
    me.waits_.Withdraw();
    me.Refuse(me.waits_.TimedOut());
  }
  // As at its deadline. That may pass afterwards, and then finds the answer there.
  static void GiveUp(AwaitedReply& wait, absl::Status why) {
    auto& me = static_cast<Continuation&>(wait);
    TakeOut(me);
    me.waits_.Withdraw();
    me.Refuse(std::move(why));
  }
  static void TakeOut(ReplySlot& slot) {
    const auto& me = static_cast<const Continuation&>(slot);
    if (me.wait != 0) LeaveWait(me);
  }

  static void Abandon(AwaitedReply& awaited) {
    auto& me = static_cast<Continuation&>(awaited);
    me.waits_.Withdraw();
    // If somebody settles it at this moment he may also free it, once the mailbox is closed: an own
    // reference keeps it until we have looked.
    me.Retain();
    me.then_.reset();
    // Else the answer is on its way to the closed mailbox, where Deliver discards it.
    if (me.Claim()) me.Release();
    me.Release();
  }

  static void OnReady(ReplySlot& slot) { PostReply(static_cast<Continuation&>(slot)); }
  static void Destroy(ReplySlot& slot) {
    auto& me = static_cast<Continuation&>(slot);
    me.~Continuation();
    FreeNode(&me, sizeof(Continuation));
  }
  static absl::Time Deadline(const ReplySlot& slot) {
    const auto& me = static_cast<const Continuation&>(slot);
    return me.other_system ? absl::InfiniteFuture() : me.Timer::deadline;
  }
  static constexpr ReplySlot::Kind kKind{&OnReady, &Destroy, &Deadline, &TakeOut};

  std::optional<F> then_;
  [[no_unique_address]] Waits waits_;
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_PENDING_REPLIES_H_
