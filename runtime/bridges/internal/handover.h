// How a receive right goes to another node: the mailbox stays, and its messages go after the right.
//
//   the mailbox -> MailOutlet -> proxy ~~~ MailInlet -> a mailbox there -> its Receiver
//       senders send here as ever             and this is what has arrived
//
// The outlet has the right, and sends what it receives to the inlet, which delivers it (until a receiver has
// taken it) and then says so. Both are ordinary actors with ordinary messages: connections know nothing of it.
//
// H1  No more than ReceiverAdopted::ahead messages have left the mailbox and not been received. So what is
//     lost with a connection, or kept from other receivers of the same mailbox, is that many at most.
// H2  What is to tell of the end of the mailbox follows its messages (MailEnd), since a Down may overtake them.
// H3  An outlet ends with its connection, adopted or not, and so does the right: for the mailbox its receiver
//     has ended. An inlet ends when the mailbox there is closed and nothing waits to be taken from it.
// H4  What is said of a right takes credit and needs none: a mailbox may hold all the credit there is, until this has
//     arrived. It is little, and handled at once.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_HANDOVER_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_HANDOVER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/recipient.h"
#include "troupe/runtime/bridges/internal/delivery.h"
#include "troupe/runtime/bridges/internal/proxy.h"
#include "troupe/runtime/bridges/internal/ref_codec.h"

namespace troupe {

// To the outlet, once: who is the inlet, and how many messages it takes ahead.
struct ReceiverAdopted {
  AnyRef inlet;
  std::vector<internal::ExportRoute> routes = {};  // of the inlet, to be exported by
  uint32_t ahead = 1;
};
// To the outlet: so many more have been received, or cannot be sent.
struct MailTaken {
  uint32_t count = 0;
};
// To the inlet, behind the last message.
struct MailEnd {};

template <>
struct Codec<ReceiverAdopted> {
  static void Encode(Encoder& out, const ReceiverAdopted& m);
  static bool Decode(Decoder& in, ReceiverAdopted& m);
};

namespace internal {

using Outlet = Recipient<ReceiverAdopted, MailTaken>;

class MailOutlet {
 public:
  MailOutlet(AnyReceiver from, const AnyRef& connection, Thunk forward)
      : from_(std::move(from)), connection_(connection), forward_(forward) {}

  void OnStart(Context& self) { self.Watch(connection_); }
  void On(const ReceiverAdopted& m, Context& self);
  void On(MailTaken m, Context& self);
  void On(const Down& down, Context& self);

 private:
  void Next(Context& self);
  void Forward(absl::StatusOr<Mail> mail, Context& self);

  AnyReceiver from_;
  const AnyRef connection_;
  const Thunk forward_;  // of the inlet's proxy
  AnyRef inlet_;
  uint32_t most_ = 1;
  uint32_t ahead_ = 0;  // H1
  bool receiving_ = false;
};

class MailInlet {
 public:
  static constexpr uint32_t kAhead = 16;

  MailInlet(const MailboxId& mailbox, const Outlet& outlet) : mailbox_(mailbox), outlet_(outlet) {}

  void OnStart(Context& self);
  void OnStop();
  void On(MailEnd);
  void On(const Down& down);

  // The thunk of the messages.
  template <class M>
  static void PassOn(Envelope& e, Delivery& d) {
    if (d.verb != Delivery::Verb::kHandle) return static_cast<EnvelopeOf<M>&>(e).Lose(d);
    e.thunk = &DispatchToNobody<M>;
    static_cast<MailInlet*>(d.actor)->Pass(e, *d.self);
  }

 private:
  void Pass(Envelope& e, Context& self);
  void NoteTaken(const absl::Status& taken, Context& self);
  void StopIfDone(Context& self);

  const MailboxId mailbox_;
  const Outlet outlet_;
  uint32_t waiting_ = 0;
  uint32_t taken_ = 0;  // and not said
  bool closed_ = false;
};

// The right of `from`, whose messages a Proxy takes by `forward`, as what its codec writes.
Outlet HandOver(RefTable& refs, AnyReceiver from, Thunk forward);
// A mailbox for what comes; nobody's, if the system shuts down.
MailboxId OpenForInlet(RefTable& refs, MessageType message);
AnyRef SpawnInlet(const MailboxId& mailbox, const Outlet& outlet);
void Adopt(const Outlet& outlet, ReceiverAdopted adopted);

struct WireReceiver {
  Outlet outlet;
  uint64_t type = 0;  // of the messages
};
static_assert(GoesAhead(MessageHash(TypeName<ReceiverAdopted>())) &&
              GoesAhead(MessageHash(TypeName<MailTaken>())));

}  // namespace internal

// The right to receive, with the backlog.
template <class M>
struct Codec<Receiver<M>> {
  // Takes the right out of the message: who writes for a connection owns it, and it is not const there.
  static void Encode(Encoder& out, const Receiver<M>& from) {
    internal::WireReceiver wire{.type = MessageHash(TypeName<M>())};
    if (from && out.refs() != nullptr) {
      internal::AnyReceiver right(from.id(), from.share());
      const_cast<Receiver<M>&>(from).Release();
      wire.outlet = internal::HandOver(*out.refs(), std::move(right), &internal::Proxy::Relay<M>);
    }
    EncodeValue(out, wire);
  }
  static bool Decode(Decoder& in, Receiver<M>& to) {
    internal::WireReceiver wire;
    if (!DecodeValue(in, wire)) return false;
    if (wire.type != MessageHash(TypeName<M>())) return in.Fail("a Receiver of other messages");
    if (!wire.outlet) return true;
    // It would take an inlet of this node for a proxy.
    if (AnyRef(wire.outlet).As<internal::MailOutlet>()) {
      return in.Fail("an outlet that is on this node");
    }
    if (!in.Charge(1024)) return false;  // a mailbox
    const internal::MailboxId id =
        internal::OpenForInlet(*in.refs(), internal::MessageTypeFor<M>());
    if (id.cell == nullptr) return true;
    to = Receiver<M>(id, internal::MailboxCell::kFirstShare);
    const Recipient<M, MailEnd> inlet(
        internal::SpawnInlet(id, wire.outlet),
        {&internal::MailInlet::PassOn<M>, internal::ThunkFor<internal::MailInlet, MailEnd>()});
    const auto routes = internal::RoutesOf(inlet);
    internal::Adopt(wire.outlet, {.inlet = inlet,
                                  .routes = {routes.begin(), routes.end()},
                                  .ahead = internal::MailInlet::kAhead});
    return true;
  }
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_HANDOVER_H_
