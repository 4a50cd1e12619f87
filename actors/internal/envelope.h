// Envelope: one message on its way, with the function that knows its types.
#ifndef TROUPE_ACTORS_INTERNAL_ENVELOPE_H_
#define TROUPE_ACTORS_INTERNAL_ENVELOPE_H_

#include <cstdint>
#include <memory>
#include <new>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/reply.h"
#include "troupe/core/mailbox_queue.h"
#include "troupe/core/node_pool.h"
#include "troupe/core/type_name.h"

namespace troupe {
class Context;

namespace internal {

struct Envelope;

// What is asked of an envelope's thunk. One function pointer serves all four, so that the usual
// case (kHandle) is a single indirect call and the envelope needs no further word.
struct Delivery {
  enum class Verb : uint8_t {
    kHandle,   // call the handler with the message; consumes the envelope
    kDiscard,  // no handler will see it: settle its ask with `lost`, destroy it; consumes the
               // envelope
    kName,     // fill in message_type
    kReturn,   // move the message back to whoever tried to send it; consumes the envelope
  };
  Verb verb = Verb::kHandle;
  void* actor = nullptr;            // kHandle; kReturn: where the message was moved from
  Context* self = nullptr;          // kHandle
  Lost lost = Lost::kReceiverGone;  // kDiscard
  std::string_view message_type;    // kName: out
};

using Thunk = void (*)(Envelope&, Delivery&);

// Incarnations are multiples of 8. In an envelope's address,
inline constexpr uint64_t kExempt = 1;  // no capacity applies to it: an answer, a Down, a Stop
inline constexpr uint64_t kAnswer = 2;  // an answer: handled also while a handler is suspended
// Exempt, and a dead letter if it is lost, which the others are not: a message that has had room before.
inline constexpr uint64_t kLetter = 4;
inline constexpr uint64_t kAddressFlags = kExempt | kAnswer | kLetter;

// The header of every message (48 bytes, so a message of 16 bytes travels in one cache line); the
// message itself follows in EnvelopeOf. Allocated with AllocateNode, freed by the thunk.
struct Envelope : MailboxNode {
  explicit Envelope(Thunk t, std::source_location w) : thunk(t), where(w) {}

  Thunk thunk;
  uint64_t address = 0;  // the receiver's incarnation, compared when the message is taken out; and
                         // flags, see above
  AnyRef sender;         // nobody for a plain thread
  std::source_location where;
};

inline std::string_view MessageTypeOf(Envelope& e) {
  Delivery d;
  d.verb = Delivery::Verb::kName;
  e.thunk(e, d);
  return d.message_type;
}

inline void Discard(Envelope& e, Lost lost) {
  Delivery d;
  d.verb = Delivery::Verb::kDiscard;
  d.lost = lost;
  e.thunk(e, d);
}

// `from`: the message it was made of, or nullptr if that needs nothing back.
inline void Return(Envelope& e, void* from) {
  Delivery d;
  d.verb = Delivery::Verb::kReturn;
  d.actor = from;
  e.thunk(e, d);
}

// Not where a move might throw: there is nobody to throw to. Assigned rather than made anew wherever
// possible, since it may be a part of a larger object.
template <class M>
void MoveBack(M& from, M& to) noexcept {
  if constexpr (std::is_nothrow_move_assignable_v<M>) {
    to = std::move(from);
  } else if constexpr (std::is_nothrow_move_constructible_v<M>) {
    std::destroy_at(&to);
    std::construct_at(&to, std::move(from));
  }
}

// The slot an askable message's answer goes to; nothing for the others.
template <class M>
struct ReplyPart {
  Reply<typename M::Reply> reply;
};
struct NoReplyPart {};

template <class M>
concept Askable = requires { typename M::Reply; };

template <class M>
struct ReplyPartOf : std::type_identity<NoReplyPart> {};
template <Askable M>
struct ReplyPartOf<M> : std::type_identity<ReplyPart<M>> {};

template <class M>
struct EnvelopeOf : Envelope, ReplyPartOf<M>::type {
  EnvelopeOf(Thunk t, M&& m, std::source_location w) : Envelope(t, w), message(std::move(m)) {}

  M message;

  static EnvelopeOf* Make(Thunk thunk, M&& message, std::source_location where) {
    static_assert(alignof(EnvelopeOf) <= 64,
                  "Troupe: a message may not be aligned to more than 64 bytes.");
    void* memory = AllocateNode(sizeof(EnvelopeOf));
    if constexpr (std::is_nothrow_move_constructible_v<M>) {
      return new (memory) EnvelopeOf(thunk, std::move(message), where);
    } else {
      try {
        return new (memory) EnvelopeOf(thunk, std::move(message), where);
      } catch (...) {
        FreeNode(memory, sizeof(EnvelopeOf));
        throw;
      }
    }
  }

  void Free() {
    this->~EnvelopeOf();
    FreeNode(this, sizeof(EnvelopeOf));
  }

  // Everything a thunk does that needs no handler.
  void Lose(Delivery& d) {
    if (d.verb == Delivery::Verb::kName) {
      d.message_type = TypeName<M>();
      return;
    }
    if (d.verb == Delivery::Verb::kReturn) {
      if (d.actor != nullptr) MoveBack(message, *static_cast<M*>(d.actor));
      return Free();
    }
    if constexpr (Askable<M>) {
      this->reply.TakeOut();
      this->reply.Abandon(d.lost);
    }
    Free();
  }
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_ENVELOPE_H_
