// Peer: a node at the other end of a connection; and how one learns that they come and go.
#ifndef TROUPE_RUNTIME_BRIDGES_PEER_H_
#define TROUPE_RUNTIME_BRIDGES_PEER_H_

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/recipient.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/handover.h"
#include "troupe/runtime/bridges/internal/session.h"

namespace troupe {

// A random number of 128 bits, drawn whenever a Node is made: one that has been restarted is another.
struct NodeId {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const NodeId& id) {
    return H::combine(std::move(h), id.high, id.low);
  }
  std::string ToString() const;  // 32 hexadecimal digits
};

// Whether an ask failed, or an actor is said to have ended (Down::status), because the connection to its
// node broke or was closed. It may still live.
bool IsNodeLost(const absl::Status& status);

// Thread safety  A value: copy it to any thread and use it there.
// Ownership      Keeps neither the connection open nor the node alive. May outlive the Node.
class Peer {
 public:
  // Who has the name there, for these messages. As any ask (ask.h): Wait(), Then(self, f), co_await.
  // kNotFound: nobody is published by that name, or who was has ended. kPermissionDenied: not for us
  // (PublishOptions::allow). kFailedPrecondition: not for one of these messages, or it is a mailbox.
  // kUnavailable: the connection is closed.
  //
  //   absl::StatusOr<troupe::Recipient<Deposit, Balance>> alice =
  //       peer.Find<Deposit, Balance>("bank/alice").Wait();
  template <class... Ms>
  PendingAsk<Recipient<Ms...>> Find(std::string_view name,
                                    absl::Duration timeout = kDefaultAskTimeout) const {
    return connection_->session().Ask(internal::FindRemote<Ms...>{std::string(name)}, timeout);
  }
  // The right to send to the mailbox of that name (Node::PublishMailbox). Errors as of Find.
  template <class M>
  PendingAsk<Sender<M>> FindMailbox(std::string_view name,
                                    absl::Duration timeout = kDefaultAskTimeout) const {
    return connection_->session().Ask(internal::FindRemoteMailbox<M>{std::string(name)}, timeout);
  }

  NodeId id() const;
  std::string name() const;  // NodeOptions::name of the other node, and its address
  // Who it has proved to be, by its certificate. Nobody, if the address was not tls://.
  PeerIdentity identity() const;

  // For Watch: it ends when the connection does, with kFailed and a status that IsNodeLost.
  AnyRef ref() const { return connection_->session(); }

  // Closes the connection; the other side is told. All that depends on it fails at once.
  void Disconnect() const;

  // Whether it is the same connection.
  friend bool operator==(const Peer&, const Peer&) = default;

  // For the framework.
  explicit Peer(std::shared_ptr<internal::Connection> connection)
      : connection_(std::move(connection)) {}

 private:
  std::shared_ptr<internal::Connection> connection_;
};

// ---- the events that Node::Subscribe and PersistentConnection::Subscribe tell

// There is a connection with this node, whoever dialled.
struct PeerUp {
  Peer peer;
};
// It has ended, and with it all refs that came over it. The node may still live, and come back: with the
// same id then, and if its process was restarted with another.
struct PeerDown {
  NodeId id;
  std::string name;  // Peer::name
  absl::Status why;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_PEER_H_
