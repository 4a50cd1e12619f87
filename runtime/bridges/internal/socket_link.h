// A connected socket as a link, and what those who connect it have in common.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LINK_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LINK_H_

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/runtime/bridges/internal/event_loop.h"
#include "troupe/runtime/bridges/link.h"

namespace troupe::internal {

using asio::ip::tcp;
using Local = asio::local::stream_protocol;

using TakeLink = std::function<void(absl::StatusOr<std::unique_ptr<Link>>)>;

// `peer`: Link::peer(). The loop is closed after the link's OnClosed.
std::unique_ptr<Link> MakeSocketLink(std::shared_ptr<EventLoop> loop, tcp::socket socket,
                                     std::string peer);
std::unique_ptr<Link> MakeSocketLink(std::shared_ptr<EventLoop> loop, Local::socket socket,
                                     std::string peer);

std::string NameOf(const tcp::endpoint& at);    // "tcp://127.0.0.1:7000", "tcp://[::1]:7000"
std::string NameOf(const Local::endpoint& at);  // "unix:///run/bank.sock"
absl::Status SocketError(const std::error_code& error, std::string_view what);  // kUnavailable

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SOCKET_LINK_H_
