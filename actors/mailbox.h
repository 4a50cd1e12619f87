// Sender<M>, Receiver<M>: a mailbox as an object of its own, that belongs to no actor.
//
//   auto [jobs, inbox] = system.OpenMailbox<Job>("jobs", {.capacity = 64});
//   jobs.Send(Job{7});                               // any thread, any handler
//   ...
//   for (;;) {                                       // a coroutine
//     absl::StatusOr<troupe::Received<Job>> job = co_await inbox.Receive();
//     if (!job.ok()) co_return;                      // closed
//     Work(job->message);
//   }
//
// It is the indirect communication of the textbooks: sender and receiver know the mailbox, and not
// each other. Take one for a queue that several share, for a backlog that outlives its receiver, for
// messages between plain threads and actors, or where a sender wants to know when somebody has taken
// the message. To talk to an actor take its ref: that costs less, and needs no second object.
//
// Rights       A Sender is the right to send, and may be copied to anybody. A Receiver is the right to
//              receive, and has one owner at a time: it is moved, also in a message, be it to another
//              node (runtime/bridges/node.h), and takes the backlog along; senders do not notice. Share
//              makes one more; Receivers says who then gets what. Neither can do what the other does, and
//              nobody gets in without one, or a name, by which all of its System may send (FindMailbox).
// Moving       Who has given a Receiver away gets nothing more: what waits by it ends as soon as it is
//              moved (kCancelled), wherever to, so one that is waited for is in no container that
//              moves it; and a Pending... is begun before the move. What a waiter was given is his.
// Waiting      What may wait returns a Pending..., and you say how: Wait() on a plain thread, Then() in
//              a handler, co_await in a coroutine. No thread of the pool is held up meanwhile, as it may be
//              by Send. Nothing happens before you say it; a Pending... that is dropped has done nothing. In
//              a handler that answers an ask any wait ends by that one's deadline (Context::deadline()).
// Giving up    A receive that has timed out has taken nothing; a send that has timed out is never
//              delivered. What need not be waited for is done even if the timeout is 0. An actor that ends
//              waits no more, and what was on its way to it goes back to its place in the mailbox, even
//              one that is full; if the mailbox has ended, the message is a dead letter.
// The end      A mailbox is closed by Close, by the end of its last Receiver (unless
//              MailboxOptions::owner says otherwise), or by Shutdown. Then sends are kClosed, all who
//              wait are told at once, and what was left are dead letters, or can still be received
//              (Backlog). Who wants to close it when others receive keeps a right of his own (Share),
//              unused. That would not do with kByKey, where it gets keys, nor with kAll, where its
//              copies fill a bounded mailbox; kExclusivePair has no second right. There send whoever
//              receives a message that tells him to close it.
// Order        What one sender sends to one mailbox is taken out in that order, whoever takes it. With
//              kBlock, senders that wait for room get in in the order in which they came.
// Visibility   All that a sender did before is visible to who has received the message.
// Threads      A Sender may be used by several threads at once, and so may what it returns be used
//              elsewhere. A Receiver is used by one thread at a time.
// Lifetime     A Sender is valid while the System lives. A Receiver that outlives it is that of a closed
//              mailbox: it can be received from and destroyed. So can the end of a channel, by which nothing must be
//              sent then. Neither while the System is being destroyed on another thread.
// Cost         A Sender has 16 bytes, a mailbox some 0.8 KiB, with 4 more as soon as much has waited in it
//              at once, and a message travels as one to an actor does. Each send and each receive takes a
//              short lock, and while nobody waits the two ends do not take the same; one that waits takes a
//              block and two more wake-ups. A thread that finds nothing, or no room, looks for up to 100 us
//              before it sleeps if its last waits were as short as that, and a coroutine for 1 us, each in
//              the hope of finding several. Who sends 256 messages ahead of the receiver looks for 1 us, too.
#ifndef TROUPE_ACTORS_MAILBOX_H_
#define TROUPE_ACTORS_MAILBOX_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/attenuation.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/mailbox_spec.h"
#include "troupe/actors/internal/mailbox_waits.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/actors/internal/thread_wait.h"
#include "troupe/actors/internal/timed_mail.h"
#include "troupe/actors/mailbox_opening.h"
#include "troupe/actors/mailbox_options.h"
#include "troupe/actors/received.h"
#include "troupe/actors/send_result.h"

