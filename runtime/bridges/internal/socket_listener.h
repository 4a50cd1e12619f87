// How a node waits for others at an address.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LISTENER_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LISTENER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "troupe/runtime/bridges/internal/address.h"
#include "troupe/runtime/bridges/internal/event_loop.h"
#include "troupe/runtime/bridges/internal/socket_link.h"

namespace troupe::internal {

// A socket that listens. Calls `take` in a turn of the loop for each peer that connects, and for errors after
// which it goes on, until it is closed or destroyed, which is done on any thread. For tls:// it is a
// TCP socket.
class SocketListener {
 public:
  virtual ~SocketListener() = default;
  virtual void Close() = 0;
  virtual std::string address() const = 0;  // with the port that was chosen, if 0 was asked for
};

// kPermissionDenied: a TCP address beyond loopback, and not `beyond_loopback`. A Unix socket that
// nobody serves any more is replaced.
absl::StatusOr<std::unique_ptr<SocketListener>> ListenSocket(std::shared_ptr<EventLoop> loop,
                                                             const Address& address,
                                                             bool beyond_loopback, TakeLink take);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LISTENER_H_
