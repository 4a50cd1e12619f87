#include "troupe/runtime/bridges/internal/socket_dialer.h"

#include <asio/connect.hpp>
#include <asio/post.hpp>
#include <memory>
#include <string>
#include <utility>

namespace troupe::internal {
namespace {

void DialTcp(EventLoop& loop, const Address& address, TakeLink take) {
  auto resolver = std::make_shared<tcp::resolver>(loop.context());
  resolver->async_resolve(
      address.host, std::to_string(address.port),
      [&loop, resolver, take = std::move(take)](const std::error_code& error,
                                                const tcp::resolver::results_type& found) {
        if (error) return take(SocketError(error, "no such host"));
        auto socket = std::make_shared<tcp::socket>(loop.context());
        asio::async_connect(
            *socket, found,
            [&loop, socket, take](const std::error_code& failed, const tcp::endpoint& at) {
              if (failed) return take(SocketError(failed, "connect"));
              take(MakeSocketLink(loop, std::move(*socket), NameOf(at)));
            });
      });
}

void DialUnix(EventLoop& loop, const Address& address, TakeLink take) {
  auto socket = std::make_shared<Local::socket>(loop.context());
  const Local::endpoint at(address.path);
  socket->async_connect(at,
                        [&loop, socket, at, take = std::move(take)](const std::error_code& error) {
                          if (error) return take(SocketError(error, "connect"));
                          take(MakeSocketLink(loop, std::move(*socket), NameOf(at)));
                        });
}

}  // namespace

void DialSocket(EventLoop& loop, const Address& address, TakeLink take) {
  asio::post(loop.context(), [&loop, address, take = std::move(take)]() mutable {
    address.kind == Address::Kind::kUnix ? DialUnix(loop, address, std::move(take))
                                         : DialTcp(loop, address, std::move(take));
  });
}

}  // namespace troupe::internal
