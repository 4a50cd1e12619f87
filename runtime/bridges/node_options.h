// NodeOptions: all that can be configured about a Node. The defaults are safe towards hostile peers.
#ifndef TROUPE_RUNTIME_BRIDGES_NODE_OPTIONS_H_
#define TROUPE_RUNTIME_BRIDGES_NODE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "troupe/actors/send_result.h"

namespace troupe {

struct NodeOptions {
  // A label for people: in errors, and in the names of actors. Nobody is found by it.
  std::string name = {};

  // What is waiting to be sent to one remote actor: messages, and what happens to more. As
  // ActorOptions::capacity and when_full.
  uint32_t capacity = 1024;
  WhenFull when_full = WhenFull::kBlock;

  // The longest frame that is taken from a peer, in bytes. One that announces more is cut off.
  uint32_t max_frame = 16 << 20;
  // Bytes of messages that a peer may have sent and no handler has begun with. A peer whose messages are
  // handled slowly waits; one that does not is cut off.
  uint32_t window = 1 << 20;
  // Bytes that wait for a peer that does not read. Beyond the first messages wait in their mailboxes; beyond
  // the second, which only answers and the like reach, the connection is closed.
  size_t outbox_high_water = 1 << 20;
  size_t outbox_most = 64 << 20;

  // What a peer may keep of this node: refs that it has sent here, asks of its that are not answered.
  uint32_t max_imports = 65536;
  uint32_t max_requests = 65536;
  // Asks of one connection of ours that wait.
  uint32_t max_questions = 1 << 20;

  uint32_t max_connections = 1024;
  // From the first byte to the end of the handshake.
  absl::Duration handshake_timeout = absl::Seconds(5);
  // A sign of life is sent so often. A peer from which nothing has come for heartbeat_timeout is lost:
  // found out at the latest heartbeat_timeout + heartbeat_interval after it was last heard. (A process
  // that ends is found out at once, by its socket.)
  absl::Duration heartbeat_interval = absl::Seconds(5);
  absl::Duration heartbeat_timeout = absl::Seconds(15);
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_NODE_OPTIONS_H_
