// PendingReceive: what the body of a process waits for, and ProcessInbox: where it comes in.
//
// P1  While the body waits, nothing in the file is what it waits for. So a message that it waits for
//     is the oldest such when it comes, and is handed over without being filed.
// P2  The body is one chain of tasks, so at most one receive is pending.
// P3  A message leaves mailbox or file in the same step in which the body is resumed with it: nothing
//     that ends a receive otherwise, and nothing that unwinds the body, can come between and lose it.
#ifndef TROUPE_ACTORS_INTERNAL_PENDING_RECEIVE_H_
#define TROUPE_ACTORS_INTERNAL_PENDING_RECEIVE_H_

#include <coroutine>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/coroutine_handler.h"
#include "troupe/actors/internal/message_file.h"
#include "troupe/actors/internal/pending_replies.h"
#include "troupe/actors/reply.h"
#include "troupe/core/task.h"

namespace troupe::internal {

// So many receives are served from the file before the run loop sees to its budget again.
inline constexpr uint32_t kMostInARow = 16;

class PendingReceive;

class ProcessInbox {
 public:
  // Whether this envelope, of that kind, holds an ask nobody waits for any more.
  using Expired = bool (*)(const Envelope& e, uint32_t kind);

  ProcessInbox(MessageFile::Kind* kinds, uint64_t all, Expired expired)
      : file_(kinds, all), expired_(expired) {}

  void Open() { file_.Open(); }
  void Arrive(Envelope& e, uint32_t kind);
  void Ended(const AnyRef& who);
  void LoseAll() { file_.LoseAll(); }

 private:
  friend class PendingReceive;  // its half that lives in the body's frame

  struct DeadlinePassed {
    ProcessInbox& inbox;
    uint64_t ticket;
    void operator()(const absl::Status&) const { inbox.Expire(ticket); }
  };
  using Deadline = Continuation<void, DeadlinePassed>;

  void Expire(uint64_t ticket);
  // True: `e` was, and is a dead letter now.
  bool LoseIfExpired(Envelope& e, uint32_t kind) {
    if (!expired_(e, kind)) return false;
    file_.Lose(e, DeadLetterReason::kExpired);
    return true;
  }

  MessageFile file_;
  const Expired expired_;
  PendingReceive* waiting_ = nullptr;  // P2
  uint64_t tickets_ = 0;
  uint32_t in_a_row_ = 0;
};

// The part of a receive that knows no types.
class PendingReceive : public TaskAwaitable {
 public:
  struct Wish {
    uint64_t kinds;
    absl::Duration timeout = absl::InfiniteDuration();
    bool from_anyone = true;
    AnyRef from = {};
  };

  PendingReceive(ProcessInbox& inbox, const Wish& wish) : inbox_(inbox), wish_(wish) {}
  PendingReceive(const PendingReceive&) = delete;
  PendingReceive& operator=(const PendingReceive&) = delete;
  ~PendingReceive() {
    if (inbox_.waiting_ == this) inbox_.waiting_ = nullptr;
  }

  bool await_ready() { return ++inbox_.in_a_row_ <= kMostInARow && Take(); }

  template <std::derived_from<TaskFrame> Promise>
  void await_suspend(std::coroutine_handle<Promise> by) {
    run_ = &HandlerRun::SuspendAt(by.promise());
    std::exchange(inbox_.in_a_row_, 0) > kMostInARow ? StepAside() : Wait();
  }

 protected:
  const MessageFile::Taken& taken() const { return taken_; }
  // Why there is no message.
  absl::Status error() const {
    return gone_ ? absl::UnavailableError(wish_.from.ToString() + " has ended")
                 : absl::DeadlineExceededError("no message within " +
                                               absl::FormatDuration(wish_.timeout));
  }

 private:
  friend class ProcessInbox;

  bool Take() {
    do {
      taken_ = wish_.from_anyone ? inbox_.file_.Take(wish_.kinds)
                                 : inbox_.file_.TakeFrom(wish_.kinds, wish_.from);
      if (taken_.envelope == nullptr) return false;
    } while (inbox_.LoseIfExpired(*taken_.envelope, taken_.kind));
    return true;
  }

  bool Wants(const Envelope& e, uint32_t kind) const {
    return (wish_.kinds >> kind & 1) != 0 && (wish_.from_anyone || wish_.from == e.sender);
  }

  void Wait() {
    inbox_.waiting_ = this;
    const AnyRef self = run_->context().self();
    // Stays in place, so that to name somebody again costs a look-up.
    if (!wish_.from_anyone && wish_.from != self) run_->context().Watch(wish_.from);
    if (wish_.timeout == absl::InfiniteDuration()) return;
    ticket_ = ++inbox_.tickets_;
    deadline_ = &ProcessInbox::Deadline::Make(self, {inbox_, ticket_});
    if (wish_.timeout <= absl::ZeroDuration()) return AnswerBehindMailbox(*deadline_);
    RegisterSleep(*deadline_, wish_.timeout);
    deadline_->Release();  // the reference that a request would have
  }

  // Lets the messages in the mailbox, and other actors, have their turn.
  void StepAside() {
    auto back = [this](const absl::Status&) { Take() ? run_->Continue() : Wait(); };
    AnswerBehindMailbox(Continuation<void, decltype(back)>::Make(run_->context().self(), back));
  }

  template <class F>
  static void AnswerBehindMailbox(Continuation<void, F>& awaited) {
    RegisterSleep(awaited, absl::InfiniteDuration());
    Reply<void>(&awaited).Send();
  }

  void Resume() {
    inbox_.waiting_ = nullptr;
    inbox_.in_a_row_ = 0;
    // One that has passed is on its way, and its ticket is not valid any more.
    if (deadline_ != nullptr && !deadline_->ready()) {
      UnregisterAwaited(*deadline_);
      static_cast<AwaitedReply*>(deadline_)->abandon(*deadline_);
    }
    run_->Continue();
  }

  ProcessInbox& inbox_;
  const Wish wish_;
  HandlerRun* run_ = nullptr;
  ProcessInbox::Deadline* deadline_ = nullptr;
  uint64_t ticket_ = 0;
  MessageFile::Taken taken_;
  bool gone_ = false;
};

// Consumes the envelope.
inline void ProcessInbox::Arrive(Envelope& e, uint32_t kind) {
  const bool expired = expired_(e, kind);
  const bool wanted = !expired && waiting_ != nullptr && waiting_->Wants(e, kind);
  if (!expired && !wanted) return file_.Add(e, kind);
  file_.Pass(e);
  if (expired) return file_.Lose(e, DeadLetterReason::kExpired);
  waiting_->taken_ = {&e, kind};
  waiting_->Resume();
}

// What he sent came before (exit.h).
inline void ProcessInbox::Ended(const AnyRef& who) {
  if (waiting_ == nullptr || waiting_->wish_.from_anyone || waiting_->wish_.from != who) return;
  waiting_->gone_ = true;
  waiting_->Resume();
}

inline void ProcessInbox::Expire(uint64_t ticket) {
  if (waiting_ == nullptr || waiting_->ticket_ != ticket) return;
  waiting_->deadline_ = nullptr;  // it is what called this
  waiting_->Resume();
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_PENDING_RECEIVE_H_
