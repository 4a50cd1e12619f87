// NodeCore: what a Node has: its connections, listeners, names, and its loop.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_NODE_CORE_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_NODE_CORE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "troupe/core/event_count.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/internal/admission.h"
#include "troupe/runtime/bridges/internal/event_loop.h"
#include "troupe/runtime/bridges/internal/peer_subscribers.h"
#include "troupe/runtime/bridges/internal/peer_table.h"
#include "troupe/runtime/bridges/internal/socket_listener.h"
#include "troupe/runtime/bridges/node.h"

namespace troupe::internal {

struct PeersChanged {};

// The actor that is asked for connections, and tells of them.
class NodeActor {
 public:
  explicit NodeActor(NodeCore& core) : core_(core) {}
  void On(Dial m, Reply<Peer> reply, Context& self);
  void On(AttachLink m, Reply<Peer> reply);
  void On(PeersChanged) { TellChanges(); }
  void On(const SubscribeToPeers& m) { subscribers_.Add(m.subscriber, TellChanges()); }
  void On(const UnsubscribeFromPeers& m) { subscribers_.Remove(m.subscriber); }

 private:
  std::vector<Peer> TellChanges();  // returns those that are connected then

  NodeCore& core_;  // which waits for this actor's end
  PeerSubscribers subscribers_;
};

// D1  A connection is in connections_ from its making until OnDown, and the destructor waits until there
//     is none, and nobody in Change. So whoever calls the host finds it.
// D2  After draining_ no connection is made, and nobody is told of those there are.
// D3  What dials on behalf of Maintain is in redials_ as long as it lives, and has ended when StopAccepting
//     returns: what the user gave it to dial with is not called any more then, and destroyed.
class NodeCore final : public ConnectionHost {
 public:
  NodeCore(System& system, NodeOptions options);
  ~NodeCore() override;

  absl::Status Publish(std::string_view name, Published published);
  bool Unpublish(std::string_view name);
  absl::StatusOr<std::string> Listen(std::string_view address, const ListenOptions& options);
  void StartDial(std::string_view address, absl::Duration timeout, Reply<Peer> reply);
  enum class Side : uint8_t { kDialled, kAccepted };
  // A peer has dialled. With `tls` it has to speak that.
  void Serve(std::unique_ptr<Link> link, const LinkCredentials* tls = nullptr);
  void Start(std::unique_ptr<Link> link, Side side, Reply<Peer> reply, Admission::Pass pass = {});
  // kFailedPrecondition: tls://, and there are no credentials.
  absl::StatusOr<Address> Parse(std::string_view address) const;
  // Those that have come and gone since the last call, and those that are there now.
  std::pair<std::vector<PeerEvent>, std::vector<Peer>> TakePeerEvents();
  absl::StatusOr<PersistentConnection> Maintain(Redial::Dialling dial,
                                                const MaintainOptions& options);
  absl::Status Drain(absl::Duration timeout);
  const ActorRef<NodeActor>& actor() const { return actor_; }
  NodeId id() const { return id_; }
  Node::Stats stats() const;

  // ---- ConnectionHost
  const NodeOptions& options() const override { return options_; }
  Hello MakeHello() const override;
  ActorRef<Session> SpawnSession(std::shared_ptr<Connection> connection) override;
  ActorRef<Proxy> SpawnProxy(std::shared_ptr<Connection> connection, uint64_t id,
                             uint64_t incarnation) override;
  std::shared_ptr<const Published> FindPublished(std::string_view name) override;
  void OnMet(const std::shared_ptr<Connection>& connection) override;
  void OnHeard(const std::shared_ptr<Connection>& connection) override;
  void OnDown(const std::shared_ptr<Connection>& connection, const absl::Status& why) override;

 private:
  class Busy;
  absl::Status TryStart(std::unique_ptr<Link> link, Side side, Reply<Peer>& reply,
                        Admission::Pass pass);
  absl::Status WhyNoMore() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Change(absl::FunctionRef<PeerTable::Duties()> change);
  void StopAccepting();
  void EndRedial(const ActorRef<Redial>& redial);
  void CloseAll();
  // In a turn, unless the loop is closed before. By who is busy, since it uses the loop.
  void CallLater(absl::Duration delay, const std::weak_ptr<Connection>& connection,
                 std::function<void(Connection&)> act);
  void TickLater();
  void Tick();
  void NoteRefusal(const absl::Status& why);

  System& system_;
  const NodeOptions options_;
  const NodeId id_;
  ActorRef<NodeActor> actor_;
  Admission admission_;

  EventCount none_left_;
  mutable Mutex mutex_;  // stats() looks
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  // Shared, so that what is the user's (PublishOptions::allow) is copied and destroyed without the lock.
  std::map<std::string, std::shared_ptr<const Published>, std::less<>> published_
      ABSL_GUARDED_BY(mutex_);
  PeerTable connections_ ABSL_GUARDED_BY(mutex_);
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;                           // how many
  std::vector<ActorRef<Redial>> redials_ ABSL_GUARDED_BY(mutex_);  // D3
  std::vector<std::unique_ptr<SocketListener>> listeners_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string last_refusal_ ABSL_GUARDED_BY(mutex_);
  // Its turns use all of this. Last: nothing that may fail comes between its beginning and its Close.
  const std::shared_ptr<EventLoop> loop_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_NODE_CORE_H_
