// ActorRef<A>: the address of an actor of class A, and the right to send to it and to stop it.
#ifndef TROUPE_ACTORS_ACTOR_REF_H_
#define TROUPE_ACTORS_ACTOR_REF_H_

#include <concepts>
#include <cstddef>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/enqueue.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/send_result.h"

namespace troupe {

template <class... Ms>
class Recipient;

namespace internal {

// What every kind of ref does once it has a thunk.
SendResult PostMessage(const AnyRef& to, Envelope& e, bool may_block);
// What is refused goes back to `from` (Return).
SendResult TryMessage(const AnyRef& to, Envelope& e, void* from);
void StopActor(const AnyRef& who, StopWhen when);

// The message of a Send or Ask, for its envelope. One that would be copied is refused, unless copying
// is as cheap as moving: messages have one owner, and a copy is to be seen where it is made.
template <class Actor, class M>
EnvelopeOf<std::decay_t<M>>* Pack(Thunk thunk, M&& message, std::source_location where) {
  using Message = std::decay_t<M>;
  if constexpr (!Movable<Message>) {  // ThunkFor has said so
    return nullptr;
  } else if constexpr (std::is_same_v<M, Message>) {
    return EnvelopeOf<Message>::Make(thunk, std::move(message), where);
  } else if constexpr (std::is_trivially_copyable_v<Message>) {
    return EnvelopeOf<Message>::Make(thunk, Message(message), where);
  } else {
    RefuseToCopy<Actor, Message>();
    return nullptr;
  }
}

template <class Actor, class M>
SendResult SendThrough(const AnyRef& to, Thunk thunk, M&& message, std::source_location where) {
  auto* envelope = Pack<Actor>(thunk, std::forward<M>(message), where);
  if constexpr (Movable<std::decay_t<M>>) {
    return PostMessage(to, *envelope, /*may_block=*/true);
  } else {
    return SendResult::kClosed;
  }
}

// What was copied into the envelope is the sender's anyway.
template <class M>
void* MovedFrom(M&& message) {
  if constexpr (std::is_same_v<M, std::decay_t<M>>) {
    return std::addressof(message);
  } else {
    return nullptr;
  }
}

template <class Actor, class M>
SendResult TryThrough(const AnyRef& to, Thunk thunk, M&& message, std::source_location where) {
  auto* envelope = Pack<Actor>(thunk, std::forward<M>(message), where);
  if constexpr (Movable<std::decay_t<M>>) {
    return TryMessage(to, *envelope, MovedFrom(std::forward<M>(message)));
  } else {
    return SendResult::kClosed;
  }
}

template <class Actor, class M>
PendingEnqueue EnqueueThrough(const AnyRef& to, Thunk thunk, M&& message, absl::Duration timeout,
                              std::source_location where) {
  return PendingEnqueue(to, Pack<Actor>(thunk, std::forward<M>(message), where), timeout);
}

// What Ask returns where there is nothing to ask: enough of a PendingAsk for the program to have
// no second error.
struct RefusedAsk {
  using Result = absl::StatusOr<Anything>;
  Result Wait() const;
  template <class F>
  void Then(Context&, F) const {}
};

template <class Actor, size_t kLimits>
Anything RefuseToWeaken() {
  static_assert(kActor<Actor>, TROUPE_ERROR_WEAKEN_ACTOR_REF);
  return Anything();
}

template <class Actor, class M>
auto AskThrough(const AnyRef& to, Thunk thunk, M&& message, absl::Duration timeout,
                std::source_location where) {
  using Message = std::decay_t<M>;
  auto* request = Pack<Actor>(thunk, std::forward<M>(message), where);
  if constexpr (Movable<Message>) {
    return PendingAsk<typename Message::Reply>(to, request, &request->reply, timeout);
  } else {
    return RefusedAsk();
  }
}

}  // namespace internal

// Spawn returns one. The class is known, so sending a message without a handler does not compile,
// and the function that will call the handler is chosen here and travels with the message.
//
//   account.Send(Deposit{100});                                     // fire and forget
//   absl::StatusOr<int64_t> cents = account.Ask(Balance{}).Wait();  // ask and answer, see PendingAsk
//
// Thread safety  A value: copy it to any thread and use it there.
// Ownership      None: holding a ref keeps nothing alive. After the actor has ended Send says
//                kClosed; a ref never reaches another actor.
// Order          Messages of one sender to one receiver arrive in the order of the Sends. Between
//                senders: none.
// Visibility     All the sender did before Send is visible to the handler.
// Delivery       At most once. A message that reaches no handler is a dead letter (dead_letter.h).
// Lifetime       Valid while the System lives.
// Cost           16 bytes. Send: a block from a per-thread pool, a compare-and-swap, and a schedule
//                if the actor was idle.
template <class A>
class ActorRef : public AnyRef {
 public:
  ActorRef() = default;  // refers to nobody: Send says kClosed