namespace troupe {

namespace internal {

AnyRef CurrentSender();
absl::Time DeadlineAt(const MailboxId& mailbox, absl::Duration timeout);  // by its system's clock
// Blocks the calling thread while the mailbox is full and may be waited for.
SendResult SendToMailbox(MailboxId to, Envelope& e, bool may_block);
// Never blocks; what is refused goes back to `from` (Return).
SendResult TryMailbox(MailboxId to, Envelope& e, void* from);
MailboxId OpenMailboxIn(ActorSpace& space, MailboxSpec spec);
absl::StatusOr<MailboxId> FindMailboxIn(ActorSpace& space, std::string_view name,
                                        MessageType message);
std::string MailboxToString(const MailboxId& id);
// No more comes in; what is there can still be received.
void CloseForSending(const MailboxId& id);
// Whoever will do that maybe after the end of its System says so: Refer once, and Unrefer at his own end.
void Refer(const MailboxId& id);
void Unrefer(const MailboxId& id);
absl::Status WhyNotShared(const MailboxId& id);
absl::Status WhyNotAttached(std::string_view name);

}  // namespace internal

// Made by Sender::Enqueue and Deliver.
class [[nodiscard]] PendingSend {
 public:
  using Result = absl::Status;

  PendingSend(PendingSend&& other) noexcept
      : to_(other.to_),
        message_(std::exchange(other.message_, nullptr)),
        until_taken_(other.until_taken_),
        timeout_(other.timeout_) {}
  PendingSend& operator=(PendingSend&&) = delete;
  ~PendingSend() {
    if (message_ != nullptr) internal::Discard(*message_, internal::Lost::kReplyDropped);
  }

  // OK                   the mailbox has it (Enqueue), or a receiver has (Deliver)
  // kDeadlineExceeded    not in time, and now it never will be
  // kUnavailable         the mailbox is closed, or was closed meanwhile
  // kResourceExhausted   it is full, and does not let senders wait
  // kPermissionDenied    SendResult::kNotAllowed; or Deliver where all get a copy
  // kInternal            copying the message threw (Receivers::kAll): nobody gets it
  // kFailedPrecondition  Wait() was called in a handler
  absl::Status Wait() &&;

  // `then` is called with the status, and a Context& if it takes one, as that of an ask (ask.h).
  template <class F>
    requires std::invocable<F&, absl::Status> || std::invocable<F&, absl::Status, Context&>
  void Then(Context& self, F then) && {
    internal::ContinueFromMailbox<void>(self, timeout_, std::move(then),
                                        [this](auto& slot, auto& waits) { Begin(slot, waits[0]); });
    if (message_ != nullptr) [[unlikely]]
      LoseUnsent();
  }

  // For the framework.
  PendingSend(internal::MailboxId to, internal::Envelope* message, bool until_taken,
              absl::Duration timeout)
      : to_(to), message_(message), until_taken_(until_taken), timeout_(timeout) {}
  // Nothing: it would have to wait.
  std::optional<absl::Status> TryNow();

 private:
  void Begin(internal::ReplySlotOf<void>& slot, internal::MailWaiter& waiter);
  void LoseUnsent();  // its actor was being destroyed before it began

  internal::MailboxId to_;
  internal::Envelope* message_;
  bool until_taken_;
  absl::Duration timeout_;
};

// Made by Sender::Closed.
class [[nodiscard]] PendingClose {
 public:
  using Result = absl::Status;

  // OK once the mailbox is closed; kDeadlineExceeded, kFailedPrecondition as PendingSend::Wait. Of a
  // mailbox on another node also an error that IsNodeLost (peer.h), if that is why.
  absl::Status Wait() &&;
  template <class F>
    requires std::invocable<F&, absl::Status> || std::invocable<F&, absl::Status, Context&>
  void Then(Context& self, F then) && {
    internal::ContinueFromMailbox<void>(self, timeout_, std::move(then),
                                        [this](auto& slot, auto& waits) { Begin(slot, waits[0]); });
  }

  // For the framework.
  PendingClose(internal::MailboxId of, absl::Duration timeout) : of_(of), timeout_(timeout) {}
  std::optional<absl::Status> TryNow() { return std::nullopt; }

 private:
  void Begin(internal::ReplySlotOf<void>& slot, internal::MailWaiter& waiter);

  internal::MailboxId of_;
  absl::Duration timeout_;
};

// Made by Sender::Ask: as a PendingAsk (ask.h), whoever receives the request. The answer is an error at
// once if the mailbox is full or closed, or is closed while the request is in it and drops what it has
// (with Backlog::kDrain it may still be received and answered), and if the receiver drops the Reply. A request
// that has expired is received all the same, with an empty Reply: look at it before the work. (ListenTo, which
// calls a handler, drops it.)
template <class R>
class [[nodiscard]] PendingMailAsk {
 public:
  using Result = AskResult<R>;

