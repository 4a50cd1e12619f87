#include "troupe/runtime/bridges/internal/node_core.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "troupe/actors/event_stream.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/incarnation.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/internal/spawn.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/socket_dialer.h"
#include "troupe/runtime/system.h"

namespace troupe::internal {
namespace {

bool HasEnded(const Referent& who) {
  return who.is_mailbox() ? who.mailbox.cell->stats(who.mailbox.incarnation).closed
                          : !IsLive(who.actor);
}

Scheduler* SchedulerOf(const AnyRef& actor) {  // nullptr: the system is shutting down
  return actor ? &ActorCell::Of(actor)->space().scheduler() : nullptr;
}

const ActorType& ProxyTypeAt(Place place) {
  static constexpr std::array kTypes{ActorTypeAt<Proxy>(Place::kThisProcess),
                                     ActorTypeAt<Proxy>(Place::kThisComputer),
                                     ActorTypeAt<Proxy>(Place::kOtherComputer)};
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [place](const ActorType& t) { return t.place == place; });
  return type != kTypes.end() ? *type : kTypes.back();
}

}  // namespace

void NodeActor::On(Dial m, Reply<Peer> reply, Context& self) {
  const absl::Duration timeout = reply.deadline() - self.Now();
  core_.StartDial(m.address, timeout, std::move(reply));
}
void NodeActor::On(AttachLink m, Reply<Peer> reply) {
  core_.Start(std::move(m.link), NodeCore::Side::kDialled, std::move(reply));
}
std::vector<Peer> NodeActor::TellChanges() {
  auto [events, current] = core_.TakePeerEvents();
  for (const PeerEvent& event : events) subscribers_.Tell(event);
  return std::move(current);
}

NodeCore::NodeCore(System& system, NodeOptions options)
    : system_(system),
      options_(std::move(options)),
      id_{.high = DrawIncarnation(), .low = DrawIncarnation()},
      actor_(system.Spawn<NodeActor>(ActorOptions{.name = options_.name}, *this)),
      admission_(options_),
      connections_(id_),
      loop_(EventLoop::Begin(options_.io_context, SchedulerOf(actor_))) {
  TickLater();
}

void NodeCore::CloseAll() {
  std::vector<std::shared_ptr<Connection>> open;
  {
    const MutexLock lock(mutex_);
    open = connections_.all();
  }
  for (const auto& connection : open) {
    connection->Close(absl::CancelledError("the node is going away"));
  }
}

void NodeCore::StopAccepting() {
  std::vector<ActorRef<Redial>> redials;
  {
    const MutexLock lock(mutex_);
    draining_ = true;
    listeners_.clear();
    redials.swap(redials_);
  }
  for (const auto& redial : redials) EndRedial(redial);
  actor_.Stop();
  system_.Join(actor_).IgnoreError();  // which uses this object
}

// D3
void NodeCore::EndRedial(const ActorRef<Redial>& redial) {
  redial.Stop();
  system_.Join(redial).IgnoreError();
}

// Nobody tells when a connection has nothing left: this looks again, rather than that every message does.
absl::Status NodeCore::Drain(absl::Duration timeout) {
  const auto deadline = SteadyDeadline(timeout);
  StopAccepting();
  for (;;) {
    std::vector<std::shared_ptr<Connection>> open;
    {
      const MutexLock lock(mutex_);
      open = connections_.all();
    }
    if (open.empty()) return absl::OkStatus();
    if (std::chrono::steady_clock::now() >= deadline) {
      CloseAll();
      return absl::DeadlineExceededError(
          absl::StrCat("Drain: ", open.size(), " connections had something left"));
    }
    for (const auto& connection : open) connection->Drain();
    none_left_.Await(
        [this] {
          const MutexLock lock(mutex_);
          return connections_.size() == 0;
        },
        SteadyDeadline(absl::Milliseconds(1)));
  }
}

NodeCore::~NodeCore() {
  StopAccepting();
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  CloseAll();
  // The host may not run its context any more, or this may be its only thread.
  do {
    loop_->RunPosted();
  } while (!none_left_.Await(
      [this] {
        const MutexLock lock(mutex_);
        return connections_.size() == 0 && busy_ == 0;
      },
      SteadyDeadline(absl::Milliseconds(1))));
  loop_->Close();
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
  std::shared_ptr<const Published> entry = std::make_shared<Published>(std::move(published));
  const MutexLock lock(mutex_);
  published_[std::string(name)].swap(entry);  // whoever had the name goes after the lock
  return absl::OkStatus();
}

bool NodeCore::Unpublish(std::string_view name) {
  std::shared_ptr<const Published> had;  // goes after the lock
  const MutexLock lock(mutex_);
  const auto entry = published_.find(name);
  if (entry == published_.end()) return false;
  had = std::move(entry->second);
  published_.erase(entry);
  return true;
}

