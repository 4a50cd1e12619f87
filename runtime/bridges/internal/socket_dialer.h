// How a node connects to the address of another.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_DIALER_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_DIALER_H_

#include "troupe/runtime/bridges/internal/address.h"
#include "troupe/runtime/bridges/internal/event_loop.h"
#include "troupe/runtime/bridges/internal/socket_link.h"

namespace troupe::internal {

// Calls `take` on the loop, once. Any thread. For tls:// with the TCP link below it.
void DialSocket(EventLoop& loop, const Address& address, TakeLink take);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_DIALER_H_
