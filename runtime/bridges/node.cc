#include "troupe/runtime/bridges/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
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
void Peer::Disconnect() const { connection_->Close(absl::CancelledError("disconnected")); }

Node::Node(System& system, NodeOptions options)
    : core_(std::make_unique<internal::NodeCore>(system, std::move(options))) {}
Node::~Node() = default;

absl::Status Node::PublishRoutes(std::string_view name, const AnyRef& who,
                                 std::vector<internal::ExportRoute> routes) {
  return core_->Publish(name, {.who = who, .routes = std::move(routes)});
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
void Node::Serve(std::unique_ptr<Link> link) { core_->Start(std::move(link), {}); }

NodeId Node::id() const { return core_->id(); }
Node::Stats Node::stats() const { return core_->stats(); }

}  // namespace troupe
