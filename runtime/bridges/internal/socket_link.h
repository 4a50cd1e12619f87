// Sockets as links: unix:// and tcp://.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LINK_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LINK_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/runtime/bridges/internal/address.h"
#include "troupe/runtime/bridges/internal/event_loop.h"
#include "troupe/runtime/bridges/link.h"

namespace troupe::internal {

using TakeLink = std::function<void(absl::StatusOr<std::unique_ptr<Link>>)>;

// Calls `take` on the loop, once. Any thread.
void DialSocket(EventLoop& loop, const Address& address, TakeLink take);

// A socket that listens. Calls `take` on the loop for each peer that connects, and for errors after which
// it goes on, until it is closed or destroyed, which is done on any thread.
class SocketListener {
 public:
  virtual ~SocketListener() = default;
  virtual void Close() = 0;
  virtual std::string address() const = 0;  // with the port that was chosen, if 0 was asked for
};

// kPermissionDenied: a TCP address beyond loopback, and not `beyond_loopback`. A Unix socket that nobody
// serves any more is replaced.
absl::StatusOr<std::unique_ptr<SocketListener>> ListenSocket(EventLoop& loop,
                                                             const Address& address,
                                                             bool beyond_loopback, TakeLink take);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LINK_H_
