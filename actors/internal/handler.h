// Which On() of an actor handles a message, checked in one sentence at compile time and called at
// run time.
#ifndef TROUPE_ACTORS_INTERNAL_HANDLER_H_
#define TROUPE_ACTORS_INTERNAL_HANDLER_H_

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler_result.h"
#include "troupe/actors/reply.h"

namespace troupe {
class Context;

namespace internal {

// The four shapes of a handler. The message is passed as an rvalue, so M, const M& and M&& all
// bind.
template <class A, class M>
concept OnMessage = requires(A& a, M m) { a.On(std::move(m)); };
template <class A, class M>
concept OnMessageSelf = requires(A& a, M m, Context& self) { a.On(std::move(m), self); };
template <class A, class M>
concept OnMessageReply = Askable<M> && requires(A& a, M m, Reply<typename M::Reply> r) {
  a.On(std::move(m), std::move(r));
};
template <class A, class M>
concept OnMessageReplySelf =
    Askable<M> && requires(A& a, M m, Reply<typename M::Reply> r, Context& self) {
      a.On(std::move(m), std::move(r), self);
    };

template <class A, class M>
inline constexpr int kHandlerShapes =
    OnMessage<A, M> + OnMessageSelf<A, M> + OnMessageReply<A, M> + OnMessageReplySelf<A, M>;

template <class A, class M>
concept Handles = kHandlerShapes<A, M> == 1;

// What the handler gives back, as type_identity.
template <class A, class M>
constexpr auto HandlerResult() {
  if constexpr (OnMessageReply<A, M>) {
    return std::type_identity<decltype(std::declval<A&>().On(
        std::declval<M>(), std::declval<Reply<typename M::Reply>>()))>();
  } else if constexpr (OnMessageReplySelf<A, M>) {
    return std::type_identity<decltype(std::declval<A&>().On(
        std::declval<M>(), std::declval<Reply<typename M::Reply>>(), std::declval<Context&>()))>();
  } else if constexpr (OnMessageSelf<A, M>) {
    return std::type_identity<decltype(std::declval<A&>().On(std::declval<M>(),
                                                             std::declval<Context&>()))>();
  } else {
    return std::type_identity<decltype(std::declval<A&>().On(std::declval<M>()))>();
  }
}
template <class A, class M>
using HandlerResultOf = typename decltype(HandlerResult<A, M>())::type;

// Whether a handler that answers by returning returns what the asker waits for.
template <class A, class M>
constexpr bool ResultFits() {
  using Result = typename CoroutineHandler<HandlerResultOf<A, M>>::Value;
  if constexpr (!Askable<M>) {
    return std::is_void_v<Result>;
  } else if constexpr (OnMessageReply<A, M> || OnMessageReplySelf<A, M>) {
    return true;
  } else {
    using R = typename M::Reply;
    return std::convertible_to<Result, ReplyResult<R>> ||
           (std::is_void_v<Result> && std::is_void_v<R>);
  }
}

template <class M>
concept Movable = std::is_object_v<M> && std::move_constructible<M>;

// Nothing is wrong with this actor and this message.
template <class A, class M>
concept Accepts = Movable<M> && Handles<A, M> && ResultFits<A, M>();

// ---- Diagnosis, instantiated only for what Accepts refuses.

template <class A, class M>
concept TakesMutableReference =
    requires(A& a, M& m) { a.On(m); } || requires(A& a, M& m, Context& self) { a.On(m, self); };

// How many of the parameter types M, const M& and M&& the overloads of On have: On(M) and
// On(const M&) fit equally well, so that a call of either does not compile.
template <class M>
struct OverloadProbe {
  template <class A, class R, class... Rest>
  static void ByValue(R (A::*)(M, Rest...));
  template <class A, class R, class... Rest>
  static void ByConstReference(R (A::*)(const M&, Rest...));
  template <class A, class R, class... Rest>
  static void ByRvalue(R (A::*)(M&&, Rest...));
};
template <class A, class M>
constexpr int CountOverloads() {
  constexpr bool by_value = requires { OverloadProbe<M>::ByValue(&A::On); };
  constexpr bool by_const_reference = requires { OverloadProbe<M>::ByConstReference(&A::On); };
  constexpr bool by_rvalue = requires { OverloadProbe<M>::ByRvalue(&A::On); };
  return by_value + by_const_reference + by_rvalue;
}

template <class Actor, class Message>
constexpr void Refuse() {
  constexpr int shapes = kHandlerShapes<Actor, Message>;
  if constexpr (!Movable<Message>) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_MESSAGE_NOT_MOVABLE);
  } else if constexpr (shapes > 1 || (shapes == 0 && CountOverloads<Actor, Message>() > 1)) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_AMBIGUOUS_HANDLER);
  } else if constexpr (shapes == 0 && TakesMutableReference<Actor, Message>) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_MUTABLE_REFERENCE);
  } else if constexpr (shapes == 0) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_NO_HANDLER);
  } else if constexpr (Askable<Message>) {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_WRONG_RESULT);
  } else {
    static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_RESULT_WITHOUT_REPLY);
  }
}

template <class Actor, class Message>
constexpr void RefuseToAsk() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_NOT_ASKABLE);
}

template <class Actor, class Message>
constexpr void RefuseToCopy() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_SILENT_COPY);
}

// ---- The call.

