// ReliableInbound: what a receiver knows of its channels.
//
// I1  A message is taken if it has the number that is expected next, and only then. So it is taken once
//     and in order, whatever is sent twice, late, or by connections that overtake each other.
// I2  A channel that is not known begins with a fresh Resume and with nothing else: who has forgotten
//     one, or lives anew, says so (kNotFound) and takes no message twice.
// I3  The number moves on when the message is in the mailbox, in the same handler. So what was
//     acknowledged was passed on, and what was passed on is never taken again.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_RELIABLE_INBOUND_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_RELIABLE_INBOUND_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "troupe/actors/send_result.h"
#include "troupe/runtime/bridges/reliable_port.h"

namespace troupe::internal {

class ReliableInbound {
 public:
  using PassOn = absl::FunctionRef<absl::StatusOr<SendResult>(std::string_view message)>;

  ReliableInbound(uint64_t type, size_t max_channels) : type_(type), max_channels_(max_channels) {}

  absl::StatusOr<uint64_t> Resume(const ReliableResume& m);
  absl::StatusOr<uint64_t> Take(const ReliableSegment& m, PassOn pass_on);
  void End(const ReliableEnd& m);

 private:
  struct Channel {
    uint64_t next = 1;
    std::list<uint64_t>::iterator place;  // in by_use_
  };
  Channel* Find(uint64_t channel);  // and has been used now

  const uint64_t type_;
  const size_t max_channels_;
  absl::flat_hash_map<uint64_t, Channel> channels_;
  std::list<uint64_t> by_use_;  // last used last
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_RELIABLE_INBOUND_H_