std::shared_ptr<const Published> NodeCore::FindPublished(std::string_view name) {
  const MutexLock lock(mutex_);
  const auto entry = published_.find(name);
  if (entry == published_.end() || HasEnded(entry->second->who)) return nullptr;
  return entry->second;
}

// ---- connections

absl::StatusOr<Address> NodeCore::Parse(std::string_view text) const {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (address.ok() && address->kind == Address::Kind::kTls && options_.tls == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        std::string(text), ": without NodeOptions::tls, see LoadTlsCredentials in tls.h"));
  }
  return address;
}

absl::StatusOr<std::string> NodeCore::Listen(std::string_view text, const ListenOptions& options) {
  absl::StatusOr<Address> address = Parse(text);
  if (!address.ok()) return address.status();
  const bool tls = address->kind == Address::Kind::kTls;
  auto take = [this, tls](absl::StatusOr<std::unique_ptr<Link>> link) {
    if (!link.ok()) return NoteRefusal(link.status());
    Serve(*std::move(link), tls ? options_.tls.get() : nullptr);
  };
  absl::StatusOr<std::unique_ptr<SocketListener>> listener =
      ListenSocket(loop_, *address, tls || options.plaintext_beyond_loopback, std::move(take));
  if (!listener.ok()) return listener.status();
  const std::string at = (*listener)->address();
  const MutexLock lock(mutex_);
  listeners_.push_back(*std::move(listener));
  return tls ? NameOverTls(at) : at;
}

void NodeCore::StartDial(std::string_view text, absl::Duration timeout, Reply<Peer> reply) {
  absl::StatusOr<Address> address = Parse(text);
  if (!address.ok()) return reply.Send(OwnCopy(address.status()));
  auto shared = std::make_shared<Reply<Peer>>(std::move(reply));  // a std::function is copyable
  auto take = [this, shared, at = std::string(text), host = address->host,
               tls = address->kind ==
                     Address::Kind::kTls](absl::StatusOr<std::unique_ptr<Link>> link) {
    if (const absl::Status& why = link.status(); !why.ok()) {
      return shared->Send(absl::Status(why.code(), absl::StrCat(at, ": ", why.message())));
    }
    if (!*shared) return;  // nobody waits any more
    Start(tls ? options_.tls->Connect(*std::move(link), host) : *std::move(link), Side::kDialled,
          std::move(*shared));
  };
  DialSocket(loop_, *address, timeout, std::move(take));
}

void NodeCore::Serve(std::unique_ptr<Link> link, const LinkCredentials* tls) {
  absl::StatusOr<Admission::Pass> pass = admission_.Begin(Admission::Clock::now());
  if (pass.ok()) {
    if (tls != nullptr) link = tls->Accept(std::move(link));
    return Start(std::move(link), Side::kAccepted, {}, *std::move(pass));
  }
  NoteRefusal(pass.status());
  if (tls != nullptr) return;  // even to say why would be work
  const std::string bye = MakeFrame({.kind = FrameKind::kBye, .lane = Lane::kControl},
                                    Encode(std::string(pass.status().message())));
  link->Write(std::array{std::string_view(bye)});
}

