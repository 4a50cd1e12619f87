// RevocableRecipient<M...>: a right to send that is weaker than the one it was made of, and that ends
// when whoever made it says so.
//
//   // May deposit and nothing else, 100 times a second at most, and until it is taken back.
//   troupe::RevocableRecipient<Deposit> lent =
//       account.Only<Deposit>().Limit(100, absl::Seconds(1));
//   shop.Send(Open{lent});                     // the shop has a Recipient<Deposit>
//   ...
//   lent.Revoke();                             // and now one that leads nowhere
//
// It is the caretaker of the object-capability literature (Redell, "Naming and Protection in Extendible
// Operating Systems", 1974; Miller, "Robust Composition", 2006, 9.3): a small actor in front of the
// receiver, whose ref is the weaker right. Whom it is given to has a Recipient like any other, to
// send through, ask, watch, bind to a name or attenuate once more. He can get past the caretaker only
// if somebody else gives him a stronger right. It is no membrane: refs that travel in messages or
// answers are not weakened.
//
// Take one to hand a right to somebody you do not trust for ever: a plug-in, a session, a peer on
// another machine. Where all that is wanted is fewer messages, Only (recipient.h) does it for nothing,
// but its holder knows who the receiver is, and can make an ActorRef of that (AnyRef::As). The holder of
// this one knows the caretaker.
//
// What passes   Messages and asks, with their sender, in the order of each sender. (Between what he
//               sends by this right and by another one there is no order.) Answers go to the asker
//               directly. What the receiver sends comes from the receiver, not from the caretaker.
// Refused       Send says kQueued when the caretaker has the message, so what it refuses is told by
//               the dead letter, whose target it is, and by the ask, which fails at once:
//                 beyond the limit         kFull      ask: kResourceExhausted
//                 the right has ended      Send says kClosed; what still waits is kStopped
//                                                     ask: kPermissionDenied
//               A receiver that is full refuses whatever his WhenFull says (the letter's target is he,
//               as it is if he has just ended): nobody waits for room through a caretaker. Its own mailbox has
//               no bound: a sender that is faster than the caretaker's turns needs a limit of his own.
//               An ask cycle that goes through a right is not noticed; the deadline ends it.
// The end       Revoke, RightLimits::expires, or the end of the receiver. Then all that was made of
//               this right has ended, too; what it was made of has not. Who watches it gets a Down:
//               kFailed if the receiver failed, else kNormal.
// Revoke        By any holder of a RevocableRecipient; a Recipient made of it cannot. Once it has
//               returned nothing that is sent later reaches the receiver, and of what was sent before
//               at most one message, which is passed on at that moment, beside what has been passed
//               on already. For a moment Send may still say kQueued: then the message is a dead letter. A
//               second time does nothing.
// Thread safety A value: copy it to any thread and use it there.
// Ownership     None. The right lasts until its end, whoever holds it, and by the System at the
//               latest; a right to an actor that stays should expire or be revoked.
// Cost          To make one: a Spawn and a Watch. To have one: an actor of some 400 bytes; with a
//               limit 600 more, and 16 for each message that passed within the last span. To use it: one
//               more hop, that is a Send and a turn of the caretaker, and a look at the clock if there is
//               a limit or an expiry: some 30 ns more for a message of a long burst, 60 with a limit
//               (runtime/notes/0014), and more where each message wakes the caretaker. The receiver and all other ways to it pay nothing.
#ifndef TROUPE_ACTORS_REVOCABLE_RECIPIENT_H_
#define TROUPE_ACTORS_REVOCABLE_RECIPIENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/attenuation.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/caretaker.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/recipient.h"

namespace troupe {

template <class... Ms>
class RevocableRecipient : public Recipient<Ms...> {
 public:
  RevocableRecipient() = default;  // refers to nobody

  void Revoke() const { internal::StopActor(*this, StopWhen::kNow); }

  // For the framework.
  RevocableRecipient(const AnyRef& caretaker,
                     const std::array<internal::Thunk, sizeof...(Ms)>& thunks)
      : Recipient<Ms...>(caretaker, thunks) {}
};

namespace internal {

// What a caretaker has to know of the right that it weakens.
template <class Right>
struct RightParts;
template <class... Ms>
struct RightParts<Recipient<Ms...>> {
  static Guarded Who(const Recipient<Ms...>& right) { return {right, {}}; }
  static std::vector<Thunk> Thunks(const Recipient<Ms...>& right) {
    return {right.template ThunkOf<Ms>()...};
  }
};
template <class M>
struct RightParts<Sender<M>> {
  static Guarded Who(const Sender<M>& right) { return {{}, right.id()}; }
  static std::vector<Thunk> Thunks(const Sender<M>&) { return {&DispatchToNobody<M>}; }
};

template <class... Ms, size_t... kIs>
RevocableRecipient<Ms...> RecipientOf(const AnyRef& caretaker, std::index_sequence<kIs...>) {
  if (!caretaker) return {};
  return {caretaker, {&Caretaker::PassOn<Ms, kIs>...}};
}

}  // namespace internal

template <class Right, class... Ms>
RevocableRecipient<Ms...> Attenuation<Right, Ms...>::Attenuate(RightLimits limits) const {
  using Parts = internal::RightParts<Right>;
  const Right& right = static_cast<const Right&>(*this);
  return internal::RecipientOf<Ms...>(
      internal::SpawnCaretaker(Parts::Who(right), Parts::Thunks(right), limits),
      std::index_sequence_for<Ms...>());
}

template <class Right, class... Ms>
RevocableRecipient<Ms...> Attenuation<Right, Ms...>::Limit(uint32_t messages,
                                                           absl::Duration per) const {
  return Attenuate({.messages = messages, .per = per});
}

template <class Right, class... Ms>
RevocableRecipient<Ms...> Attenuation<Right, Ms...>::Expires(absl::Time at) const {
  return Attenuate({.expires = at});
}

template <class Right, class... Ms>
RevocableRecipient<Ms...> Attenuation<Right, Ms...>::Expires(absl::Duration after) const {
  const Right& right = static_cast<const Right&>(*this);
  return Expires(internal::ExpiryOf(internal::RightParts<Right>::Who(right), after));
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_REVOCABLE_RECIPIENT_H_
