#include "troupe/runtime/bridges/internal/redial.h"

#include <span>
#include <utility>

#include "troupe/actors/internal/backoff.h"

namespace troupe::internal {

Redial::Redial(const AnyRef& node, Dialling dial, const Patience& patience)
    : node_(node), dial_(std::move(dial)), patience_(patience), random_(patience.seed) {}

void Redial::OnStart(Context& self) {
  self.Watch(node_);
  Dial(self);
}

void Redial::Dial(Context& self) {
  absl::StatusOr<PendingAsk<Peer>> begun = dial_();
  if (!begun.ok()) return DialLater(self);
  (*std::move(begun)).Then(self, [this](const absl::StatusOr<Peer>& peer, Context& now) {
    peer.ok() ? Have(*peer, now) : DialLater(now);
  });
}

void Redial::DialLater(Context& self) {
  self.SendAfter(DelayBeforeNextTry(patience_.backoff, failures_++, random_), self.ref(this),
                 Again{});
}

void Redial::Have(const Peer& peer, Context& self) {
  peer_ = peer;
  since_ = self.Now();
  self.Watch(peer.ref());
  subscribers_.Tell(PeerUp{peer});
  std::vector<Waiter> waiting;
  for (Waiter& waiter : std::exchange(waiters_, {})) {
    if (waiter.but_not == peer.ref()) {
      waiting.push_back(std::move(waiter));
    } else {
      waiter.reply.Send(peer);
    }
  }
  waiters_ = std::move(waiting);
}

void Redial::On(const Down& down, Context& self) {
  if (down.who == node_) return self.Stop();
  if (!peer_ || down.who != peer_->ref()) return;
  subscribers_.Tell(PeerDown{
      .id = peer_->id(),
      .name = peer_->name(),
      .why = down.reason != ExitReason::kFailed ? NodeLost(absl::OkStatus()) : down.status});
  peer_.reset();
  if (self.Now() - since_ > patience_.reset_after) failures_ = 0;
  DialLater(self);
}

void Redial::On(AwaitPeer m, Reply<Peer> reply) {
  if (peer_ && peer_->ref() != m.but_not) return reply.Send(*peer_);  // R2
  std::erase_if(waiters_, [](const Waiter& waiter) { return !waiter.reply; });
  waiters_.push_back({m.but_not, std::move(reply)});
}

void Redial::On(const SubscribeToPeers& m) {
  subscribers_.Add(m.subscriber,
                   peer_ ? std::span<const Peer>(&*peer_, 1) : std::span<const Peer>());
}

}  // namespace troupe::internal
