// Received<M>: a message that was received rather than handled.
#ifndef TROUPE_ACTORS_RECEIVED_H_
#define TROUPE_ACTORS_RECEIVED_H_

#include <utility>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/reply.h"

namespace troupe {

// What a receive yields, of a process (process.h) or of a mailbox (mailbox.h). Of a message with a
// Reply type also the duty to answer, which is false where it was sent rather than asked, and in all
// copies but one (Receivers::kAll).
//
//   auto [order, from] = co_await self.Receive<Order>();
template <class M>
struct Received {
  M message;
  AnyRef sender;  // nobody: a plain thread
};
template <internal::Askable M>
struct Received<M> {
  M message;
  AnyRef sender;
  Reply<typename M::Reply> reply;
};

namespace internal {

// Consumes the envelope.
template <class M>
Received<M> Open(Envelope& base) {
  auto& envelope = static_cast<EnvelopeOf<M>&>(base);
  const struct Free {
    EnvelopeOf<M>& envelope;
    ~Free() { envelope.Free(); }
  } after{envelope};
  if constexpr (Askable<M>) {
    envelope.reply.TakeOut();
    return {std::move(envelope.message), envelope.sender, std::move(envelope.reply)};
  } else {
    return {std::move(envelope.message), envelope.sender};
  }
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_RECEIVED_H_
