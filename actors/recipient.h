// Recipient<M...>: somebody who takes these messages, whatever class he is.
#ifndef TROUPE_ACTORS_RECIPIENT_H_
#define TROUPE_ACTORS_RECIPIENT_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/attenuation.h"
#include "troupe/actors/enqueue.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/send_result.h"

namespace troupe {

namespace internal {
template <class M, class... Ms>
inline constexpr bool kIsOneOf = (std::same_as<M, Ms> || ...);

template <class M, class... Ms>
constexpr size_t IndexOf() {
  size_t i = 0;
  (void)((std::same_as<M, Ms> || (++i, false)) || ...);
  return i;
}

template <class Actor, class Message>
constexpr void RefuseToCarry() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_RECIPIENT_LACKS_MESSAGE);
}
}  // namespace internal

// An ActorRef that has forgotten the class and kept one function per message. It is what an actor
// asks for when it does not care who answers: a logger, a sink, the next stage. With it one can send
// these messages and nothing else (no Stop, no As).
//
//   class Sensor {
//    public:
//     explicit Sensor(troupe::Recipient<Reading, Alarm> out);
//   };
//   // Any ActorRef whose actor handles Reading and Alarm; else one sentence at compile time.
//   system.Spawn<Sensor>(store);
//
// The compiler sees to that, and it costs nothing; but it protects against mistakes only. A Recipient
// is also the identity of the actor, an AnyRef, and whoever can name the class makes an ActorRef of
// that (AnyRef::As). Give those you do not trust an attenuated right (revocable_recipient.h), which is
// the identity of another actor. On another node nobody can make more of a Recipient than it is.
//
// It is the same type wherever the actor is, in this process, in another one or on another computer
// (runtime/bridges/node.h); place() tells which.
//
// Everything said at ActorRef holds, but for the size: 16 bytes and 8 for each message.
template <class... Ms>
class Recipient : public AnyRef, public Attenuation<Recipient<Ms...>, Ms...> {
 public:
  static_assert(sizeof...(Ms) > 0, "Troupe: a Recipient carries at least one message type.");

  Recipient() = default;  // refers to nobody

  template <class A>
  Recipient(const ActorRef<A>& ref)  // NOLINT: implicit by design
      : AnyRef(ref), thunks_{internal::ThunkFor<A, Ms>()...} {}

  // From a recipient that carries more.
  template <class... Others>
    requires(internal::kIsOneOf<Ms, Others...> && ...)
  Recipient(const Recipient<Others...>& other)  // NOLINT: implicit by design
      : AnyRef(other), thunks_{other.template ThunkOf<Ms>()...} {}

  template <class M>
  SendResult Send(M&& message, std::source_location where = std::source_location::current()) const {
    return internal::SendThrough<Recipient>(*this, ThunkOf<std::decay_t<M>>(),
                                            std::forward<M>(message), where);
  }
  template <class M>
  SendResult TrySend(M&& message,
                     std::source_location where = std::source_location::current()) const {
    return internal::TryThrough<Recipient>(*this, ThunkOf<std::decay_t<M>>(),
                                           std::forward<M>(message), where);
  }
  template <class M>
  PendingEnqueue Enqueue(M&& message, absl::Duration timeout = absl::InfiniteDuration(),
                         std::source_location where = std::source_location::current()) const {
    return internal::EnqueueThrough<Recipient>(*this, ThunkOf<std::decay_t<M>>(),
                                               std::forward<M>(message), timeout, where);
  }
  template <class M>
  auto Ask(M&& message, absl::Duration timeout = kDefaultAskTimeout,
           std::source_location where = std::source_location::current()) const {
    using Message = std::decay_t<M>;
    if constexpr (internal::Askable<Message>) {
      return internal::AskThrough<Recipient>(*this, ThunkOf<Message>(), std::forward<M>(message),
                                             timeout, where);
    } else {
      internal::RefuseToAsk<Recipient, Message>();
      return internal::RefusedAsk();
    }
  }

  // The class is forgotten: to name it again would be to take a right that was not given.
  template <class A>
  std::optional<ActorRef<A>> As() const = delete;

  // The right to send some of these messages. Limit, Expires and Attenuate weaken it further: see
  // attenuation.h.
  template <class... Fewer>
  Recipient<Fewer...> Only() const {
    return *this;
  }

  // For the framework: the caller knows that `ref` takes the messages by these thunks.
  Recipient(const AnyRef& ref, const std::array<internal::Thunk, sizeof...(Ms)>& thunks)
      : AnyRef(ref), thunks_(thunks) {}
  template <class M>
  internal::Thunk ThunkOf() const {
    if constexpr (internal::kIsOneOf<M, Ms...>) {
      return thunks_[internal::IndexOf<M, Ms...>()];
    } else {
      internal::RefuseToCarry<Recipient, M>();
      return nullptr;
    }
  }

 private:
  std::array<internal::Thunk, sizeof...(Ms)> thunks_{&internal::DispatchToNobody<Ms>...};
};

namespace internal {
// The function by which a ref of either kind delivers an M.
template <class M, class A>
constexpr Thunk ThunkTo(const ActorRef<A>&) {
  return ThunkFor<A, M>();
}
template <class M, class... Ms>
Thunk ThunkTo(const Recipient<Ms...>& to) {
  return to.template ThunkOf<M>();
}
}  // namespace internal

}  // namespace troupe

#endif  // TROUPE_ACTORS_RECIPIENT_H_
