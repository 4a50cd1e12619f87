#include "troupe/runtime/bridges/internal/socket_dialer.h"

#include <asio/ip/address.hpp>
#include <asio/steady_timer.hpp>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe::internal {
namespace {

// One try. It ends once, and is kept by what it waits for. In turns.
template <class Protocol>
class Try : public std::enable_shared_from_this<Try<Protocol>> {
 public:
  Try(std::shared_ptr<EventLoop> loop, TakeLink take)
      : loop_(std::move(loop)),
        socket_(loop_->executor()),
        timer_(loop_->executor()),
        take_(std::move(take)) {}

  void GiveUpAfter(absl::Duration timeout) {
    loop_->AtEnd(this, [this] { End(absl::CancelledError("connect: the node is going away")); });
    if (timeout == absl::InfiniteDuration()) return;
    timer_.expires_after(absl::ToChronoNanoseconds(timeout));
    timer_.async_wait(
        loop_->InTurn([me = this->shared_from_this()](const std::error_code& cancelled) {
          if (!cancelled) me->End(absl::DeadlineExceededError("connect: no answer in time"));
        }));
  }
  void Connected(const std::error_code& error, const typename Protocol::endpoint& at) {
    if (error) return End(SocketError(error, "connect"));
    End(MakeSocketLink(loop_, std::move(socket_), NameOf(at)));
  }
  void End(absl::StatusOr<std::unique_ptr<Link>> result) {
    if (has_ended()) return;
    loop_->Forget(this);
    timer_.cancel();
    std::error_code ignored;
    socket_.close(ignored);
    std::exchange(take_, nullptr)(std::move(result));
  }
  bool has_ended() const { return take_ == nullptr; }
  typename Protocol::socket& socket() { return socket_; }
  EventLoop& loop() { return *loop_; }

 private:
  const std::shared_ptr<EventLoop> loop_;
  typename Protocol::socket socket_;
  asio::steady_timer timer_;
  TakeLink take_;
};

// One place after the other. Each in a turn, which asio::async_connect would not do: the try may be ended on
// another thread between two of them.
void Connect(const std::shared_ptr<Try<tcp>>& dial, const tcp::resolver::results_type& places,
             tcp::resolver::results_type::iterator place) {
  auto connected = [dial, places, place](const std::error_code& error) {
    if (dial->has_ended()) return;
    const auto next = std::next(place);
    if (!error || next == places.end()) return dial->Connected(error, place->endpoint());
    std::error_code ignored;
    dial->socket().close(ignored);
    Connect(dial, places, next);
  };
  dial->socket().async_connect(place->endpoint(), dial->loop().InTurn(std::move(connected)));
}

// A host that is an address is not looked up: that takes a thread of the resolver's.
void DialTcp(const Address& address, const std::shared_ptr<Try<tcp>>& dial) {
  const std::string port = absl::StrCat(address.port);
  std::error_code is_name;
  const auto host = asio::ip::make_address(address.host, is_name);
  if (!is_name) {
    const auto place =
        tcp::resolver::results_type::create(tcp::endpoint(host, address.port), address.host, port);
    return Connect(dial, place, place.begin());
  }
  auto resolver = std::make_shared<tcp::resolver>(dial->loop().executor());
  auto take = [dial, resolver](const std::error_code& error,
                               const tcp::resolver::results_type& found) {
    if (error) return dial->End(SocketError(error, "no such host"));
    if (!dial->has_ended()) Connect(dial, found, found.begin());
  };
  try {
    resolver->async_resolve(address.host, port, dial->loop().InTurn(std::move(take)));
  } catch (const std::system_error& no_thread) {  // of the resolver's own
    dial->End(SocketError(no_thread.code(), "looking up the host"));
  }
}

void DialUnix(const Address& address, const std::shared_ptr<Try<Local>>& dial) {
  const Local::endpoint at(address.path);
  dial->socket().async_connect(at, dial->loop().InTurn([dial, at](const std::error_code& error) {
    dial->Connected(error, at);
  }));
}

}  // namespace

void DialSocket(const std::shared_ptr<EventLoop>& loop, const Address& address,
                absl::Duration timeout, TakeLink take) {
  loop->Post([loop, address, timeout, take = std::move(take)] {
    if (address.kind == Address::Kind::kUnix) {
      const auto dial = std::make_shared<Try<Local>>(loop, take);
      dial->GiveUpAfter(timeout);
      DialUnix(address, dial);
    } else {
      const auto dial = std::make_shared<Try<tcp>>(loop, take);
      dial->GiveUpAfter(timeout);
      DialTcp(address, dial);
    }
  });
}

}  // namespace troupe::internal
