#include "troupe/runtime/bridges/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/runtime/bridges/internal/address.h"
#include "troupe/runtime/bridges/internal/node_core.h"

namespace troupe {

std::string NodeId::ToString() const {
  return absl::StrCat(absl::Hex(high, absl::kZeroPad16), absl::Hex(low, absl::kZeroPad16));
}

bool IsNodeLost(const absl::Status& status) {
  return status.GetPayload(internal::kNodeLost).has_value();
}

NodeId Peer::id() const {
  return {.high = connection_->peer().node_high, .low = connection_->peer().node_low};
}
std::string Peer::name() const { return connection_->PeerName(); }
PeerIdentity Peer::identity() const { return connection_->identity(); }
void Peer::Disconnect() const { connection_->Close(absl::CancelledError("disconnected")); }

Node::Node(System& system, NodeOptions options)
    : core_(std::make_unique<internal::NodeCore>(system, std::move(options))) {}
Node::~Node() = default;

absl::Status Node::PublishRoutes(std::string_view name, internal::Published published) {
  return core_->Publish(name, std::move(published));
}
bool Node::Unpublish(std::string_view name) { return core_->Unpublish(name); }

absl::StatusOr<std::string> Node::Listen(std::string_view address, ListenOptions options) {
  return core_->Listen(address, options);
}
PendingAsk<Peer> Node::Connect(std::string_view address, absl::Duration timeout) const {
  return core_->actor().Ask(internal::Dial{std::string(address)}, timeout);
}
PendingAsk<Peer> Node::Attach(std::unique_ptr<Link> link, absl::Duration timeout) const {
  return core_->actor().Ask(internal::AttachLink{std::move(link)}, timeout);
}
void Node::Serve(std::unique_ptr<Link> link) { core_->Serve(std::move(link)); }
absl::StatusOr<PersistentConnection> Node::Maintain(std::string_view address,
                                                    const MaintainOptions& options) {
  if (auto parsed = core_->Parse(address); !parsed.ok()) return parsed.status();
  auto dial = [node = core_->actor(), to = std::string(address), timeout = options.dial_timeout] {
    return absl::StatusOr<PendingAsk<Peer>>(node.Ask(internal::Dial{to}, timeout));
  };
  return core_->Maintain(std::move(dial), options);
}
absl::StatusOr<PersistentConnection> Node::Maintain(DialLink dial, const MaintainOptions& options) {
  auto attach = [node = core_->actor(), dial = std::move(dial),
                 timeout = options.dial_timeout]() -> absl::StatusOr<PendingAsk<Peer>> {
    absl::StatusOr<std::unique_ptr<Link>> link = dial();
    if (!link.ok()) return link.status();
    return node.Ask(internal::AttachLink{*std::move(link)}, timeout);
  };
  return core_->Maintain(std::move(attach), options);
}
void Node::Subscribe(const Recipient<PeerUp, PeerDown>& subscriber) {
  core_->actor().Send(internal::SubscribeToPeers{subscriber});
}
void Node::Unsubscribe(const AnyRef& subscriber) {
  core_->actor().Send(internal::UnsubscribeFromPeers{subscriber});
}

absl::Status Node::Drain(absl::Duration timeout) { return core_->Drain(timeout); }

NodeId Node::id() const { return core_->id(); }
Node::Stats Node::stats() const { return core_->stats(); }

}  // namespace troupe
