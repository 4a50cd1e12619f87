// NamedRecipient<M...>: whoever has a name when a message is sent to it.
#ifndef TROUPE_ACTORS_NAMED_RECIPIENT_H_
#define TROUPE_ACTORS_NAMED_RECIPIENT_H_

#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/actors/internal/route_table.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/send_result.h"

namespace troupe {

// FindLate (naming.h) makes one. It is bound late: each Send and each Ask looks up who has the name
// now, so it follows a Rebind, and may be made before the first Bind.
//
//   troupe::NamedRecipient<Deposit, Balance> alice = system.FindLate<Deposit, Balance>("bank/alice");
//   alice.Send(Deposit{100});                       // kClosed: nobody has the name
//   system.Bind<Deposit, Balance>("bank/alice", account);
//   alice.Send(Deposit{100});                       // kQueued
//
// Keep one where the actor behind a name is replaced while others go on sending. Where it stays the
// same, or where to talk to one actor and no other matters (a conversation, Watch, a timer), use the
// Recipient that Find returns: it is cheaper, and says kClosed once that actor has ended.
//
// Thread safety  A value: copy it to any thread and use it there; one may also be shared.
// Ownership      Keeps no actor alive, and the name no more than the actor.
// Order          From one sender to one actor: that of the Sends. What goes to two, because of a
//                Rebind in between, has no order. Once a Send went to the new actor, no later one by
//                that sender, of whatever message, goes to the old.
// Errors         Nobody has the name, or it was bound without this message: as a Send to nobody,
//                kClosed (and a dead letter, if the sender is an actor); an Ask fails with
//                kUnavailable at once. The one who has it has ended: the same, and it is his dead
//                letter. No other is chosen.
// Lifetime       Valid while the System lives, and that of the actor.
// Cost           16 bytes. Send: ActorRef's, and reading a few words that change only with the name.
//                They are searched for the message, in the order in which Bind named them. A copy
//                writes a count that copies share. A Send that meets a change in the middle waits
//                for its lock.
template <class... Ms>
class NamedRecipient {
 public:
  static_assert(sizeof...(Ms) > 0, "Troupe: a NamedRecipient carries at least one message type.");

  NamedRecipient() = default;  // a name that nobody ever has

  // From one that carries more.
  template <class... Others>
    requires(internal::kIsOneOf<Ms, Others...> && ...)
  NamedRecipient(const NamedRecipient<Others...>& other)  // NOLINT: implicit by design
      : routes_(other.routes_) {}

  // As ActorRef::Send, to whoever has the name now.
  template <class M>
  SendResult Send(M&& message, std::source_location where = std::source_location::current()) const {
    const internal::Route route = RouteOf<std::decay_t<M>>();
    return internal::SendThrough<NamedRecipient>(route.to, route.thunk, std::forward<M>(message),
                                                 where);
  }
  template <class M>
  SendResult TrySend(M&& message,
                     std::source_location where = std::source_location::current()) const {
    const internal::Route route = RouteOf<std::decay_t<M>>();
    return internal::TryThrough<NamedRecipient>(route.to, route.thunk, std::forward<M>(message),
                                                where);
  }

  // As ActorRef::Ask. The name is looked up by this call, not by the Wait or Then that sends.
  template <class M>
  auto Ask(M&& message, absl::Duration timeout = kDefaultAskTimeout,
           std::source_location where = std::source_location::current()) const {
    using Message = std::decay_t<M>;
    if constexpr (internal::Askable<Message>) {
      const internal::Route route = RouteOf<Message>();
      return internal::AskThrough<NamedRecipient>(route.to, route.thunk, std::forward<M>(message),
                                                  timeout, where);
    } else {
      internal::RefuseToAsk<NamedRecipient, Message>();
      return internal::RefusedAsk();
    }
  }

  // For the framework.
  explicit NamedRecipient(std::shared_ptr<internal::RouteTable> routes)
      : routes_(std::move(routes)) {}

 private:
  template <class... Others>
  friend class NamedRecipient;  // one that carries less is made of its routes

  template <class M>
  internal::Route RouteOf() const {
    if constexpr (internal::kIsOneOf<M, Ms...>) {
      internal::Route route;
      if (routes_ != nullptr) {
        route = routes_->At(internal::PlaceOf(internal::MessageTypeFor<M>()));
      }
      if (!route.to) route.thunk = &internal::DispatchToNobody<M>;
      return route;
    } else {
      internal::RefuseToCarry<NamedRecipient, M>();
      return {};
    }
  }

  std::shared_ptr<internal::RouteTable> routes_;  // nullptr: of no name
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_NAMED_RECIPIENT_H_