template <class R, class Result>
decltype(auto) AsAnswer(Result&& result) {
  if constexpr (!std::is_void_v<R> && std::is_same_v<std::decay_t<Result>, absl::Status>) {
    return ErrorAnswer(std::forward<Result>(result));
  } else {
    return std::forward<Result>(result);
  }
}

// Runs `call`. If it throws, the asker hears that the receiver failed.
template <class R, class Call>
decltype(auto) TellIfThrows(Reply<R>& reply, Call call) {
  try {
    return call();
  } catch (const std::exception& e) {
    reply.Send(ReceiverFailed(e.what()));
    throw;
  } catch (...) {
    reply.Abandon(Lost::kReceiverFailed);
    throw;
  }
}

// Likewise, and answers with what it returns.
template <class M, class Call>
void Answer(Reply<typename M::Reply>& reply, Call call) {
  using R = typename M::Reply;
  TellIfThrows(reply, [&] {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      if (reply) reply.Send(absl::OkStatus());
    } else {
      ReplyResult<R> result(AsAnswer<R>(call()));
      if (reply) reply.Send(std::move(result));
    }
  });
}

// The call itself, with a Context if the handler wants one; a Reply may come with the message.
template <class A, class M, class... R>
decltype(auto) CallHandler(A& actor, M&& m, Context& self, Reply<R>... reply) {
  if constexpr (requires { actor.On(std::move(m), std::move(reply)..., self); }) {
    return actor.On(std::move(m), std::move(reply)..., self);
  } else {
    return actor.On(std::move(m), std::move(reply)...);
  }
}

template <class A, class M>
void CallTelling(A& actor, M&& m, Context& self) {
  CallAndBegin(self, [&](Context& kept) -> decltype(auto) {
    return CallHandler(actor, std::move(m), kept);
  });
}

template <class A, class M>
void CallAnswering(A& actor, M&& m, Reply<typename M::Reply> reply, Context& self) {
  using Coroutine = CoroutineHandler<HandlerResultOf<A, M>>;
  if constexpr (OnMessageReply<A, M> || OnMessageReplySelf<A, M>) {
    reply.TakeOut();
    CallAndBegin(self, [&](Context& kept) -> decltype(auto) {
      return CallHandler(actor, std::move(m), kept, std::move(reply));
    });
  } else if constexpr (Coroutine::kIs) {
    Coroutine::template RunAnswering<M>(self, std::move(reply), [&](Context& kept) {
      return CallHandler(actor, std::move(m), kept);
    });
  } else {
    Answer<M>(reply, [&]() -> decltype(auto) { return CallHandler(actor, std::move(m), self); });
  }
}

// An ask has expired when its receiver comes to it: a dead letter.
void LoseExpired(Envelope& e);

// While an ask is being handled, its deadline is the context's.
class Answering {
 public:
  Answering(Context& self, absl::Time deadline);
  ~Answering();
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

 private:
  Context& self_;
};

// Small messages leave the envelope before the handler runs, so that what the handler sends can use
// the same, still warm block.
template <class M>
inline constexpr bool kOpenFirst = sizeof(M) <= 64 && std::is_nothrow_move_constructible_v<M>;

template <class M>
struct FreeEnvelope {
  EnvelopeOf<M>* envelope;
  ~FreeEnvelope() { envelope->Free(); }
};

// The thunk of (A, M): the only place that knows both.
template <class A, class M>
void Dispatch(Envelope& base, Delivery& d) {
  auto& envelope = static_cast<EnvelopeOf<M>&>(base);
  if (d.verb != Delivery::Verb::kHandle) [[unlikely]]
    return envelope.Lose(d);
  if constexpr (Askable<M>) {
    if (envelope.reply.expired()) [[unlikely]]
      return LoseExpired(envelope);
  }
  A& actor = *static_cast<A*>(d.actor);
  auto call = [&](M&& m, auto&&... reply) {
    if constexpr (Askable<M>) {
      const Answering answering(*d.self, reply.deadline()...);
      CallAnswering<A, M>(actor, std::move(m), std::move(reply)..., *d.self);
    } else {
      CallTelling<A, M>(actor, std::move(m), *d.self);
    }
  };
  if constexpr (kOpenFirst<M> && Askable<M>) {
    M m(std::move(envelope.message));
    auto reply(std::move(envelope.reply));
    envelope.Free();
    call(std::move(m), std::move(reply));
  } else if constexpr (kOpenFirst<M>) {
    M m(std::move(envelope.message));
    envelope.Free();
    call(std::move(m));
  } else {
    FreeEnvelope<M> after{&envelope};
    if constexpr (Askable<M>) {
      call(std::move(envelope.message), std::move(envelope.reply));
    } else {
      call(std::move(envelope.message));
    }
  }
}

// The thunk of messages that were addressed to nobody.
template <class M>
void DispatchToNobody(Envelope& base, Delivery& d) {
  static_cast<EnvelopeOf<M>&>(base).Lose(d);
}

// Chooses. Where Refuse has said its sentence the program does not compile, and goes no deeper: no
// Dispatch is made, whose errors would bury the sentence.
template <class A>
struct ThunksOf {  // specialised for an actor that takes the envelope itself: process.h
  template <class M>
  static constexpr Thunk For() {
    if constexpr (Accepts<A, M>) {
      return &Dispatch<A, M>;
    } else if constexpr (!std::is_same_v<A, Anything>) {  // which is refused already
      Refuse<A, M>();
    }
    return nullptr;
  }
};
template <class A, class M>
constexpr Thunk ThunkFor() {
  return ThunksOf<A>::template For<M>();
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_HANDLER_H_