  PendingMailAsk(PendingMailAsk&& other) noexcept
      : to_(other.to_),
        request_(std::exchange(other.request_, nullptr)),
        reply_(other.reply_),
        timeout_(other.timeout_) {}
  PendingMailAsk& operator=(PendingMailAsk&&) = delete;
  ~PendingMailAsk() {
    if (request_ != nullptr) internal::Discard(*request_, internal::Lost::kReplyDropped);
  }

  AskResult<R> Wait() && {
    if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
    auto& slot = internal::WaitingThread<R>::Make(internal::DeadlineAt(to_, timeout_));
    Post(slot);
    return slot.Wait(to_.cell != nullptr ? &to_.cell->space() : nullptr, timeout_);
  }
  template <class F>
    requires std::invocable<F&, AskResult<R>> || std::invocable<F&, AskResult<R>, Context&>
  void Then(Context& self, F then) && {
    auto& awaited =
        internal::Continuation<R, F>::Make(internal::CurrentActorRef(), std::move(then));
    internal::RegisterAwaited(awaited, self, timeout_, AnyRef());
    Post(awaited);
  }

  // For the framework: `reply` lies in `request`.
  PendingMailAsk(internal::MailboxId to, internal::Envelope* request, Reply<R>* reply,
                 absl::Duration timeout)
      : to_(to), request_(request), reply_(reply), timeout_(timeout) {}
  std::optional<AskResult<R>> TryNow() { return std::nullopt; }

 private:
  void Post(internal::ReplySlotOf<R>& slot) {
    *reply_ = Reply<R>(&slot);
    internal::SendToMailbox(to_, *std::exchange(request_, nullptr), /*may_block=*/false);
  }

  internal::MailboxId to_;
  internal::Envelope* request_;
  Reply<R>* reply_;
  absl::Duration timeout_;
};

template <class M>
class Sender : public Attenuation<Sender<M>, M> {
 public:
  Sender() = default;  // of nobody's mailbox: Send says kClosed

  // A full mailbox does what its WhenFull says. kBlock: a plain thread sleeps, a handler lends its
  // worker's place to another thread, or holds it where no more may be lent
  // (Options::max_blocking_threads); a coroutine had better say co_await Enqueue.
  SendResult Send(M message, std::source_location where = std::source_location::current()) const {
    return internal::SendToMailbox(id_, *Pack(std::move(message), where), /*may_block=*/true);
  }
  // Never waits: a full mailbox with kBlock refuses with kFull, and one with a capacity of 0 unless
  // a receiver is waiting. What is refused, which is any answer but kQueued, is still yours: `message` is
  // as it was, unless its moves may throw; and it is a dead letter all the same, so that ignoring the
  // answer does not hide it.
  SendResult TrySend(M&& message,
                     std::source_location where = std::source_location::current()) const {
    return internal::TryMailbox(id_, *Pack(std::move(message), where), std::addressof(message));
  }
  SendResult TrySend(const M& message,
                     std::source_location where = std::source_location::current()) const
    requires std::copy_constructible<M>
  {
    return TrySend(M(message), where);
  }
  // Blocking, in the sense of: until the mailbox has it.
  PendingSend Enqueue(M message, absl::Duration timeout = absl::InfiniteDuration(),
                      std::source_location where = std::source_location::current()) const {
    return PendingSend(id_, Pack(std::move(message), where), false, timeout);
  }
  // Until a receiver has it.
  PendingSend Deliver(M message, absl::Duration timeout = absl::InfiniteDuration(),
                      std::source_location where = std::source_location::current()) const {
    return PendingSend(id_, Pack(std::move(message), where), true, timeout);
  }
  // A message with a Reply: whoever receives it owes an answer (Received::reply); where all receive it
  // that is the oldest right (Receivers::kAll). It never waits for room.
  auto Ask(M message, absl::Duration timeout = kDefaultAskTimeout,
           std::source_location where = std::source_location::current()) const
    requires internal::Askable<M>
  {
    auto* e = Pack(std::move(message), where);
    return PendingMailAsk<typename M::Reply>(id_, e, &e->reply, timeout);
  }
  // Until the mailbox is closed.
  PendingClose Closed(absl::Duration timeout = absl::InfiniteDuration()) const {
    return PendingClose(id_, timeout);
  }

  MailboxStats stats() const {
    return id_.cell != nullptr ? id_.cell->stats(id_.incarnation) : MailboxStats{.closed = true};
  }

