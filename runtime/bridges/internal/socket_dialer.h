// How a node connects to the address of another.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_DIALER_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_DIALER_H_

#include <memory>

#include "absl/time/time.h"
#include "troupe/runtime/bridges/internal/address.h"
#include "troupe/runtime/bridges/internal/event_loop.h"
#include "troupe/runtime/bridges/internal/socket_link.h"

namespace troupe::internal {

// Calls `take` in a turn of the loop, once; at the latest when it is closed, with kCancelled. Any thread. For tls:// with the TCP link below
// it. Who does not answer within `timeout` is given up, and the socket closed: kDeadlineExceeded. A name is looked up by a
// thread of its own, which nobody waits for; 16 at once in this process, or kResourceExhausted.
void DialSocket(const std::shared_ptr<EventLoop>& loop, const Address& address,
                absl::Duration timeout, TakeLink take);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_DIALER_H_
