// PeerTable: a node's connections, and which of them is the one with each other node.
//
// Either side may dial, and both may at once, but two nodes talk over one connection and agree on
// which. A node is told by its id and by what it has proved to be: an id is what anybody may claim, so a
// connection over tls:// is not of the same pair as one that proves nothing, or another name. The node with the greater id decides, in the order in which it meets them. Its word for "this
// one" is any frame after Hello, a Ping if there is nothing else to say (PROTOCOL.md, rule 9).
//
// T1  Of the connections with one node one at most is current. It is announced (PeerUp) before any other
//     with that node, and the other one after its end (PeerDown).
// T2  Who decides opens one if none is current. The other side takes one as open when a frame comes after
//     its Hello.
// T3  A further one waits until the current one has ended: that end may be on its way, by another socket
//     or from a Close here. So who only claims to be a node displaces nobody.
// T4  Who has dialled a further one, while the current one is not closed, closes it, and whoever asked for
//     it is given the current one. One that nobody closes ends by NodeOptions::handshake_timeout, unless
//     it is opened.
// T5  Whenever a further one is met the current one is put to the test: a link can be lost without an end
//     on this side. If it shows no sign of life in half the time for a handshake it is closed, and T3 goes
//     on. What the further one says, or proves to be, does not matter: the living answer.
//
// Why both agree: if a connection is current on the deciding side, the other side has opened no other that
// the deciding side has not ended; and of two that wait on the other side one is opened by T2, and the
// rest are closed by T4 on the side that dialled them.
//
// Thread safety  None: NodeCore's lock. What has to be done without it comes back as Duties.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_PEER_TABLE_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_PEER_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/reply.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/peer_subscribers.h"
#include "troupe/runtime/bridges/peer.h"

namespace troupe::internal {

using SharedConnection = std::shared_ptr<Connection>;

class PeerTable {
 public:
  // What a change leads to, in this order.
  struct Duties {
    std::vector<SharedConnection> open;
    std::vector<SharedConnection> test;  // whether they are still there, T5
    std::vector<std::pair<SharedConnection, absl::Status>> close;
    std::vector<std::pair<Reply<Peer>, absl::StatusOr<Peer>>> answers;
  };

  explicit PeerTable(NodeId own) : own_(own) {}

  // It has been made, because `asker` wants it or because the other side has dialled.
  void Add(const SharedConnection& connection, Reply<Peer> asker, bool dialled);
  [[nodiscard]] Duties Met(const SharedConnection& connection);    // its Hello is there
  [[nodiscard]] Duties Heard(const SharedConnection& connection);  // and another frame
  [[nodiscard]] Duties Ended(const SharedConnection& connection, const absl::Status& why);

  size_t size() const { return entries_.size(); }
  std::vector<SharedConnection> all() const;
  std::vector<Peer> current() const;
  std::vector<PeerEvent> TakeEvents() { return std::exchange(events_, {}); }
  bool has_events() const { return !events_.empty(); }

 private:
  enum class State : uint8_t {
    kGreeting,  // no Hello yet
    kWaiting,   // T3, and where the other side decides for its word
    kOpen,      // the other side has decided for it; the current one has not ended here
    kCurrent,
    kClosing,
  };
  struct Who {
    NodeId id;
    PeerIdentity identity;
    friend bool operator==(const Who&, const Who&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Who& who) {
      return H::combine(std::move(h), who.id);
    }
  };
  struct Entry {
    Reply<Peer> asker;
    bool dialled;
    State state = State::kGreeting;
    Who node = {};  // from kWaiting on
  };
  struct Meeting {
    SharedConnection current;
    std::vector<SharedConnection> others;  // in the order in which they were met
  };

  bool decides(const Who& other) const { return own_ > other.id; }
  void MakeCurrent(const SharedConnection& connection, Duties& duties);
  void CloseFurther(const SharedConnection& connection, Duties& duties);
  void MakeNextCurrent(const Who& node, Duties& duties);

  const NodeId own_;
  absl::flat_hash_map<SharedConnection, Entry> entries_;
  absl::flat_hash_map<Who, Meeting> meetings_;
  std::vector<PeerEvent> events_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_PEER_TABLE_H_
