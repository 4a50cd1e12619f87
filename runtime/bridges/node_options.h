// NodeOptions: all that can be configured about a Node. The defaults are safe towards hostile peers.
// PublishOptions: about a name.
#ifndef TROUPE_RUNTIME_BRIDGES_NODE_OPTIONS_H_
#define TROUPE_RUNTIME_BRIDGES_NODE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "troupe/actors/send_result.h"
#include "troupe/runtime/bridges/link_credentials.h"
#include "troupe/runtime/bridges/peer_identity.h"

namespace asio {
class io_context;
}

namespace troupe {

struct NodeOptions {
  // A label for people: in errors, and in the names of actors. Nobody is found by it.
  std::string name = {};

  // For tls:// addresses: who this node is, and whom it trusts. From LoadTlsCredentials (tls.h).
  std::shared_ptr<const LinkCredentials> tls = nullptr;

  // Who reads from the sockets and keeps the timers: nullptr, the System's workers and a thread of the node's own
  // (Node, "Threads"); or whoever runs this context of the host's, one thread or many, for the node one at a
  // time. What comes is not handled there: that is done by the System's workers.
  //   It outlives the Node, and locks (not one with ASIO_CONCURRENCY_HINT_UNSAFE). While nobody runs it nothing
  // arrives and nobody connects, so its only thread must not wait for an answer, nor Drain. Its run() does not
  // return by itself while there is the Node.
  //   The Node may be destroyed on any thread, also on one that runs the context, and whether or not one still
  // does; but a Link of the host's own has to tell of its end (OnClosed) meanwhile.
  asio::io_context* io_context = nullptr;

  // What is waiting to be sent to one remote actor: messages, and what happens to more. As
  // ActorOptions::capacity and when_full, of the actor that stands here for it. So who sends chooses each
  // time whether kBlock may hold him up, by Send or TrySend, and asks never wait. Who wants another policy
  // towards one of them finds it by FindLate (FindLateOptions), or sends by an actor of his own.
  uint32_t capacity = 1024;
  WhenFull when_full = WhenFull::kBlock;

  // The longest frame, which is a message and 44 bytes, that is taken from a peer, in bytes. One that announces
  // more is cut off. What has arrived of two of them, one of them bulk, is kept until they are complete.
  uint32_t max_frame = 16 << 20;
  // Bytes of messages that a peer may have sent and no handler has begun with. A peer whose messages
  // are handled slowly waits; one that does not is cut off. To one receiver it sends half of that, at most, and one
  // message. Some messages of the largest kind should have room in it, lest one of them hold up all others.
  uint32_t window = 1 << 20;
  // Bytes that wait for a peer that does not read. Beyond the first messages wait in their mailboxes;
  // beyond the second, which only answers and the like reach, the connection is closed.
  size_t outbox_high_water = 1 << 20;
  size_t outbox_most = 64 << 20;

  // What a peer may keep of this node: refs that it has sent here, those of this node that it has been given and
  // has not released, asks of its that are not answered. Who exceeds one of the first two is cut off, and what
  // exceeds the last is refused.
  uint32_t max_imports = 65536;
  uint32_t max_exports = 65536;
  uint32_t max_requests = 65536;
  // Asks of one connection of ours that wait.
  uint32_t max_questions = 1 << 20;

  uint32_t max_connections = 1024;
  // Of peers that connect to this node: handshakes that it begins per second in the long run, and at
  // once; and connections whose handshake is not over. Who comes beyond that is sent away before it
  // costs anything.
  uint32_t handshakes_per_second = 200;
  uint32_t handshake_burst = 1000;
  uint32_t max_half_open = 256;
  // From the first byte to the end of the handshake.
  absl::Duration handshake_timeout = absl::Seconds(5);
  // A sign of life is sent so often. A peer from which nothing has come for heartbeat_timeout is lost:
  // found out at the latest heartbeat_timeout + heartbeat_interval after it was last heard. (A process
  // that ends is found out at once, by its socket; a node that connects anew, after half a
  // handshake_timeout.)
  absl::Duration heartbeat_interval = absl::Seconds(5);
  absl::Duration heartbeat_timeout = absl::Seconds(15);
};

struct PublishOptions {
  // Who may find the name; everybody, if empty. Asked for each Find, by whoever serves the sockets, for
  // several peers at the same time: it must not block, nor wait for an actor. One that throws has said no. What
  // a peer has found it may pass on to others.
  //
  //   {.allow = [](const troupe::PeerIdentity& peer) { return peer.common_name == "teller"; }}
  std::function<bool(const PeerIdentity& peer)> allow = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_NODE_OPTIONS_H_
