#include "troupe/runtime/bridges/internal/proxy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "troupe/actors/hold.h"
#include "troupe/actors/internal/mailbox_waits.h"
#include "troupe/actors/internal/spawn.h"
#include "troupe/actors/internal/timed_mail.h"
#include "troupe/runtime/bridges/internal/handover.h"
#include "troupe/runtime/bridges/internal/session.h"

namespace troupe::internal {

void Proxy::OnStart(Context& self) {
  self.Watch(connection_->session());
  connection_->session()
      .Ask(AwaitEnd{id_}, absl::InfiniteDuration())
      .Then(self, [](absl::StatusOr<RemoteEnd> end, Context& now) {
        if (!end.ok()) return;  // the connection is lost: Down will come, behind what waits
        end->reason == ExitReason::kNormal ? now.Stop() : now.Fail(end->status);
      });
}

void Proxy::On(const Down&, Context& self) { self.Fail(NodeLost(connection_->WhyClosed())); }

void Proxy::OnStop() {
  if (question_ != 0) {
    connection_->FailQuestion(question_, absl::UnavailableError("ask: the receiver has ended"));
  }
  LoseHeld();
  refs_.Withdraw();
  connection_->ForgetImport(id_, incarnation_);
  const absl::Status lost = connection_->WhyClosed();
  mail_.End(lost.ok() ? lost : NodeLost(lost));
}

TakeMail::~TakeMail() {
  if (from) End(NodeLost(absl::UnavailableError("the connection has ended")));
}

void TakeMail::End(const absl::Status& why) const {
  if (!from) return;
  const MailboxId& id = from.id();
  id.cell->Close(id.incarnation, Backlog::kDrop, why);
}

void Proxy::On(TakeMail mail, Context& self) {
  mail_ = std::move(mail);
  NextMail(self);
}

// At the end of the mailbox, which Drain brings about, this actor ends, too, when it has sent what it has.
void Proxy::NextMail(Context& self) {
  ContinueFromMailbox<Mail>(
      self, absl::InfiniteDuration(),
      [this](absl::StatusOr<Mail> mail, Context& now) {
        if (!mail.ok()) return StopActor(now.self(), StopWhen::kDrained);
        Envelope& e = mail->Unpack();
        e.thunk = mail_.forward;
        PostOn(now.self(), e);
      },
      [this](auto& slot, auto& waits) {
        BeginReceive(mail_.from.id(), mail_.from.share(), slot, waits[0]);
      });
}

uint32_t Proxy::Milliseconds(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return kNoTimeout;
  const int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1)));
  return static_cast<uint32_t>(std::clamp<int64_t>(ms, 0, kNoTimeout - 1));
}

void Proxy::Done() {
  refs_.Withdraw();
  frame_.capacity() > 4096 ? std::string().swap(frame_) : frame_.clear();
  question_ = 0;
}

void Proxy::LoseHeld() {
  if (const std::unique_ptr<Held> held = std::move(held_)) held->Lose();
}

// An outlet counts what it has sent, and this it has not.
void Proxy::TellUnsent(const Context& self) {
  if (const auto outlet = self.sender().As<MailOutlet>()) outlet->Send(MailTaken{1});
}

bool Proxy::Transmit(Context& self, bool ahead) {
  last_size_ = frame_.size();
  if (frame_.size() > connection_->max_frame()) {
    TellUnsent(self);
    const bool asked = question_ != 0;
    if (asked) {
      connection_->FailQuestion(
          question_, absl::InvalidArgumentError(absl::StrCat("ask: the request has ", frame_.size(),
                                                             " bytes, and the other node takes ",
                                                             connection_->max_frame())));
    }
    Done();
    return asked;
  }
  switch (connection_->Offer(frame_, id_, ahead)) {
    case Outbox::Offered::kNoRoom:
      HoldUntil(self, connection_->session().Ask(AwaitRoom{id_, ahead}, absl::InfiniteDuration()),
                [this, ahead](const absl::Status&, Context& now) {
                  if (!Transmit(now, ahead)) LoseHeld();
                });
      return true;
    case Outbox::Offered::kClosed: {
      const bool asked = question_ != 0;  // and has been told
      Done();
      return asked;
    }
    case Outbox::Offered::kTaken:
    case Outbox::Offered::kTakenFlush:
      refs_.Sent();
      held_.reset();
      Done();
      return true;
  }
  return true;
}

}  // namespace troupe::internal
