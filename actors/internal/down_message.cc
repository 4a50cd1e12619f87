#include "troupe/actors/internal/down_message.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {
namespace {

// A watcher that ends with a Down still in its mailbox need not take back that watch; and must not,
// for the watched actor's system may be gone.
void ForgetWatched(const EnvelopeOf<Down>& envelope) {
  ActorCell* watcher = ActorCell::Current();
  if (watcher == nullptr || !watcher->has_annex()) return;
  if (ActorCell::IncarnationOf(watcher->ref()) != (envelope.address & ~kAddressFlags)) return;
  watcher->annex().watched.Erase(envelope.message.who);
}

void Dispatch(Envelope& base, Delivery& d) {
  auto& envelope = static_cast<EnvelopeOf<Down>&>(base);
  if (d.verb == Delivery::Verb::kDiscard) ForgetWatched(envelope);
  if (d.verb != Delivery::Verb::kHandle) return envelope.Lose(d);
  Down down(std::move(envelope.message));
  envelope.Free();
  ActorCell& watcher = *ActorCell::Current();
  if (!watcher.annex().watched.Erase(down.who)) return;  // unwatched meanwhile
  if (auto on_down = watcher.type()->on_down) {
    on_down(d.actor, std::move(down), *d.self);
  } else {
    EndWith(down);
  }
}

// One that shares nothing: references to a shared one are counted inside of libabsl, where
// ThreadSanitizer does not see it and reports the last one's delete.
absl::Status OwnCopy(const absl::Status& status) {
  absl::Status copy(status.code(), status.message());
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    copy.SetPayload(type_url, payload);
  });
  return copy;
}

}  // namespace

void EndWith(const Down& down) {
  if (down.reason == ExitReason::kNormal) return;
  std::string why = "ended with " + down.who.ToString() + ", which it watched: ";
  why += ToString(down.reason);
  if (!down.status.ok()) why += ", " + down.status.ToString();
  ActorCell::Current()->End(ExitReason::kFailed, absl::AbortedError(why));
}

void SendDown(const AnyRef& watcher, Down down) {
  if (!down.status.ok()) down.status = OwnCopy(down.status);
  auto* e = EnvelopeOf<Down>::Make(&Dispatch, std::move(down), std::source_location());
  e->sender = e->message.who;
  e->address = ActorCell::IncarnationOf(watcher) | kExempt;
  ActorCell::Post(watcher, *e, PostMode::kNeverBlock);
}

}  // namespace troupe::internal
