// Proxy: the actor that stands here for one on another node. Its handlers encode: a Recipient of it is an
// ordinary Recipient, so a local send knows nothing of remote ones. Its mailbox is what waits to be
// sent there, with the policy of NodeOptions, and its end says that the other one has ended or is lost.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_PROXY_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_PROXY_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/reply.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/frame_refs.h"

namespace troupe::internal {

// A receive right to be kept and given up, whatever the messages are.
class OfAnyMessage;
using AnyReceiver = Receiver<OfAnyMessage>;

// To a Proxy of somebody for whom there is a Sender here. Whoever gives it up, be it that the proxy has ended
// before, tells the senders that the node is lost, unless they have been told something else.
struct TakeMail {
  TakeMail() = default;
  TakeMail(AnyReceiver f, Thunk t) : from(std::move(f)), forward(t) {}
  TakeMail(TakeMail&&) = default;
  TakeMail& operator=(TakeMail&&) = default;
  ~TakeMail();
  void End(const absl::Status& why) const;  // of the mailbox, for its senders

  AnyReceiver from;
  Thunk forward = nullptr;
};

class Proxy {
 public:
  Proxy(std::shared_ptr<Connection> connection, uint64_t id, uint64_t incarnation)
      : connection_(std::move(connection)),
        id_(id),
        incarnation_(incarnation),
        refs_(*connection_) {}

  void OnStart(Context& self);
  void OnStop();
  // The session's: the connection is lost, and what waited here before that has been told so, asks with
  // IsNodeLost.
  void On(const Down& down, Context& self);
  void On(TakeMail mail, Context& self);

  // The thunk of a message from the mailbox: at most one waits in the proxy's own, so that the other one
  // fills and does what its policy says.
  template <class M>
  static void Forward(Envelope& e, Delivery& d) {
    if (d.verb == Delivery::Verb::kHandle) static_cast<Proxy*>(d.actor)->NextMail(*d.self);
    ThunkFor<Proxy, M>()(e, d);
  }
  // The thunk of a message from an outlet, which counts those that are under way.
  template <class M>
  static void Relay(Envelope& e, Delivery& d) {
    if constexpr (Askable<M>) {
      if (d.verb == Delivery::Verb::kHandle && static_cast<EnvelopeOf<M>&>(e).reply.expired()) {
        TellUnsent(*d.self);  // and it will be lost now
      }
    }
    ThunkFor<Proxy, M>()(e, d);
  }

  template <class M>
    requires(!Askable<M> && !std::same_as<M, Down>)
  void On(M message, Context& self) {
    Tell(std::move(message), self);
  }

  template <Askable M>
  void On(M message, Reply<typename M::Reply> reply, Context& self) {
    if (!reply) return Tell(std::move(message), self);  // sent rather than asked
    const uint32_t timeout_ms = Milliseconds(reply.deadline() - self.Now());
    question_ =
        connection_->AddQuestion(std::make_unique<QuestionOf<typename M::Reply>>(std::move(reply)));
    if (question_ == 0) return TellUnsent(self);
    Encode(FrameKind::kRequest, message, timeout_ms);
    Transmit(self);
  }

 private:
  // A message whose frame waits for room, kept so that it can be lost as what it is.
  struct Held {
    virtual ~Held() = default;
    virtual void Lose() = 0;
  };
  template <class M>
  struct HeldMessage final : Held {
    explicit HeldMessage(M m) : message(std::move(m)) {}
    void Lose() override { Recipient<M>().Send(std::move(message)); }  // a dead letter

    M message;
  };

  template <class M>
  void Tell(M message, Context& self) {
    Encode(FrameKind::kMessage, message, kNoTimeout);
    if (!Transmit(self, GoesAhead(MessageHash(TypeName<M>()))))
      return HeldMessage<M>(std::move(message)).Lose();
    if (!frame_.empty()) held_ = std::make_unique<HeldMessage<M>>(std::move(message));
  }
  template <class M>
  void Encode(FrameKind kind, const M& message, uint32_t timeout_ms) {
    if (last_size_ > frame_.capacity()) frame_ = connection_->TakeBuffer(last_size_);
    const size_t start = BeginFrame(frame_, {.kind = kind,
                                             .target = id_,
                                             .incarnation = incarnation_,
                                             .correlation = question_,
                                             .type = MessageHash(TypeName<M>()),
                                             .timeout_ms = timeout_ms});
    Encoder out(frame_, &refs_);
    EncodeValue(out, message);
    EndFrame(frame_, start);
  }
  void NextMail(Context& self);
  static uint32_t Milliseconds(absl::Duration timeout);
  // False: `frame_` cannot be sent, and nobody has been told who is not waiting for an answer.
  bool Transmit(Context& self, bool ahead = false);
  static void TellUnsent(const Context& self);
  void LoseHeld();
  void Done();

  const std::shared_ptr<Connection> connection_;
  const uint64_t id_;
  const uint64_t incarnation_;
  TakeMail mail_;  // of nobody, if there is no Sender
  // In hand; all empty between two messages.
  FrameRefs refs_;
  std::string frame_;
  uint64_t question_ = 0;
  std::unique_ptr<Held> held_;
  size_t last_size_ = 0;  // of a frame; the next is likely as large
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_PROXY_H_
