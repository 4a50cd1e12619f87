#include "troupe/runtime/bridges/internal/node_core.h"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actors/internal/incarnation.h"
#include "troupe/runtime/system.h"

namespace troupe::internal {

void NodeActor::On(Dial m, Reply<Peer> reply) { core_.StartDial(m.address, std::move(reply)); }
void NodeActor::On(AttachLink m, Reply<Peer> reply) {
  core_.Start(std::move(m.link), std::move(reply));
}

NodeCore::NodeCore(System& system, NodeOptions options)
    : system_(system),
      options_(std::move(options)),
      id_{.high = DrawIncarnation(), .low = DrawIncarnation()},
      actor_(system.Spawn<NodeActor>(ActorOptions{.name = options_.name}, *this)) {
  asio::post(loop_->context(), [this, &loop = *loop_] {
    heartbeat_ = std::make_unique<asio::steady_timer>(loop.context());
    TickLater();
  });
}

NodeCore::~NodeCore() {
  actor_.Stop();
  system_.Join(actor_).IgnoreError();  // D2: it makes connections
  std::vector<std::shared_ptr<Connection>> open;
  {
    const MutexLock lock(mutex_);
    closing_ = true;
    for (const auto& [connection, reply] : connections_) open.push_back(connection);
    listeners_.clear();
  }
  for (const auto& connection : open) {
    connection->Close(absl::CancelledError("the node is going away"));
  }
  open.clear();
  none_left_.Await([this] {
    const MutexLock lock(mutex_);
    return connections_.empty();
  });
  asio::post(loop_->context(), [this] { heartbeat_.reset(); });
  loop_.reset();
}

// ---- names

absl::Status NodeCore::Publish(std::string_view name, Published published) {
  if (name.empty()) return absl::InvalidArgumentError("Publish: the name is empty");
  if (!published.who) return absl::InvalidArgumentError("Publish: nobody is to be published");
  for (size_t i = 0; i < published.routes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (published.routes[i].type == published.routes[j].type) {
        return absl::InvalidArgumentError(
            absl::StrCat("Publish: ", std::string(published.routes[i].name), " and ",
                         std::string(published.routes[j].name), " have the same hash"));
      }
    }
  }
  const MutexLock lock(mutex_);
  published_.insert_or_assign(std::string(name), std::move(published));
  return absl::OkStatus();
}

bool NodeCore::Unpublish(std::string_view name) {
  const MutexLock lock(mutex_);
  const auto entry = published_.find(name);
  if (entry == published_.end()) return false;
  published_.erase(entry);
  return true;
}

std::optional<Published> NodeCore::FindPublished(std::string_view name) {
  const MutexLock lock(mutex_);
  const auto entry = published_.find(name);
  if (entry == published_.end()) return std::nullopt;
  return entry->second;
}

// ---- connections

absl::StatusOr<std::string> NodeCore::Listen(std::string_view text, const ListenOptions& options) {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return address.status();
  auto take = [this](absl::StatusOr<std::unique_ptr<Link>> link) {
    if (!link.ok())
      return NoteRefusal({link.status().message().data(), link.status().message().size()});
    Start(*std::move(link), {});
  };
  absl::StatusOr<std::unique_ptr<SocketListener>> listener =
      ListenSocket(*loop_, *address, options.plaintext_beyond_loopback, std::move(take));
  if (!listener.ok()) return listener.status();
  const MutexLock lock(mutex_);
  listeners_.push_back(*std::move(listener));
  return listeners_.back()->address();
}

void NodeCore::StartDial(std::string_view text, Reply<Peer> reply) {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return reply.Send(address.status());
  auto shared = std::make_shared<Reply<Peer>>(std::move(reply));  // a std::function is copyable
  DialSocket(*loop_, *address, [this, shared](absl::StatusOr<std::unique_ptr<Link>> link) {
    if (!link.ok()) return shared->Send(link.status());
    Start(*std::move(link), std::move(*shared));
  });
}

void NodeCore::Start(std::unique_ptr<Link> link, Reply<Peer> reply) {
  const auto connection = std::make_shared<Connection>(*this, std::move(link));
  absl::Status refused;
  if (!connection->Prepare()) refused = absl::CancelledError("the system is shutting down");
  if (refused.ok()) {
    const MutexLock lock(mutex_);
    if (closing_) {
      refused = absl::CancelledError("the node is going away");
    } else if (connections_.size() >= options_.max_connections) {
      refused = absl::ResourceExhaustedError("the node has as many connections as it may");
    } else {
      connections_.emplace(connection, std::move(reply));
    }
  }
  if (refused.ok()) return connection->Begin();
  connection->Close(refused);
  NoteRefusal({refused.message().data(), refused.message().size()});
  if (reply) reply.Send(refused);
}

void NodeCore::OnUp(const std::shared_ptr<Connection>& connection) {
  Reply<Peer> reply;
  {
    const MutexLock lock(mutex_);
    const auto entry = connections_.find(connection);
    if (entry != connections_.end()) reply = std::move(entry->second);
  }
  if (reply) reply.Send(Peer(connection));
}

void NodeCore::OnDown(const std::shared_ptr<Connection>& connection, const absl::Status& why) {
  if (why.code() != absl::StatusCode::kUnavailable && why.code() != absl::StatusCode::kCancelled) {
    NoteRefusal({why.message().data(), why.message().size()});
  }
  Reply<Peer> reply;
  {
    const MutexLock lock(mutex_);
    const auto entry = connections_.find(connection);
    if (entry == connections_.end()) return;
    reply = std::move(entry->second);
    connections_.erase(entry);
    none_left_.NotifyAll();  // under the lock: the destructor may be all that waits
  }
  if (reply) reply.Send(why);
}

void NodeCore::NoteRefusal(std::string_view why) {
  const MutexLock lock(mutex_);
  ++refused_;
  last_refusal_ = why;
}

Node::Stats NodeCore::stats() const {
  const MutexLock lock(mutex_);
  return {.connections = connections_.size(), .refused = refused_, .last_refusal = last_refusal_};
}

Hello NodeCore::MakeHello() const {
  return {.node_high = id_.high,
          .node_low = id_.low,
          .name = options_.name,
          .max_frame = options_.max_frame,
          .window = options_.window};
}

ActorRef<Session> NodeCore::SpawnSession(std::shared_ptr<Connection> connection) {
  return system_.Spawn<Session>(std::move(connection));
}

ActorRef<Proxy> NodeCore::SpawnProxy(std::shared_ptr<Connection> connection, uint64_t id,
                                     uint64_t incarnation) {
  ActorOptions options{.name = absl::StrCat("number ", id, " of ", connection->PeerName()),
                       .capacity = options_.capacity,
                       .when_full = options_.when_full};
  return system_.Spawn<Proxy>(std::move(options), std::move(connection), id, incarnation);
}

// ---- heartbeat

void NodeCore::TickLater() {
  const auto period = std::max(options_.heartbeat_interval, absl::Milliseconds(1));
  heartbeat_->expires_after(absl::ToChronoNanoseconds(period));
  heartbeat_->async_wait([this](const std::error_code& cancelled) {
    if (!cancelled && heartbeat_ != nullptr) Tick();
  });
}

void NodeCore::Tick() {
  std::vector<std::shared_ptr<Connection>> all;
  {
    const MutexLock lock(mutex_);
    if (closing_) return;
    for (const auto& [connection, reply] : connections_) all.push_back(connection);
  }
  const Connection::Clock::time_point now = Connection::Clock::now();
  for (const auto& connection : all) connection->Tick(now);
  TickLater();
}

}  // namespace troupe::internal