  // False for a default-constructed one only.
  explicit operator bool() const { return id_.cell != nullptr; }
  // For people: "jobs#5e1f09c2", unlike all others that its System has open. It gives nobody a right.
  std::string ToString() const { return internal::MailboxToString(id_); }
  friend bool operator==(const Sender& a, const Sender& b) { return a.id_ == b.id_; }
  friend std::ostream& operator<<(std::ostream& out, const Sender& s) {
    return out << s.ToString();
  }
  template <typename H>
  friend H AbslHashValue(H h, const Sender& s) {
    return H::combine(std::move(h), s.id_.incarnation);
  }

  // For the framework.
  explicit Sender(internal::MailboxId id) : id_(id) {}
  const internal::MailboxId& id() const { return id_; }

 private:
  static internal::EnvelopeOf<M>* Pack(M&& message, std::source_location where) {
    auto* e =
        internal::EnvelopeOf<M>::Make(&internal::DispatchToNobody<M>, std::move(message), where);
    e->sender = internal::CurrentSender();
    return e;
  }

  internal::MailboxId id_;
};

static_assert(sizeof(Sender<int>) == 16 && std::is_trivially_copyable_v<Sender<int>>);

// Made by Receiver::Receive.
template <class M>
class [[nodiscard]] PendingReceive {
 public:
  using Result = absl::StatusOr<Received<M>>;

  // kDeadlineExceeded    nothing came in time
  // kUnavailable         the mailbox is closed and nothing is left, or was closed meanwhile
  // kCancelled           this Receiver was moved or destroyed meanwhile
  // kFailedPrecondition  somebody else is receiving (Receivers::kOneAtATime); or Wait() was called in
  //                      a handler
  Result Wait() && {
    if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
    if (auto now = TryNow()) return *std::move(now);
    internal::ThreadWait wait(from_, from_.cell->receivers_patience());
    if (wait.MailSoon(timeout_)) {
      if (auto now = TryNow()) {
        wait.Learn();
        return *std::move(now);
      }
    }
    auto mail = internal::WaitForMailbox<internal::Mail>(
        &from_.cell->space(), timeout_,
        [this](auto& slot, auto& waits) { internal::BeginReceive(from_, share_, slot, waits[0]); });
    if (!absl::IsUnavailable(mail.status())) wait.Learn();
    return Opened(std::move(mail));
  }

  // As PendingSend::Then, with the Result.
  template <class F>
    requires std::invocable<F&, absl::StatusOr<Received<M>>> ||
             std::invocable<F&, absl::StatusOr<Received<M>>, Context&>
  void Then(Context& self, F then) && {
    internal::ContinueFromMailbox<internal::Mail>(
        self, timeout_,
        internal::AfterFirst(
            [](absl::StatusOr<internal::Mail>&& mail) { return Opened(std::move(mail)); },
            std::move(then)),
        [this](auto& slot, auto& waits) { internal::BeginReceive(from_, share_, slot, waits[0]); });
  }

  // For the framework.
  PendingReceive(internal::MailboxId from, uint32_t share, absl::Duration timeout)
      : from_(from), share_(share), timeout_(timeout) {}
  // Nothing: it would have to wait.
  std::optional<Result> TryNow() {
    using TakeResult = internal::MailboxCell::TakeResult;
    if (from_.cell == nullptr) return internal::StatusOf(TakeResult::kClosed);
    internal::Mail mail;
    const TakeResult result = from_.cell->Take(from_.incarnation, share_, mail, nullptr);
    if (result == TakeResult::kEmpty) return std::nullopt;
    if (result != TakeResult::kMail) return internal::StatusOf(result);
    return internal::Open<M>(mail.Unpack());
  }
  // Of a coroutine, likewise, that has found nothing.
  std::optional<Result> TrySoon() { return internal::MailSoon(from_) ? TryNow() : std::nullopt; }

 private:
  static Result Opened(absl::StatusOr<internal::Mail> mail) {
    if (!mail.ok()) return mail.status();
    return internal::Open<M>(mail->Unpack());
  }

  internal::MailboxId from_;
  uint32_t share_;
  absl::Duration timeout_;
};

template <class M>
class Receiver {
 public:
  using Message = M;

  Receiver() = default;                // of nobody's mailbox: Receive says kUnavailable
  Receiver(const Receiver&) = delete;  // std::move it, or Share() one more right
  Receiver(Receiver&& other) noexcept { TakeOver(other); }
  Receiver& operator=(Receiver&& other) noexcept {
    if (this != &other) {
      Drop();
      TakeOver(other);
    }
    return *this;
  }
  ~Receiver() { Drop(); }

