#include "troupe/actors/internal/down_message.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {
namespace {

// A watcher that ends with a Down still in its mailbox need not take back that watch, nor tell him who
// was linked; and must not, for that actor's system may be gone.
void ForgetBonds(const Envelope& envelope, const AnyRef& who) {
  ActorCell* watcher = ActorCell::Current();
  if (watcher == nullptr || !watcher->has_annex()) return;
  if (ActorCell::IncarnationOf(watcher->ref()) != (envelope.address & ~kAddressFlags)) return;
  watcher->annex().watched.Erase(who);
  watcher->annex().links.Erase(who);
}

void Tell(ActorCell& watcher, Down down, bool linked, Delivery& d) {
  const ActorType& type = *watcher.type();
  const bool ends = linked && type.ends_with_links && down.reason != ExitReason::kNormal;
  if (type.on_down != nullptr && !ends) return type.on_down(d.actor, std::move(down), *d.self);
  EndWith(down, linked ? ", with which it was linked: " : ", which it watched: ");
}

void Dispatch(Envelope& base, Delivery& d) {
  auto& envelope = static_cast<EnvelopeOf<Down>&>(base);
  if (d.verb == Delivery::Verb::kDiscard) ForgetBonds(envelope, envelope.message.who);
  if (d.verb != Delivery::Verb::kHandle) return envelope.Lose(d);
  Down down(std::move(envelope.message));
  envelope.Free();
  ActorCell& watcher = *ActorCell::Current();
  // It may have come because of a Link that found nobody.
  const bool linked = watcher.annex().links.Erase(down.who);
  const bool watched = watcher.annex().watched.Erase(down.who);
  if (linked || watched) Tell(watcher, std::move(down), linked, d);  // or else unwatched meanwhile
}

void DispatchLinkEnd(Envelope& base, Delivery& d) {
  auto& envelope = static_cast<EnvelopeOf<LinkEnd>&>(base);
  if (d.verb == Delivery::Verb::kDiscard) ForgetBonds(envelope, envelope.message.down.who);
  if (d.verb != Delivery::Verb::kHandle) return envelope.Lose(d);
  LinkEnd end(std::move(envelope.message));
  envelope.Free();
  ActorCell& peer = *ActorCell::Current();
  if (!peer.has_annex()) return;
  const bool linked = peer.annex().links.TakeEnd(end.down.who, end.known);
  const bool watched = end.for_good && peer.annex().watched.Erase(end.down.who);
  if (linked || watched) Tell(peer, std::move(end.down), linked, d);
}

void Send(const AnyRef& to, const AnyRef& from, Envelope& e) {
  e.sender = from;
  e.address = ActorCell::IncarnationOf(to) | kExempt;
  ActorCell::Post(to, e, PostMode::kNeverBlock);
}

}  // namespace

void EndWith(const Down& down, std::string_view bond) {
  if (down.reason == ExitReason::kNormal) return;
  std::string why = "ended with " + down.who.ToString();
  why += bond;
  why += ToString(down.reason);
  if (!down.status.ok()) why += ", " + down.status.ToString();
  ActorCell::Current()->End(ExitReason::kFailed, absl::AbortedError(why));
}

void SendDown(const AnyRef& watcher, Down down) {
  if (down.reason == ExitReason::kNoSuchActor) {
    down.status = absl::NotFoundError("it had ended before; how is not known any more");
  }
  if (!down.status.ok()) down.status = OwnCopy(down.status);
  auto* e = EnvelopeOf<Down>::Make(&Dispatch, std::move(down), std::source_location());
  Send(watcher, e->message.who, *e);
}

void SendLinkEnd(const Links::Link& link, LinkEnd end) {
  end.known = link.known;
  if (!end.down.status.ok()) end.down.status = OwnCopy(end.down.status);
  auto* e = EnvelopeOf<LinkEnd>::Make(&DispatchLinkEnd, std::move(end), std::source_location());
  Send(link.peer, e->message.down.who, *e);
}

}  // namespace troupe::internal
