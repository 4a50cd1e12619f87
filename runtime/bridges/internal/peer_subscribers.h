// PeerSubscribers: those who are told that connections come and go.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_PEER_SUBSCRIBERS_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_PEER_SUBSCRIBERS_H_

#include <algorithm>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/send_result.h"
#include "troupe/runtime/bridges/peer.h"

namespace troupe::internal {

using PeerEvent = std::variant<PeerUp, PeerDown>;
using PeerSubscriber = Recipient<PeerUp, PeerDown>;

struct SubscribeToPeers {
  PeerSubscriber subscriber;
};
struct UnsubscribeFromPeers {
  AnyRef subscriber;
};

// Belongs to one actor. Never blocks: what does not fit is a dead letter.
class PeerSubscribers {
 public:
  // Begins with those that are there. Twice is once.
  void Add(const PeerSubscriber& subscriber, std::span<const Peer> current) {
    if (!subscriber || std::find(all_.begin(), all_.end(), AnyRef(subscriber)) != all_.end())
      return;
    for (const Peer& peer : current) subscriber.TrySend(PeerUp{peer});
    all_.push_back(subscriber);
  }
  void Remove(const AnyRef& subscriber) { std::erase(all_, subscriber); }
  void Tell(const PeerEvent& event) {
    std::erase_if(all_, [&](const PeerSubscriber& to) {
      return std::visit([&](const auto& e) { return to.TrySend(Copy(e)); }, event) ==
             SendResult::kClosed;
    });
  }

 private:
  static PeerUp Copy(const PeerUp& up) { return up; }
  static PeerDown Copy(const PeerDown& down) {
    return {.id = down.id, .name = down.name, .why = OwnCopy(down.why)};
  }

  std::vector<PeerSubscriber> all_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_PEER_SUBSCRIBERS_H_
