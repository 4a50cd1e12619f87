#include "troupe/actors/mailbox.h"

#include <algorithm>
#include <stdexcept>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/mailbox_table.h"
#include "troupe/actors/listen.h"
#include "troupe/actors/named_sender.h"

namespace troupe {
namespace internal {
namespace {

using PutMode = MailboxCell::PutMode;
using PutResult = MailboxCell::PutResult;
using TakeResult = MailboxCell::TakeResult;

SendResult SendResultOf(PutResult result) {
  switch (result) {
    case PutResult::kTaken:
      return SendResult::kQueued;
    case PutResult::kDropped:
    case PutResult::kNotCopied:
      return SendResult::kDropped;
    case PutResult::kClosed:
      return SendResult::kClosed;
    case PutResult::kNotAllowed:
      return SendResult::kNotAllowed;
    case PutResult::kFull:
    case PutResult::kWaits:
      break;
  }
  return SendResult::kFull;
}

// Whether the thread may sleep until there is room. In a handler it lends its place away first.
bool MaySleep(ActorSpace& space) {
  if (space.stopping()) return false;
  if (ActorCell::Current() == nullptr) return true;
  if (space.scheduler().host_driven()) return false;
  ActorCell::Current()->BeginBlocking();
  return true;
}

SendResult SleepAndSend(MailboxId to, Envelope& e) {
  ThreadWait wait(to, to.cell->senders_patience());
  if (wait.RoomSoon()) {  // once: whoever looks for ever never waits in the order in which he came
    const PutResult result = to.cell->Put(to.incarnation, e, PutMode::kMayWait, false, nullptr);
    if (result != PutResult::kWaits) {
      wait.Learn();
      return SendResultOf(result);
    }
  }
  if (!MaySleep(to.cell->space())) {
    return SendResultOf(to.cell->Put(to.incarnation, e, PutMode::kNeverWait, false, nullptr));
  }
  PutResult result;
  const absl::Status status = WaitForMailbox<void>(
      &to.cell->space(), absl::InfiniteDuration(), [&](ReplySlotOf<void>& slot, auto& waits) {
        result = BeginSend(to, e, false, slot, waits[0]);
      });
  if (!absl::IsUnavailable(status)) wait.Learn();
  if (result != PutResult::kWaits) return SendResultOf(result);
  if (status.ok()) return SendResult::kQueued;
  return absl::IsDeadlineExceeded(status) ? SendResult::kFull : SendResult::kClosed;
}

}  // namespace

AnyRef CurrentSender() { return ActorCell::CurrentRef(); }

absl::Time DeadlineAt(const MailboxId& mailbox, absl::Duration timeout) {
  if (mailbox.cell == nullptr || timeout == absl::InfiniteDuration()) return absl::InfiniteFuture();
  return mailbox.cell->space().timers().clock().RoughNow() + timeout;
}

absl::Status StatusOf(PutResult result) {
  switch (result) {
    case PutResult::kTaken:
      return absl::OkStatus();
    case PutResult::kFull:
    case PutResult::kDropped:
      return absl::ResourceExhaustedError("the mailbox is full");
    case PutResult::kClosed:
      return absl::UnavailableError("the mailbox is closed");
    case PutResult::kNotAllowed:
      return absl::PermissionDeniedError(
          "the mailbox has another sender, or all get a copy and nobody can be waited for");
    case PutResult::kNotCopied:
      return absl::InternalError("copying the message failed");
    case PutResult::kWaits:
      break;
  }
  return absl::InternalError("the send waits");
}

absl::Status StatusOf(TakeResult result) {
  if (result == TakeResult::kBusy) {
    return absl::FailedPreconditionError("somebody else is receiving from the mailbox");
  }
  return absl::UnavailableError("the mailbox is closed");
}

absl::Status TimedOut(const MailWaiter& waiter) {
  const auto deadline = [](const char* what) { return absl::DeadlineExceededError(what); };
  if (waiter.at.cell == nullptr) return deadline("the deadline had passed before");
  if (waiter.message != nullptr) {
    return deadline(waiter.until_taken ? "send: no receiver took it before the deadline"
                                       : "send: no room in the mailbox before the deadline");
  }
  return deadline(waiter.share != 0 ? "receive: nothing came before the deadline"
                                    : "the mailbox was not closed before the deadline");
}

SendResult TryMailbox(MailboxId to, Envelope& e, void* from) {
  PutResult result = PutResult::kClosed;
  if (to.cell != nullptr) [[likely]] {
    result = to.cell->Put(to.incarnation, e, PutMode::kTry, false, nullptr);
    if (result == PutResult::kTaken) return SendResult::kQueued;
  }
  Return(e, from);
  return SendResultOf(result);
}

SendResult SendToMailbox(MailboxId to, Envelope& e, bool may_block) {
  if (to.cell == nullptr) {
    Discard(e, Lost::kReceiverGone);
    return SendResult::kClosed;
  }
  const PutMode mode = may_block ? PutMode::kMayWait : PutMode::kNeverWait;
  const PutResult result = to.cell->Put(to.incarnation, e, mode, false, nullptr);
  return result != PutResult::kWaits ? SendResultOf(result) : SleepAndSend(to, e);
}

PutResult BeginSend(MailboxId to, Envelope& e, bool until_taken, ReplySlotOf<void>& slot,
                    MailWaiter& waiter) {
  waiter.at = to;
  waiter.told_slot = &slot;
  const PutResult result = to.cell->Put(to.incarnation, e, PutMode::kMayWait, until_taken, &waiter);
  if (result != PutResult::kWaits) slot.Settle(StatusOf(result));
  return result;
}

absl::Status TakeOrWait(const MailSource& from, ReplySlotOf<Mail>& slot, MailWaiter& waiter) {
  waiter.at = from.id;
  waiter.share = from.share;
  waiter.mail_slot = &slot;
  Mail none;
  const TakeResult result = from.id.cell != nullptr
                                ? from.id.cell->Take(from.id.incarnation, from.share, none, &waiter)
                                : TakeResult::kClosed;
  const bool refused = result == TakeResult::kClosed || result == TakeResult::kBusy;
  return refused ? StatusOf(result) : absl::OkStatus();
}

void BeginReceive(MailboxId from, uint32_t share, ReplySlotOf<Mail>& slot, MailWaiter& waiter) {
  absl::Status refused = TakeOrWait({from, share}, slot, waiter);
  if (!refused.ok()) slot.Settle(std::move(refused));
}

bool ThreadWait::MayLook() const {
  return ActorCell::Current() == nullptr && !at_.cell->space().scheduler().host_driven();
}

bool ThreadWait::MailSoon(absl::Duration timeout) const {
  MailboxCell& cell = *at_.cell;
  if (timeout <= absl::ZeroDuration() || !MayLook() || !cell.LooksOpen()) return false;
  return patience_.Look([&cell] { return cell.LooksLike(); });
}

bool ThreadWait::RoomSoon() const {
  MailboxCell& cell = *at_.cell;
  // Without capacity only a receiver helps, who looks for senders that are linked.
  if (!MayLook() || !cell.has_room_to_wait_for()) return false;
  return patience_.Look([&cell, before = cell.received_so_far()] {
    return std::max<int64_t>(0, cell.received_so_far() - before);
  });
}

bool MailSoon(const MailboxId& at) {
  MailboxCell& cell = *at.cell;
  if (cell.space().scheduler().host_driven() || !cell.LooksOpen()) return false;
  return cell.glances().Look([&cell] { return cell.LooksLike(); });
}

void CloseForSending(const MailboxId& id) { id.cell->Close(id.incarnation, Backlog::kDrain); }
void Refer(const MailboxId& id) {
  if (id.cell != nullptr) id.cell->Refer();
}
void Unrefer(const MailboxId& id) { id.cell->Unrefer(); }

void PostToSelf(Envelope& e) {
  const AnyRef self = ActorCell::CurrentRef();
  e.address = ActorCell::IncarnationOf(self) | kExempt;
  ActorCell::Post(self, e, PostMode::kNeverBlock);
}

absl::Status WhyNotShared(const MailboxId& id) {
  if (id.cell == nullptr || id.cell->stats(id.incarnation).closed) {
    return absl::UnavailableError("the mailbox is closed");
  }
  return absl::FailedPreconditionError("the mailbox is for one sender and one receiver");
}

absl::Status WhyNotAttached(std::string_view name) {
  return absl::FailedPreconditionError("somebody has the receive right of the mailbox " +
                                       std::string(name));
}

MailboxId OpenMailboxIn(ActorSpace& space, MailboxSpec spec) {
  const auto require = [](bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
  };
  require((spec.receivers == Receivers::kByKey) == static_cast<bool>(spec.key),
          "Troupe: MailboxOptions::key and Receivers::kByKey go together");
  require(spec.receivers != Receivers::kAll || spec.copy != nullptr,
          "Troupe: with Receivers::kAll each gets a copy, but the message cannot be copied");
  require(spec.receivers != Receivers::kAll || spec.capacity != 0,
          "Troupe: with Receivers::kAll MailboxOptions::capacity must be at least 1");
  require(spec.warn_at != 0, "Troupe: MailboxOptions::warn_at must be at least 1");
  absl::StatusOr<MailboxId> id = space.mailbox_table().Open(std::move(spec));
  if (!id.ok()) throw std::invalid_argument("Troupe: " + std::string(id.status().message()));
  return *id;
}

absl::StatusOr<MailboxId> FindMailboxIn(ActorSpace& space, std::string_view name,
                                        MessageType message) {
  return space.mailbox_table().Find(name, message);
}

absl::Status BindMailboxName(ActorSpace& space, std::string_view name, const MailboxId& to,
                             MessageType message) {
  return space.mailbox_table().Bind(name, {to, message}, MailboxTable::IfTaken::kRefuse);
}

absl::Status RebindMailboxName(ActorSpace& space, std::string_view name, const MailboxId& to,
                               MessageType message) {
  return space.mailbox_table().Bind(name, {to, message}, MailboxTable::IfTaken::kReplace);
}

std::shared_ptr<MailboxName> SlotOfMailboxName(ActorSpace& space, std::string_view name) {
  return space.mailbox_table().Slot(name);
}

std::string MailboxToString(const MailboxId& id) {
  return id.cell != nullptr ? id.cell->ToString(id.incarnation) : "nobody";
}

}  // namespace internal

absl::Status PendingSend::Wait() && {
  if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
  if (std::optional<absl::Status> now = TryNow()) return *std::move(now);
  return internal::WaitForMailbox<void>(&to_.cell->space(), timeout_,
                                        [this](auto& slot, auto& waits) { Begin(slot, waits[0]); });
}

std::optional<absl::Status> PendingSend::TryNow() {
  using PutResult = internal::MailboxCell::PutResult;
  if (to_.cell == nullptr) return internal::StatusOf(PutResult::kClosed);
  const PutResult result = to_.cell->Put(
      to_.incarnation, *message_, internal::MailboxCell::PutMode::kMayWait, until_taken_, nullptr);
  if (result == PutResult::kWaits) return std::nullopt;
  message_ = nullptr;
  return internal::StatusOf(result);
}

void PendingSend::Begin(internal::ReplySlotOf<void>& slot, internal::MailWaiter& waiter) {
  if (to_.cell == nullptr) {
    return slot.Settle(internal::StatusOf(internal::MailboxCell::PutResult::kClosed));
  }
  internal::BeginSend(to_, *std::exchange(message_, nullptr), until_taken_, slot, waiter);
}

void PendingSend::LoseUnsent() {
  if (to_.cell == nullptr) return;  // there is no system to count it
  to_.cell->space().Lose(*std::exchange(message_, nullptr), DeadLetterReason::kExpired, AnyRef(),
                         internal::MailboxToString(to_));
}

absl::Status PendingClose::Wait() && {
  if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
  return internal::WaitForMailbox<void>(of_.cell != nullptr ? &of_.cell->space() : nullptr,
                                        timeout_,
                                        [this](auto& slot, auto& waits) { Begin(slot, waits[0]); });
}

void PendingClose::Begin(internal::ReplySlotOf<void>& slot, internal::MailWaiter& waiter) {
  waiter.at = of_;
  waiter.told_slot = &slot;
  if (of_.cell == nullptr || !of_.cell->AwaitClose(of_.incarnation, waiter)) {
    slot.Settle(absl::OkStatus());
  }
}

}  // namespace troupe
