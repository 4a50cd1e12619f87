// ReliablePort: what a ReliableSender sends to: a ReliableReceiver, here or elsewhere. And the three messages
// between the two, for who writes another implementation.
#ifndef TROUPE_RUNTIME_BRIDGES_RELIABLE_PORT_H_
#define TROUPE_RUNTIME_BRIDGES_RELIABLE_PORT_H_

#include <cstdint>
#include <vector>

#include "troupe/actors/recipient.h"

namespace troupe {

// All three name the channel: a number that its sender has drawn. The answers are the number of the next
// message that is expected, which acknowledges all before it. Errors that are final: kNotFound, the receiver
// does not know this channel, or what it passes messages to has ended; kInvalidArgument, this is no
// such message, or is longer than a node on the way takes. After all others the sender tries again.

// Asked by who does not know how far the other one has come. `fresh`: no message was ever sent, so a receiver
// that does not know the channel begins it, with number 1.
struct ReliableResume {
  using Reply = uint64_t;
  uint64_t channel = 0;
  bool fresh = false;
};
struct ReliableSegment {
  using Reply = uint64_t;
  uint64_t channel = 0;
  uint64_t number = 0;                      // from 1
  uint64_t type = 0;                        // MessageHash of the message's name
  std::vector<unsigned char> message = {};  // as the payload of a frame
};
// The sender has ended, and all has been acknowledged.
struct ReliableEnd {
  uint64_t channel = 0;
};

using ReliablePort = Recipient<ReliableResume, ReliableSegment, ReliableEnd>;

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_RELIABLE_PORT_H_
