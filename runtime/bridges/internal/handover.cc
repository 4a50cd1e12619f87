#include "troupe/runtime/bridges/internal/handover.h"

#include <algorithm>
#include <source_location>
#include <utility>

#include "absl/status/statusor.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/mailbox_waits.h"
#include "troupe/actors/internal/spawn.h"
#include "troupe/actors/internal/timed_mail.h"

namespace troupe {
namespace internal {
namespace {

// Whatever the capacity of the proxy: there are few of these (H1).
template <class M>
void SendNotice(const AnyRef& to, Thunk thunk, M message) {
  PostNotice(to, *EnvelopeOf<M>::Make(thunk, std::move(message), std::source_location::current()));
}

}  // namespace

// ---- where the mailbox is

Outlet HandOver(RefTable& refs, AnyReceiver from, Thunk forward) {
  ActorSpace& space = from.id().cell->space();
  const ActorRef<MailOutlet> outlet(
      SpawnActor<MailOutlet>(space, nullptr, nullptr, std::move(from), refs.connection(), forward));
  refs.NoteHandedOver(outlet);
  return outlet;
}

void MailOutlet::On(const ReceiverAdopted& m, Context& self) {
  if (inlet_) return;
  inlet_ = m.inlet;
  if (!inlet_.As<Proxy>()) return self.Stop();
  most_ = std::clamp<uint32_t>(m.ahead, 1, MailInlet::kAhead);
  self.Watch(inlet_);
  Next(self);
}

void MailOutlet::On(MailTaken m, Context& self) {
  if (m.count > ahead_) {  // H1: it would have no bound
    return self.Fail(absl::InvalidArgumentError("more messages taken than it was sent"));
  }
  ahead_ -= m.count;
  if (inlet_) Next(self);
}

void MailOutlet::On(const Down& down, Context& self) {
  down.reason == ExitReason::kNormal ? self.Stop() : self.Fail(down.status);
}

void MailOutlet::Next(Context& self) {
  if (receiving_ || !from_ || ahead_ >= most_) return;
  receiving_ = true;
  ContinueFromMailbox<Mail>(
      self, absl::InfiniteDuration(),
      [this](absl::StatusOr<Mail> mail, Context& now) { Forward(std::move(mail), now); },
      [this](auto& slot, auto& waits) { BeginReceive(from_.id(), from_.share(), slot, waits[0]); });
}

void MailOutlet::Forward(absl::StatusOr<Mail> mail, Context& self) {
  receiving_ = false;
  if (absl::IsFailedPrecondition(mail.status())) return self.Fail(mail.status());  // kOneAtATime
  if (!mail.ok()) {  // H2; and then the inlet's end is waited for
    from_ = AnyReceiver();
    return SendNotice(inlet_, ThunkFor<Proxy, MailEnd>(), MailEnd{});
  }
  ++ahead_;
  Envelope& e = mail->Unpack();
  e.thunk = forward_;
  e.sender = self.self();  // the proxy tells it of one that is too long
  PostOn(inlet_, e);
  Next(self);
}

// ---- where the right has gone

MailboxId OpenForInlet(RefTable& refs, MessageType message) {
  return OpenMailboxIn(*SpaceOf(refs.connection()), {.message = message});
}

AnyRef SpawnInlet(const MailboxId& mailbox, const Outlet& outlet) {
  return SpawnActor<MailInlet>(mailbox.cell->space(), nullptr, nullptr, mailbox, outlet);
}

void Adopt(const Outlet& outlet, ReceiverAdopted adopted) {
  SendNotice(outlet, outlet.ThunkOf<ReceiverAdopted>(), std::move(adopted));
}

void MailInlet::OnStart(Context& self) {
  self.Watch(outlet_);
  PendingClose(mailbox_, absl::InfiniteDuration())
      .Then(self, [this](const absl::Status&, Context& now) {
        closed_ = true;
        StopIfDone(now);
      });
}

void MailInlet::On(MailEnd) { CloseForSending(mailbox_); }

void MailInlet::On(const Down& down) {
  const bool failed = down.reason != ExitReason::kNormal;
  mailbox_.cell->Close(mailbox_.incarnation, Backlog::kDrain,
                       failed ? down.status : absl::OkStatus());
}

// However it ends, nobody waits there for more.
void MailInlet::OnStop() { CloseForSending(mailbox_); }

void MailInlet::Pass(Envelope& e, Context& self) {
  if (waiting_ >= kAhead) {  // H1: the other side breaks it
    ActorCell::Current()->space().Lose(e, DeadLetterReason::kFull, self.self());
    return self.Fail(absl::ResourceExhaustedError("more messages than a Receiver takes ahead"));
  }
  e.address = 0;
  ++waiting_;
  PendingSend(mailbox_, &e, /*until_taken=*/true, absl::InfiniteDuration())
      .Then(self, [this](const absl::Status& taken, Context& now) { NoteTaken(taken, now); });
}

// Says so by halves of what it takes ahead.
void MailInlet::NoteTaken(const absl::Status& taken, Context& self) {
  --waiting_;
  if (taken.ok() && ++taken_ >= kAhead / 2) {
    SendNotice(outlet_, outlet_.ThunkOf<MailTaken>(), MailTaken{std::exchange(taken_, 0)});
  }
  StopIfDone(self);
}

void MailInlet::StopIfDone(Context& self) {
  if (closed_ && waiting_ == 0) self.Stop();
}

}  // namespace internal

void Codec<ReceiverAdopted>::Encode(Encoder& out, const ReceiverAdopted& m) {
  out.Array(2);
  internal::EncodeRef(out, {m.inlet}, m.routes);
  out.Uint(m.ahead);
}

// A proxy, and not an actor of this node: the outlet takes it for one.
bool Codec<ReceiverAdopted>::Decode(Decoder& in, ReceiverAdopted& m) {
  size_t count;
  if (!in.Array(count)) return false;
  if (count != 2) return in.Fail("no ReceiverAdopted");
  internal::RefTable::Imported imported;
  if (!internal::DecodeRef(in, {}, imported)) return false;
  if (imported.what && !imported.is_proxy) return in.Fail("an inlet that is on this node");
  m.inlet = imported.what.actor;
  return DecodeValue(in, m.ahead);
}

}  // namespace troupe