  PendingReceive<M> Receive(absl::Duration timeout = absl::InfiniteDuration()) {
    return PendingReceive<M>(source().id, share_, timeout);
  }
  // What is there now, or nothing, be the mailbox empty or closed (stats().closed).
  std::optional<Received<M>> TryReceive() {
    auto now = PendingReceive<M>(id_, share_, absl::ZeroDuration()).TryNow();
    if (!now.has_value() || !now->ok()) return std::nullopt;
    return **std::move(now);
  }

  // One more right to the same mailbox, as good as the first: a shared right has no type of its own.
  // kFailedPrecondition: Receivers::kExclusivePair; kUnavailable: it is closed.
  absl::StatusOr<Receiver> Share() {
    const uint32_t share = id_.cell != nullptr ? id_.cell->AddShare(id_.incarnation) : 0;
    if (share == 0) return internal::WhyNotShared(id_);
    return Receiver(id_, share);
  }

  // Closes the mailbox, for all. The number of messages that waited in it (kAll: of copies), and were
  // dropped or are left to receive. What senders hold who wait for room is not in it: they are told
  // kUnavailable, and it is a dead letter either way.
  size_t Close(Backlog backlog) {
    return id_.cell != nullptr ? id_.cell->Close(id_.incarnation, backlog) : 0;
  }

  MailboxStats stats() const { return Sender<M>(id_).stats(); }
  explicit operator bool() const { return id_.cell != nullptr; }
  std::string ToString() const { return internal::MailboxToString(id_); }
  friend std::ostream& operator<<(std::ostream& out, const Receiver& r) {
    return out << r.ToString();
  }

  // For the framework.
  Receiver(internal::MailboxId id, uint32_t share) : id_(id), share_(share) {}
  const internal::MailboxId& id() const { return id_; }
  uint32_t share() const { return share_; }
  // To wait by this right, where it is now.
  internal::MailSource source() {
    may_be_waited_for_ = true;
    return {id_, share_};
  }
  void Release() {  // the right, which is the caller's from now on
    id_ = {};
    share_ = 0;
  }

 private:
  void Drop() {
    if (id_.cell != nullptr) id_.cell->DropShare(id_.incarnation, share_);
  }
  // Who waits where the right was has it no longer.
  void TakeOver(Receiver& other) {
    if (other.may_be_waited_for_ && other)
      other.id_.cell->CallOff(other.id_.incarnation, other.share_);
    id_ = std::exchange(other.id_, {});
    share_ = std::exchange(other.share_, 0);
    may_be_waited_for_ = other.may_be_waited_for_ = false;
  }

  internal::MailboxId id_;
  uint32_t share_ = 0;
  bool may_be_waited_for_ = false;  // at this place: else a move takes no lock
};

template <class M>
struct OpenedMailbox {
  Sender<M> sender;
  Receiver<M> receiver;
};

template <class Owner>
template <class M>
OpenedMailbox<M> MailboxOpening<Owner>::OpenMailbox(std::string_view name,
                                                    MailboxOptions<M> options) {
  const internal::MailboxId id =
      internal::OpenMailboxIn(space(), internal::SpecOf<M>(name, std::move(options)));
  return {Sender<M>(id),
          Receiver<M>(id, id.cell != nullptr ? internal::MailboxCell::kFirstShare : 0)};
}

template <class Owner>
template <class M>
OpenedMailbox<M> MailboxOpening<Owner>::OpenMailbox(MailboxOptions<M> options) {
  return OpenMailbox<M>({}, std::move(options));
}

template <class Owner>
template <class M>
absl::StatusOr<Sender<M>> MailboxOpening<Owner>::FindMailbox(std::string_view name) {
  absl::StatusOr<internal::MailboxId> id =
      internal::FindMailboxIn(space(), name, internal::MessageTypeFor<M>());
  if (!id.ok()) return id.status();
  return Sender<M>(*id);
}

template <class Owner>
template <class M>
absl::StatusOr<Receiver<M>> MailboxOpening<Owner>::AttachReceiver(std::string_view name) {
  absl::StatusOr<internal::MailboxId> id =
      internal::FindMailboxIn(space(), name, internal::MessageTypeFor<M>());
  if (!id.ok()) return id.status();
  const uint32_t share = id->cell->Attach(id->incarnation);
  if (share == 0) return internal::WhyNotAttached(name);
  return Receiver<M>(*id, share);
}

}  // namespace troupe

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h
#include "troupe/actors/internal/mailbox_awaiter.h"
#endif

#endif  // TROUPE_ACTORS_MAILBOX_H_