  // The message is moved; one that is not cheap to copy must be given as `std::move(m)`, or as an
  // explicit copy. A full bounded mailbox does what its WhenFull says; kBlock blocks the calling
  // thread.
  template <class M>
  SendResult Send(M&& message, std::source_location where = std::source_location::current()) const {
    return internal::SendThrough<A>(*this, internal::ThunkFor<A, std::decay_t<M>>(),
                                    std::forward<M>(message), where);
  }

  // Never blocks: a full mailbox with kBlock refuses with kFull. What is refused, which is any answer but
  // kQueued, is still yours: `message` is as it was, unless its moves may throw. (What Send is refused is
  // gone, though it was moved; a Receiver in it closes its mailbox.)
  template <class M>
  SendResult TrySend(M&& message,
                     std::source_location where = std::source_location::current()) const {
    return internal::TryThrough<A>(*this, internal::ThunkFor<A, std::decay_t<M>>(),
                                   std::forward<M>(message), where);
  }

  // Where the mailbox is full and says kBlock the message waits for room, and no thread does: to be
  // awaited, see enqueue.h.
  template <class M>
  PendingEnqueue Enqueue(M&& message, absl::Duration timeout = absl::InfiniteDuration(),
                         std::source_location where = std::source_location::current()) const {
    return internal::EnqueueThrough<A>(*this, internal::ThunkFor<A, std::decay_t<M>>(),
                                       std::forward<M>(message), timeout, where);
  }

  // M needs `using Reply = T;`. absl::InfiniteDuration() waits for ever.
  template <class M>
  auto Ask(M&& message, absl::Duration timeout = kDefaultAskTimeout,
           std::source_location where = std::source_location::current()) const {
    using Message = std::decay_t<M>;
    if constexpr (internal::Askable<Message>) {
      return internal::AskThrough<A>(*this, internal::ThunkFor<A, Message>(),
                                     std::forward<M>(message), timeout, where);
    } else {
      internal::RefuseToAsk<A, Message>();
      return internal::RefusedAsk();
    }
  }

  // The right to send these messages and nothing else, as a Recipient (recipient.h).
  template <class... Ms>
  Recipient<Ms...> Only() const {
    return *this;
  }

  // Not of an ActorRef, as the compiler says: of what Only has made of it (attenuation.h).
  template <class... Limits>
  auto Limit(Limits&&...) const {
    return internal::RefuseToWeaken<A, sizeof...(Limits)>();
  }
  template <class... Limits>
  auto Expires(Limits&&...) const {
    return internal::RefuseToWeaken<A, sizeof...(Limits)>();
  }
  template <class... Limits>
  auto Attenuate(Limits&&...) const {
    return internal::RefuseToWeaken<A, sizeof...(Limits)>();
  }

  // Asks the actor to end with kNormal. Returns at once; watch or Join to learn when. Stopping an
  // actor that has ended does nothing.
  void Stop(StopWhen when = StopWhen::kNow) const { internal::StopActor(*this, when); }

  // For the framework: the caller knows that `ref` is an A.
  explicit ActorRef(const AnyRef& ref) : AnyRef(ref) {}
};

static_assert(sizeof(ActorRef<int>) == 16 && std::is_trivially_copyable_v<ActorRef<int>>);

}  // namespace troupe

#endif  // TROUPE_ACTORS_ACTOR_REF_H_
