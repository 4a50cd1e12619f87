// Deliver<M>, DeliverToMailbox<M>: a message that has arrived becomes an ordinary one in the mailbox of its
// receiver.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_DELIVERY_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_DELIVERY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/post_batch.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/reply.h"
#include "troupe/core/node_pool.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/frame_refs.h"
#include "troupe/runtime/bridges/internal/inflow.h"
#include "troupe/runtime/bridges/internal/question.h"

namespace troupe::internal {

struct Arrival {
  Connection& connection;
  const Frame& frame;
  Inflow::Account& account;  // of its target, to be told when it is handled
  PostBatch& batch;
  const Referent& to;
  Thunk thunk;
  bool refused =
      false;  // it is read, so that what it brings ends here: a right to receive, for one

  bool is_request() const { return frame.header.kind == FrameKind::kRequest; }
  size_t bytes() const { return kFrameHeaderSize + frame.payload.size(); }
  absl::Duration timeout() const {
    return frame.header.timeout_ms == kNoTimeout ? absl::InfiniteDuration()
                                                 : absl::Milliseconds(frame.header.timeout_ms);
  }
};

// To an actor, whatever its capacity: a message that has had room before, and what nodes say to each other.
void PostOn(const AnyRef& to, Envelope& e);
void PostNotice(const AnyRef& to, Envelope& e);  // no dead letter, if it is lost
// Returns the credit when the message has been received, or never will be.
void PutInMailbox(const Arrival& arrival, Envelope& e);

// The slot of an ask that came over a connection: whoever answers sends the answer there, on his own
// thread. The deadline is kept by the asker; here it is what Context::deadline() says.
template <class R>
class RemoteAnswer final : public ReplySlotOf<R> {
 public:
  RemoteAnswer(std::shared_ptr<Connection> connection, uint64_t correlation, absl::Time deadline)
      : ReplySlotOf<R>(kKind, 1),
        connection_(std::move(connection)),
        correlation_(correlation),
        deadline_(deadline) {}

 private:
  static void OnReady(ReplySlot& slot) {
    auto& me = static_cast<RemoteAnswer&>(slot);
    FrameRefs refs(*me.connection_);
    std::string answer = MakeAnswerFrame<R>(me.correlation_, *me.result_, &refs);
    if (answer.size() > me.connection_->max_frame()) {
      refs.Withdraw();
      answer = MakeAnswerFrame<void>(
          me.correlation_,
          absl::ResourceExhaustedError("ask: the answer is longer than the asker's node takes"));
    }
    me.connection_->PushAnswer(std::move(answer));
    me.connection_->EndRequest();  // behind it, for who drains
    slot.Release();
  }
  static void Destroy(ReplySlot& slot) { delete &static_cast<RemoteAnswer&>(slot); }
  static absl::Time Deadline(const ReplySlot& slot) {
    return static_cast<const RemoteAnswer&>(slot).deadline_;
  }
  static constexpr ReplySlot::Kind kKind{&OnReady, &Destroy, &Deadline};

  const std::shared_ptr<Connection> connection_;
  const uint64_t correlation_;
  const absl::Time deadline_;
};

// Around the envelope of the message: tells the connection when it has left the mailbox, by being
// handled or not, so that the peer may send more.
template <class M>
struct CreditedEnvelope : Envelope {
  CreditedEnvelope(EnvelopeOf<M>& e, Inflow::Account& a, size_t n)
      : Envelope(&Open, e.where), inner(&e), account(a), bytes(n) {}

  EnvelopeOf<M>* inner;
  Inflow::Account& account;  // F1 of inflow.h
  size_t bytes;

  static CreditedEnvelope& Make(EnvelopeOf<M>& e, Inflow::Account& account, size_t n) {
    return *new (AllocateNode(sizeof(CreditedEnvelope))) CreditedEnvelope(e, account, n);
  }

  static void Open(Envelope& base, Delivery& d) {
    if (d.verb == Delivery::Verb::kName) {  // perhaps no CreditedEnvelope at all, see Delivery
      d.message_type = TypeName<M>();
      return;
    }
    auto& me = static_cast<CreditedEnvelope&>(base);
    EnvelopeOf<M>& message = *me.inner;
    message.address = me.address;
    message.sender = me.sender;
    me.account.Handled(me.bytes);
    me.~CreditedEnvelope();
    FreeNode(&me, sizeof(CreditedEnvelope));
    message.thunk(message, d);
  }
};

// The message with its envelope, which is none if it is wrong or refused. `deadline`: of a request.
template <class M>
absl::Status Unpack(const Arrival& arrival, absl::Time deadline, EnvelopeOf<M>*& envelope) {
  M message{};
  Decoder in(arrival.frame.payload, &arrival.connection);
  if (DecodeValue(in, message) && !in.AtEnd()) in.Fail("more than one value");
  if (!in.ok()) return in.status();
  if (arrival.is_request() && !Askable<M>) {
    return absl::InvalidArgumentError("a request that has no answer");
  }
  if (arrival.refused) {
    arrival.account.Handled(arrival.bytes());
    return absl::OkStatus();
  }
  envelope = EnvelopeOf<M>::Make(arrival.thunk, std::move(message), std::source_location());
  if constexpr (Askable<M>) {
    if (arrival.is_request()) {
      envelope->reply = Reply<typename M::Reply>(new RemoteAnswer<typename M::Reply>(
          arrival.connection.shared_from_this(), arrival.frame.header.correlation, deadline));
    }
  }
  return absl::OkStatus();
}

template <class M>
absl::Status Deliver(const Arrival& arrival) {
  const AnyRef& to = arrival.to.actor;
  EnvelopeOf<M>* envelope = nullptr;
  const absl::Time deadline =
      arrival.is_request() ? DeadlineThere(to, arrival.timeout()) : absl::InfiniteFuture();
  absl::Status wrong = Unpack<M>(arrival, deadline, envelope);
  if (envelope == nullptr) return wrong;
  Envelope& credited = CreditedEnvelope<M>::Make(*envelope, arrival.account, arrival.bytes());
  if (arrival.thunk == ThunkFor<Proxy, M>()) {  // it goes on to another node
    arrival.batch.Flush();
    PostOn(to, credited);
  } else {
    arrival.batch.Add(to, credited);
  }
  return absl::OkStatus();
}

template <class M>
absl::Status DeliverToMailbox(const Arrival& arrival) {
  EnvelopeOf<M>* envelope = nullptr;
  arrival.batch.Flush();
  absl::Status wrong =
      Unpack<M>(arrival, DeadlineAt(arrival.to.mailbox, arrival.timeout()), envelope);
  if (envelope != nullptr) PutInMailbox(arrival, *envelope);
  return wrong;
}

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_DELIVERY_H_
