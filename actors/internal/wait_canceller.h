// WaitCanceller: how a std::stop_token ends a wait of an actor.
//
// The stop is an ask of its own, of which the token's callback has the Reply: so it comes to the actor
// as any answer does, also while a handler is suspended, and whether the wait has its answer by then is
// decided where its deadline is, on the actor's own thread. The callback itself, which runs on whatever
// thread requests the stop, posts that answer and touches nothing else.
//
// N1  All but `stopped_` is the actor's running thread's. `stopped_` is written before the callback is
//     registered and after it is gone, and by the callback in between.
// N2  The end of a std::stop_callback waits for one that runs on another thread. That thread does not
//     wait for the actor (an answer has no capacity to wait for), nor does the actor hold a lock. A
//     callback that runs on the thread which ends it is inside of a Post, and that calls no handler.
// N3  `wait_` is the wait while its continuation exists: that one says Over before it is called, and Drop
//     when it is destroyed uncalled. So a stop that is handled later finds nullptr.
// N4  The wait is settled once (reply_slot.h, R1), and so is the note of the stop. Answer against stop:
//     whichever settles the wait's slot first. Stop against the end of the wait: after Over the note has
//     been abandoned, or is on its way and will find nothing to do (N3).
// N5  A wait's continuation is destroyed uncalled only when its actor ends, which abandons all its asks,
//     the note among them: so Drop leaves that alone. What the callback posts then comes to a
//     closed mailbox, or has been claimed, as any answer to an actor that has ended.
#ifndef TROUPE_ACTORS_INTERNAL_WAIT_CANCELLER_H_
#define TROUPE_ACTORS_INTERNAL_WAIT_CANCELLER_H_

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/reply.h"

namespace troupe::internal {

inline absl::Status StopRequested() { return absl::CancelledError("the wait was cancelled"); }

// Shared by the continuations of the wait and of the note.
class WaitCanceller {
 public:
  WaitCanceller() = default;
  WaitCanceller(const WaitCanceller&) = delete;
  WaitCanceller& operator=(const WaitCanceller&) = delete;

  // Out of memory ends the process, as in RegisterAwaited: the wait has begun.
  static void Watch(const std::shared_ptr<WaitCanceller>& me, std::stop_token token) noexcept {
    if (me->wait_ == nullptr) return;  // the actor is being destroyed
    Note& note = Note::Make(CurrentActorRef(), Stopped{me});
    me->note_ = &note;
    RegisterSleep(note, absl::InfiniteDuration());
    me->stopped_ = Reply<void>(&note);
    me->callback_.emplace(std::move(token), Tell{&me->stopped_});
  }

  void Begins(AwaitedReply& wait, GiveUpFunction give_up) {
    wait_ = &wait;
    give_up_ = give_up;
  }
  void Drop() {
    wait_ = nullptr;
    callback_.reset();
  }
  void Over() {
    Drop();
    if (note_ != nullptr && !note_->ready()) {
      UnregisterAwaited(*note_);
      static_cast<AwaitedReply*>(note_)->abandon(*note_);
    }
    note_ = nullptr;
  }

 private:
  struct Stopped {
    std::shared_ptr<WaitCanceller> by;
    void operator()(const absl::Status&) const {
      by->note_ = nullptr;
      if (by->wait_ != nullptr) by->give_up_(*by->wait_, StopRequested());
    }
  };
  using Note = Continuation<void, Stopped>;
  struct Tell {
    Reply<void>* stopped;
    void operator()() const { stopped->Send(); }
  };

  AwaitedReply* wait_ = nullptr;
  GiveUpFunction give_up_ = nullptr;
  Note* note_ = nullptr;  // until it is handled
  Reply<void> stopped_;
  std::optional<std::stop_callback<Tell>> callback_;  // ends before `stopped_`
};

// `then`, for the time that it is not called.
template <class F>
class CancellableContinuation {
 public:
  CancellableContinuation(F then, std::shared_ptr<WaitCanceller> by)
      : then_(std::move(then)), by_(std::move(by)) {}
  CancellableContinuation(CancellableContinuation&&) = default;
  CancellableContinuation& operator=(CancellableContinuation&&) = delete;
  ~CancellableContinuation() {
    if (by_ != nullptr) by_->Drop();
  }

  void Begins(AwaitedReply& wait, GiveUpFunction give_up) {
    by_->Begins(wait, give_up);
    if constexpr (WantsToEndIt<F>) then_.Begins(wait, give_up);  // another token's
  }

  template <class Result>
  void operator()(Result&& result, Context& self) {
    std::exchange(by_, nullptr)->Over();
    if constexpr (std::invocable<F&, Result, Context&>) {
      std::invoke(then_, std::forward<Result>(result), self);
    } else {
      std::invoke(then_, std::forward<Result>(result));
    }
  }

 private:
  F then_;
  std::shared_ptr<WaitCanceller> by_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_WAIT_CANCELLER_H_
