// DirectLink<M...>: the link between two actors.
#ifndef TROUPE_ACTORS_DIRECT_LINK_H_
#define TROUPE_ACTORS_DIRECT_LINK_H_

#include <array>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/send_result.h"

namespace troupe {

namespace internal {

AnyRef CurrentSender();
// `e` comes from neither end; it goes back to `from` (Return).
SendResult RefuseStranger(const AnyRef& end, Envelope& e, void* from);

// Of a message to nobody, since its sender has no right.
template <class M>
void DispatchNotAllowed(Envelope& base, Delivery& d) {
  if (d.lost == Lost::kReceiverGone) d.lost = Lost::kNotAllowed;
  static_cast<EnvelopeOf<M>&>(base).Lose(d);
}

}  // namespace internal

// Between each pair there is exactly one, in both directions, and making it is naming the pair: whoever
// says (p, q) or (q, p), and however often, has the same link. What one end sends by it the other one
// handles; what anybody else sends is refused.
//
//   troupe::DirectLink<Move> game(alice, bob);          // anywhere; give it to both
//   ...
//   game_.Send(Move{"e4"});                             // in a handler of Alice: to Bob
//   game_.Send(Move{"e5"});                             // in a handler of Bob: to Alice
//
// Both ends handle all the messages; where each has its own take OpenChannel (channel.h), whose ends
// are two objects. The messages are ordinary ones, in the mailboxes of the ends: a handler tells by
// Context::sender() that one came from its peer, and a process receives from this link with
// ReceiveFrom(link.peer()). A link takes nobody's other rights away: who has a ref to an end may send
// to it past the link. A weakened right (revocable_recipient.h) is a bad end: it is somebody in
// between, so what is sent by its receiver, who has another name, is refused.
//
// The end       A link has the ends of its two actors. When one has ended sends of the other are kClosed,
//               as by his ref, and that stays so; one whom a supervisor makes anew has not ended. Watch
//               peer() to be told.
// Thread safety A value: copy it to any thread. It is used in handlers of its ends; a plain thread is
//               nobody's end.
// Ownership     None.
// Errors        Somebody else sends: kNotAllowed, and a dead letter; asks: kPermissionDenied.
// Lifetime      Valid while the System lives.
// Cost          Two Recipients. A send: that of a Recipient, and finding out who is acting.
template <class... Ms>
class DirectLink {
 public:
  DirectLink() = default;  // of nobody
  DirectLink(const Recipient<Ms...>& p, const Recipient<Ms...>& q)
      : ends_(AnyRef(q) < AnyRef(p) ? Ends{q, p} : Ends{p, q}) {}

  // In a handler of one end, the other one; elsewhere nobody.
  Recipient<Ms...> peer() const {
    const AnyRef me = internal::CurrentSender();
    if (me && me == ends_[0]) return ends_[1];
    if (me && me == ends_[1]) return ends_[0];
    return Recipient<Ms...>(AnyRef(), {&internal::DispatchNotAllowed<Ms>...});
  }

  // As those of ActorRef.
  template <class M>
  SendResult Send(M&& message, std::source_location where = std::source_location::current()) const {
    const Recipient<Ms...> to = peer();
    return to ? to.Send(std::forward<M>(message), where) : Refuse(std::forward<M>(message), where);
  }
  template <class M>
  SendResult TrySend(M&& message,
                     std::source_location where = std::source_location::current()) const {
    const Recipient<Ms...> to = peer();
    return to ? to.TrySend(std::forward<M>(message), where)
              : Refuse(std::forward<M>(message), where);
  }
  template <class M>
  auto Ask(M&& message, absl::Duration timeout = kDefaultAskTimeout,
           std::source_location where = std::source_location::current()) const {
    return peer().Ask(std::forward<M>(message), timeout, where);
  }

  // "Player#5e1f09c2--Player#77aa01b3". It gives nobody a right.
  std::string ToString() const { return ends_[0].ToString() + "--" + ends_[1].ToString(); }
  friend bool operator==(const DirectLink& a, const DirectLink& b) {
    return a.ends_[0] == b.ends_[0] && a.ends_[1] == b.ends_[1];
  }
  template <typename H>
  friend H AbslHashValue(H h, const DirectLink& link) {
    return H::combine(std::move(h), AnyRef(link.ends_[0]), AnyRef(link.ends_[1]));
  }

 private:
  using Ends = std::array<Recipient<Ms...>, 2>;

  template <class M>
  SendResult Refuse(M&& message, std::source_location where) const {
    using Message = std::decay_t<M>;
    if constexpr (internal::Movable<Message> && internal::kIsOneOf<Message, Ms...>) {
      return internal::RefuseStranger(
          ends_[0],
          *internal::Pack<DirectLink>(&internal::DispatchNotAllowed<Message>,
                                      std::forward<M>(message), where),
          internal::MovedFrom(std::forward<M>(message)));
    } else {
      return SendResult::kNotAllowed;  // Recipient::Send has said its sentence
    }
  }

  Ends ends_;  // in the order of their refs
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_DIRECT_LINK_H_
