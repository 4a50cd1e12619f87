#include "troupe/runtime/bridges/internal/delivery.h"

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/mailbox_options.h"
#include "troupe/runtime/bridges/internal/inflow.h"
#include "troupe/runtime/bridges/internal/session.h"

namespace troupe::internal {
namespace {

// One who waits, as a sender that says Deliver does, until a receiver has the message. Nobody calls it off:
// what has arrived stays if its connection goes.
class MailReceipt final : public ReplySlotOf<void> {
 public:
  explicit MailReceipt(const Arrival& arrival)
      : ReplySlotOf<void>(kKind, 1), account_(arrival.account), bytes_(arrival.bytes()) {}
  ~MailReceipt() { account_.Handled(bytes_); }

  MailWaiter waiter;

 private:
  static void OnReady(ReplySlot& slot) { slot.Release(); }
  static void Destroy(ReplySlot& slot) { delete &static_cast<MailReceipt&>(slot); }
  static absl::Time Deadline(const ReplySlot&) { return absl::InfiniteFuture(); }
  static constexpr ReplySlot::Kind kKind{&OnReady, &Destroy, &Deadline};

  Inflow::Account& account_;  // F1 of inflow.h
  const size_t bytes_;
};

}  // namespace

void PostOn(const AnyRef& to, Envelope& e) {
  e.address = ActorCell::IncarnationOf(to) | kExempt | kLetter;
  ActorCell::Post(to, e, PostMode::kNeverBlock);
}

void PostNotice(const AnyRef& to, Envelope& e) {
  e.address = ActorCell::IncarnationOf(to) | kExempt;
  ActorCell::Post(to, e, PostMode::kNeverBlock);
}

void PutInMailbox(const Arrival& arrival, Envelope& e) {
  using PutResult = MailboxCell::PutResult;
  const MailboxId& to = arrival.to.mailbox;
  const Receivers receivers = to.cell->receivers(to.incarnation);
  if (receivers == Receivers::kExclusivePair) e.sender = arrival.connection.session();
  auto* receipt = new MailReceipt(arrival);
  receipt->waiter.at = to;
  receipt->waiter.told_slot = receipt;
  using PutMode = MailboxCell::PutMode;
  const PutResult put = to.cell->Put(
      to.incarnation, e, arrival.is_request() ? PutMode::kNeverWait : PutMode::kMayWait,
      /*until_taken=*/receivers != Receivers::kAll, &receipt->waiter);
  if (put != PutResult::kWaits) receipt->Settle(absl::OkStatus());
}

}  // namespace troupe::internal