// Who has one is waited for by the destructor: he may need the loop.
class NodeCore::Busy {
 public:
  explicit Busy(NodeCore& core) : core_(core) {
    const MutexLock lock(core_.mutex_);
    ++core_.busy_;
  }
  ~Busy() {
    const MutexLock lock(core_.mutex_);
    --core_.busy_;
    core_.none_left_.NotifyAll();  // under the lock: the destructor may be all that waits
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  NodeCore& core_;
};

void NodeCore::Start(std::unique_ptr<Link> link, Side side, Reply<Peer> reply,
                     Admission::Pass pass) {
  const Busy busy(*this);
  const absl::Status refused = TryStart(std::move(link), side, reply, std::move(pass));
  if (refused.ok()) return;
  NoteRefusal(refused);
  if (reply) reply.Send(OwnCopy(refused));
}

absl::Status NodeCore::WhyNoMore() const {
  if (draining_) return absl::CancelledError("the node is going away");
  if (connections_.size() >= options_.max_connections) {
    return absl::ResourceExhaustedError("the node has as many connections as it may");
  }
  return absl::OkStatus();
}

// Looks before, too: the destructor may have waited already, and a connection needs the loop for its end.
absl::Status NodeCore::TryStart(std::unique_ptr<Link> link, Side side, Reply<Peer>& reply,
                                Admission::Pass pass) {
  {
    const MutexLock lock(mutex_);
    if (absl::Status refused = WhyNoMore(); !refused.ok()) return refused;
  }
  // In two pieces, so that what waits with a weak_ptr (CallLater) keeps but the small one.
  const std::shared_ptr<Connection> connection(new Connection(*this, std::move(link)));
  absl::Status refused;
  if (connection->Prepare()) {
    const MutexLock lock(mutex_);
    refused = WhyNoMore();
    if (refused.ok()) connections_.Add(connection, std::move(reply), side == Side::kDialled);
  } else {
    refused = absl::CancelledError("the system is shutting down");
  }
  if (refused.ok()) {
    connection->Begin(std::move(pass));
    CallLater(options_.handshake_timeout, connection, [](Connection& c) { c.EndHandshake(); });
  } else {
    connection->Close(refused);
  }
  return refused;
}

absl::StatusOr<PersistentConnection> NodeCore::Maintain(Redial::Dialling dial,
                                                        const MaintainOptions& options) {
  const Backoff& backoff = options.backoff;
  if (!(backoff.jitter >= 0 && backoff.jitter <= 1)) {
    return absl::InvalidArgumentError("Maintain: Backoff::jitter must be 0 to 1");
  }
  if (backoff.min < absl::Milliseconds(1)) {
    return absl::InvalidArgumentError("Maintain: Backoff::min must be at least 1 ms");
  }
  const Redial::Patience patience{.backoff = backoff,
                                  .reset_after = options.reset_after,
                                  .seed = options.seed ? *options.seed : DrawIncarnation()};
  const ActorRef<Redial> redial = system_.Spawn<Redial>(actor_, std::move(dial), patience);
  if (!redial) return absl::CancelledError("Maintain: the system is shutting down");
  {
    const MutexLock lock(mutex_);
    std::erase_if(redials_, [](const ActorRef<Redial>& other) { return !IsLive(other); });
    if (!draining_) {
      redials_.push_back(redial);
      return PersistentConnection(redial);
    }
  }
  EndRedial(redial);
  return absl::CancelledError("Maintain: the node is going away");
}

void NodeCore::Change(absl::FunctionRef<PeerTable::Duties()> change) {
  const Busy busy(*this);
  bool has_events = false;
  PeerTable::Duties duties;
  {
    const MutexLock lock(mutex_);
    duties = change();
    has_events = !draining_ && connections_.has_events();
  }
  for (const auto& connection : duties.open) connection->Open();
  for (const auto& connection : duties.test) {
    CallLater(options_.handshake_timeout / 2, connection,
              [asked = Connection::Clock::now()](Connection& c) { c.EndUnlessHeard(asked); });
    connection->AskSignOfLife();
  }
  for (const auto& [connection, why] : duties.close) connection->Close(why);
  for (auto& [asker, answer] : duties.answers) asker.Send(std::move(answer));
  if (has_events) actor_.Send(PeersChanged{});
}

void NodeCore::OnMet(const std::shared_ptr<Connection>& connection) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return connections_.Met(connection); });
}

void NodeCore::OnHeard(const std::shared_ptr<Connection>& connection) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return connections_.Heard(connection); });
}

void NodeCore::OnDown(const std::shared_ptr<Connection>& connection, const absl::Status& why) {
  if (why.code() != absl::StatusCode::kUnavailable && why.code() != absl::StatusCode::kCancelled) {
    NoteRefusal(why);
  }
  Change([&]()
             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return connections_.Ended(connection, why); });
}

std::pair<std::vector<PeerEvent>, std::vector<Peer>> NodeCore::TakePeerEvents() {
  const MutexLock lock(mutex_);
  return {connections_.TakeEvents(), connections_.current()};
}

void NodeCore::NoteRefusal(const absl::Status& why) {
  const MutexLock lock(mutex_);
  ++refused_;
  last_refusal_ = std::string(why.message());
}

Node::Stats NodeCore::stats() const {
  const MutexLock lock(mutex_);
  return {.connections = connections_.size(),
          .half_open = admission_.half_open(),
          .refused = refused_,
          .last_refusal = last_refusal_};
}

Hello NodeCore::MakeHello() const {
  return {.node_high = id_.high,
          .node_low = id_.low,
          .name = options_.name.substr(0, 256),  // as much as others keep of it
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
  const AnyRef session = connection->session();
  return ActorRef<Proxy>(SpawnActorAs<Proxy>(ProxyTypeAt(connection->place()), *SpaceOf(session),
                                             nullptr, &options, std::move(connection), id,
                                             incarnation));
}

// ---- time

void NodeCore::CallLater(absl::Duration delay, const std::weak_ptr<Connection>& connection,
                         std::function<void(Connection&)> act) {
  loop_->PostAfter(absl::ToChronoNanoseconds(delay), [connection, act = std::move(act)] {
    if (const std::shared_ptr<Connection> there = connection.lock()) act(*there);
  });
}

void NodeCore::TickLater() {
  const auto period = std::max(options_.heartbeat_interval, absl::Milliseconds(1));
  loop_->PostAfter(absl::ToChronoNanoseconds(period), [this] { Tick(); });
}

void NodeCore::Tick() {
  std::vector<std::shared_ptr<Connection>> all;
  {
    const MutexLock lock(mutex_);
    if (closing_) return;
    all = connections_.all();
  }
  const Connection::Clock::time_point now = Connection::Clock::now();
  for (const auto& connection : all) connection->Tick(now);
  TickLater();
}

}  // namespace troupe::internal
