// Which On() of an actor handles a message, checked in one sentence at compile time and called at
// run time.
#ifndef TROUPE_ACTORS_INTERNAL_HANDLER_H_
#define TROUPE_ACTORS_INTERNAL_HANDLER_H_

#include <concepts>
#include <type_traits>
#include <utility>

#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/envelope.h"
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

// Diagnosis, used only after Handles has failed: is it a non-const reference, or several overloads
// that fit equally well?
template <class A, class M>
concept TakesMutableReference =
    requires(A& a, M& m) { a.On(m); } || requires(A& a, M& m, Context& self) { a.On(m, self); };

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
inline constexpr int kOverloads =
    (requires { OverloadProbe<M>::ByValue(&A::On); } ? 1 : 0) + (requires {
      OverloadProbe<M>::ByConstReference(&A::On);
    } ? 1 : 0) + (requires { OverloadProbe<M>::ByRvalue(&A::On); } ? 1 : 0);

// The result a handler that answers by returning may have.
template <class Result, class R>
concept AnswersWith =
    std::convertible_to<Result, ReplyResult<R>> || (std::is_void_v<Result> && std::is_void_v<R>);

template <class A, class M>
constexpr void CheckHandler() {
  static_assert(std::is_object_v<M> && std::move_constructible<M>,
                TROUPE_ERROR_MESSAGE_NOT_MOVABLE);
  if constexpr (std::move_constructible<M>) {
    constexpr bool mutable_reference = kHandlerShapes<A, M> == 0 && TakesMutableReference<A, M>;
    constexpr bool ambiguous =
        kHandlerShapes<A, M> > 1 || (kHandlerShapes<A, M> == 0 && kOverloads<A, M> > 1);
    static_assert(!mutable_reference || ambiguous, TROUPE_ERROR_MUTABLE_REFERENCE);
    static_assert(!ambiguous, TROUPE_ERROR_AMBIGUOUS_HANDLER);
    static_assert(Handles<A, M> || mutable_reference || ambiguous, TROUPE_ERROR_NO_HANDLER);
  }
}

// Runs `call` and answers with what it returns. If it throws, the asker hears that the receiver
// failed.
template <class M, class Call>
void Answer(Reply<typename M::Reply>& reply, Call call) {
  using R = typename M::Reply;
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      if (reply) reply.Send(absl::OkStatus());
    } else {
      ReplyResult<R> result(call());
      if (reply) reply.Send(std::move(result));
    }
  } catch (...) {
    reply.Abandon(Lost::kReceiverFailed);
    throw;
  }
}

template <class A, class M>
void CallTelling(A& actor, M&& m, Context& self) {
  if constexpr (OnMessageSelf<A, M>) {
    static_assert(std::is_void_v<decltype(actor.On(std::move(m), self))>,
                  TROUPE_ERROR_RESULT_WITHOUT_REPLY);
    actor.On(std::move(m), self);
  } else {
    static_assert(std::is_void_v<decltype(actor.On(std::move(m)))>,
                  TROUPE_ERROR_RESULT_WITHOUT_REPLY);
    actor.On(std::move(m));
  }
}

template <class A, class M>
void CallAnswering(A& actor, M&& m, Reply<typename M::Reply> reply, Context& self) {
  using R = typename M::Reply;
  if constexpr (OnMessageReplySelf<A, M>) {
    actor.On(std::move(m), std::move(reply), self);
  } else if constexpr (OnMessageReply<A, M>) {
    actor.On(std::move(m), std::move(reply));
  } else if constexpr (OnMessageSelf<A, M>) {
    static_assert(AnswersWith<decltype(actor.On(std::move(m), self)), R>,
                  TROUPE_ERROR_WRONG_RESULT);
    Answer<M>(reply, [&]() -> decltype(auto) { return actor.On(std::move(m), self); });
  } else {
    static_assert(AnswersWith<decltype(actor.On(std::move(m))), R>, TROUPE_ERROR_WRONG_RESULT);
    Answer<M>(reply, [&]() -> decltype(auto) { return actor.On(std::move(m)); });
  }
}

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
  A& actor = *static_cast<A*>(d.actor);
  auto call = [&](M&& m, auto&&... reply) {
    if constexpr (Askable<M>) {
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

// Checks, then chooses. After a failed check it stops there, so that the sentence is the only
// error.
template <class A, class M>
constexpr Thunk ThunkFor() {
  CheckHandler<A, M>();
  if constexpr (std::move_constructible<M>) {
    if constexpr (Handles<A, M>) return &Dispatch<A, M>;
  }
  return nullptr;
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_HANDLER_H_
