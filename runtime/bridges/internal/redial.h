// Redial: the actor that keeps one connection: dials, watches, and dials again.
//
// R1  Either a dial is under way, or there is a peer that it watches, or a timer runs that ends in a dial.
// R2  Nobody who awaits a peer waits while there is one.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_REDIAL_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_REDIAL_H_

#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/reply.h"
#include "troupe/actors/supervisor_options.h"
#include "troupe/runtime/bridges/internal/peer_subscribers.h"
#include "troupe/runtime/bridges/peer.h"

namespace troupe::internal {

struct AwaitPeer {
  using Reply = Peer;
  AnyRef but_not = {};  // Peer::ref of one that will not do
};

class Redial {
 public:
  using Dialling = std::function<absl::StatusOr<PendingAsk<Peer>>()>;  // begins a try
  struct Patience {
    Backoff backoff;
    absl::Duration reset_after;
    uint64_t seed;
  };
  struct Again {};

  // Ends with `node`.
  Redial(const AnyRef& node, Dialling dial, const Patience& patience);

  void OnStart(Context& self);
  void On(Again, Context& self) { Dial(self); }
  void On(const Down& down, Context& self);
  void On(AwaitPeer m, Reply<Peer> reply);
  void On(const SubscribeToPeers& m);
  void On(const UnsubscribeFromPeers& m) { subscribers_.Remove(m.subscriber); }

 private:
  void Dial(Context& self);
  void Have(const Peer& peer, Context& self);
  void DialLater(Context& self);

  const AnyRef node_;
  const Dialling dial_;
  const Patience patience_;
  std::mt19937_64 random_;
  int failures_ = 0;

  std::optional<Peer> peer_;
  absl::Time since_;  // of peer_
  struct Waiter {
    AnyRef but_not;
    Reply<Peer> reply;
  };
  std::vector<Waiter> waiters_;
  PeerSubscribers subscribers_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_REDIAL_H_
