// ListenTo: an actor takes messages from further mailboxes, beside its own.
#ifndef TROUPE_ACTORS_LISTEN_H_
#define TROUPE_ACTORS_LISTEN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/channel.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/select.h"

namespace troupe {

namespace internal {

// Into the mailbox of the actor at hand, whatever its capacity, without a new sender.
void PostToSelf(Envelope& e);

// Kept by what it waits for, or by the message that follows the one at hand.
template <class A, class... Ms>
class Listener : public std::enable_shared_from_this<Listener<A, Ms...>> {
 public:
  explicit Listener(Receiver<Ms>&&... from) : from_(std::move(from)...) {}

  void Next(Context& self) {
    const auto sources = Sources(std::index_sequence_for<Ms...>());
    ContinueFromMailbox<Mail, kCount>(
        self, absl::InfiniteDuration(),
        [me = this->shared_from_this()](absl::StatusOr<Mail> mail, Context& here) {
          me->Handle(std::move(mail), here);
        },
        [&sources](auto& slot, auto& waits) { BeginSelect(sources, slot, waits.all()); });
  }

 private:
  static constexpr size_t kCount = sizeof...(Ms);

  // The message goes through the actor's own mailbox, so that it waits while a handler is suspended. If
  // the actor ends before its turn it goes back to where it came from, before that is closed.
  struct Carrier {
    std::shared_ptr<Listener> listener;
    Mail mail;
  };
  static void Deliver(Envelope& base, Delivery& d) {
    auto& e = static_cast<EnvelopeOf<Carrier>&>(base);
    if (d.verb != Delivery::Verb::kHandle) return e.Lose(d);
    const std::shared_ptr<Listener> listener = std::move(e.message.listener);
    Mail mail = std::move(e.message.mail);
    const uint64_t address = e.address | kLetter;
    e.Free();
    const Thunk thunk = listener->ThunkOf(mail.source(), std::index_sequence_for<Ms...>());
    listener->Next(*d.self);
    Envelope& message = mail.Unpack();
    message.address = address;  // as if it had been sent here: it may still be lost, for a reason
    thunk(message, d);          // may throw
  }

  void Handle(absl::StatusOr<Mail> mail, Context& self) {
    if (absl::IsFailedPrecondition(mail.status())) return self.Fail(mail.status());  // kBusy
    if (!mail.ok()) {
      const std::optional<size_t> ended = SelectErrorIndex(mail.status());
      // That of an ask in whose handler it began to listen, and nothing to it.
      const bool by_deadline = absl::IsDeadlineExceeded(mail.status()) && !ended.has_value();
      if (by_deadline || Drop(ended, std::index_sequence_for<Ms...>())) Next(self);
      return;
    }
    const AnyRef sender = mail->sender();
    auto& e = *EnvelopeOf<Carrier>::Make(
        &Deliver, Carrier{this->shared_from_this(), *std::move(mail)}, std::source_location());
    e.sender = sender;
    PostToSelf(e);
  }

  template <size_t... kIs>
  std::array<MailSource, kCount> Sources(std::index_sequence<kIs...>) {
    return {MailSource{std::get<kIs>(from_).id(), std::get<kIs>(from_).share()}...};
  }
  template <size_t... kIs>
  Thunk ThunkOf(const MailSource& from, std::index_sequence<kIs...> all) {
    const auto sources = Sources(all);
    Thunk thunk = nullptr;
    (void)((sources[kIs] == from && (thunk = ThunkFor<A, Ms>(), true)) || ...);
    return thunk;
  }
  // Whether any is left.
  template <size_t... kIs>
  bool Drop(std::optional<size_t> index, std::index_sequence<kIs...>) {
    (void)((index == kIs && (std::get<kIs>(from_) = Receiver<Ms>(), true)) || ...);
    return index.has_value() && (static_cast<bool>(std::get<kIs>(from_)) || ...);
  }

  std::tuple<Receiver<Ms>...> from_;
};

template <class M>
Receiver<M>&& RightToListen(Receiver<M>&& from) {
  return std::move(from);
}
template <class M>
Receiver<M>&& RightToListen(Receiver<M>& from) = delete;  // std::move it, or Share() one more right
template <class Out, class In>
Receiver<In> RightToListen(ChannelEnd<Out, In>& from) {
  return from.TakeReceiver();
}

}  // namespace internal

// From now on this actor's handlers get the messages of these mailboxes, too, as if they had been
// sent to it. At most one at a time waits in its own mailbox: the others stay where they are, and a
// full mailbox stays full.
//
//   void OnStart(troupe::Context& self) { ListenTo(this, self, std::move(urgent_), std::move(orders_)); }
//   void On(Order order) { ... }
//
// Order: if several have something, the first named comes first; that is a priority among these
// mailboxes, and not over the actor's own. What is taken from them goes to the end of its own mailbox, and
// the next is taken before the one at hand is handled. So what comes to the first named waits behind
// what is in the actor's own by then, and behind one that was taken before. Where that one is all that
// it may wait for, let the actor get everything by such mailboxes, and send it nothing.
//
// Of a channel (channel.h) it takes an end as it is, not moved: the end keeps the right to send, and is
// listened to until the other one is destroyed.
//
// `me` is the actor at hand; it has handlers for all of them, or this does not compile. The actor owns
// the receive rights until it ends or a mailbox is closed, also where it begins to listen in a handler that
// answers an ask, whose deadline is nothing to that. If it may not receive from one of them now
// (Receivers::kOneAtATime: somebody else does) it fails. Each message costs one more, that the actor
// sends to itself.
template <class A, class... Rs>
void ListenTo(A* me, Context& self, Rs&&... from) {
  if (!self.ref(me)) return;  // somebody else
  if (!(from || ...)) return;
  std::make_shared<internal::Listener<A, typename std::remove_cvref_t<Rs>::Message...>>(
      internal::RightToListen(std::forward<Rs>(from))...)
      ->Next(self);
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_LISTEN_H_
