// Caretaker: the actor in front of a receiver that passes on what a right allows.
//
// Messages pass with their envelope: it gets another address and another thunk, and keeps sender, line
// and Reply. So an answer does not come by here again.
//
// G1  What is sent after Revoke has returned is not passed on. Revoke is a control item, and a message
//     that was sent later finds it there: a caretaker that has control items handles them first.
// G2  Nothing is passed on once the right has expired, whether or not the timer has fired.
#ifndef TROUPE_ACTORS_INTERNAL_CARETAKER_H_
#define TROUPE_ACTORS_INTERNAL_CARETAKER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/attenuation.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/reply.h"

namespace troupe::internal {

// Who is behind the caretaker: an actor, or a mailbox.
struct Guarded {
  AnyRef actor;
  MailboxId mailbox;
};

class Caretaker {
 public:
  struct Expired {};

  // `thunks`: what the messages have when they go on.
  Caretaker(const Guarded& guarded, std::vector<Thunk> thunks, const RightLimits& limits)
      : guarded_(guarded), thunks_(std::move(thunks)), limits_(limits) {}

  void OnStart(Context& self);
  void On(Expired, Context& self);
  void On(Down down, Context& self);
  void Pass(Envelope& e, size_t which, Context& self);

  // The thunk of a message of the caretaker's whose own thunk is at kWhich.
  template <class M, size_t kWhich>
  static void PassOn(Envelope& e, Delivery& d) {
    auto& envelope = static_cast<EnvelopeOf<M>&>(e);
    if (d.verb == Delivery::Verb::kHandle) [[likely]] {
      if constexpr (Askable<M>) envelope.reply.TakeOut();
      return static_cast<Caretaker*>(d.actor)->Pass(e, kWhich, *d.self);
    }
    // The mailbox here has no bound, and whoever is gone here is not the receiver but his deputy.
    if (d.lost == Lost::kReceiverFull) d.lost = Lost::kOverLimit;
    if (d.lost == Lost::kReceiverGone) d.lost = Lost::kNotAllowed;
    envelope.Lose(d);
  }

 private:
  void GoOn(Envelope& e, Thunk thunk);
  bool Admit(absl::Time now);

  const Guarded guarded_;
  const std::vector<Thunk> thunks_;
  const RightLimits limits_;
  // When those passed that did within the last span. (An empty deque has its memory already.)
  std::optional<std::deque<absl::Time>> passed_;
};

// Nobody, if there is nobody to guard. Throws std::invalid_argument.
AnyRef SpawnCaretaker(const Guarded& guarded, std::vector<Thunk> thunks, const RightLimits& limits);
absl::Time ExpiryOf(const Guarded& guarded, absl::Duration after);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_CARETAKER_H_
