#include "troupe/runtime/bridges/internal/socket_dialer.h"

#include <netdb.h>
#include <sys/socket.h>

#include <asio/error.hpp>
#include <asio/ip/address.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {
namespace {

// One try. It ends once, and is kept by its loop until then. In turns, and whoever calls End keeps it, too.
template <class Protocol>
class Try : public std::enable_shared_from_this<Try<Protocol>> {
 public:
  Try(std::shared_ptr<EventLoop> loop, TakeLink take)
      : loop_(std::move(loop)),
        socket_(loop_->executor()),
        timer_(loop_->executor()),
        take_(std::move(take)) {}

  void GiveUpAfter(absl::Duration timeout) {
    loop_->AtEnd(this, [me = this->shared_from_this()] {  // and keeps it, until it has ended
      me->End(absl::CancelledError("connect: the node is going away"));
    });
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

// One place after the other, of which there is one. Each in a turn, which asio::async_connect would not do: the try
// may be ended on another thread between two of them.
void Connect(const std::shared_ptr<Try<tcp>>& dial, const std::vector<tcp::endpoint>& places,
             size_t number) {
  auto connected = [dial, places, number](const std::error_code& error) {
    if (dial->has_ended()) return;
    if (!error || number + 1 == places.size()) return dial->Connected(error, places[number]);
    std::error_code ignored;
    dial->socket().close(ignored);
    Connect(dial, places, number + 1);
  };
  dial->socket().async_connect(places[number], dial->loop().InTurn(std::move(connected)));
}

// What a name stands for. Nobody can call a lookup off, so nobody waits for its thread: that of asio's resolver
// would hold up the end of its context.
class Lookup {
 public:
  static constexpr int kMostAtOnce = 16;  // in this process

  Lookup(const std::string& host, const std::string& port) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_ADDRCONFIG;
    const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found_);
    if (error != 0) error_ = {error, asio::error::get_addrinfo_category()};
    if (error == EAI_SYSTEM) error_ = {errno, std::system_category()};
  }
  ~Lookup() {
    if (found_ != nullptr) ::freeaddrinfo(found_);
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  const std::error_code& error() const { return error_; }
  std::vector<tcp::endpoint> places() const {
    std::vector<tcp::endpoint> places;
    for (const addrinfo* one = found_; one != nullptr; one = one->ai_next) {
      tcp::endpoint& place = places.emplace_back();
      place.resize(one->ai_addrlen);
      std::memcpy(place.data(), one->ai_addr, one->ai_addrlen);
    }
    return places;
  }

  // An error: it has not begun.
  static absl::Status Begin(const Address& address, const std::shared_ptr<Try<tcp>>& dial) {
    static std::atomic<int> at_once = 0;
    if (at_once.fetch_add(1) >= kMostAtOnce) {
      at_once.fetch_sub(1);
      return absl::ResourceExhaustedError(
          absl::StrCat("connect: ", kMostAtOnce, " names of hosts are being looked up"));
    }
    try {
      // The try ends with its loop, whether or not this comes back.
      StartThread("troupe-lookup", [address, loop = dial->loop().weak_from_this(),
                                    dial = std::weak_ptr<Try<tcp>>(dial)] {
        const Lookup lookup(address.host, absl::StrCat(address.port));
        at_once.fetch_sub(1);
        const auto there = loop.lock();
        if (there == nullptr) return;
        there->Post([dial, error = lookup.error(), places = lookup.places()] {
          const auto waiting = dial.lock();
          if (waiting == nullptr || waiting->has_ended()) return;
          if (error) return waiting->End(SocketError(error, "no such host"));
          Connect(waiting, places, 0);
        });
      }).detach();
    } catch (const std::system_error& no_thread) {
      at_once.fetch_sub(1);
      return SocketError(no_thread.code(), "looking up the host");
    }
    return absl::OkStatus();
  }

 private:
  addrinfo* found_ = nullptr;
  std::error_code error_;
};

void DialTcp(const Address& address, const std::shared_ptr<Try<tcp>>& dial) {
  std::error_code is_name;
  const auto host = asio::ip::make_address(address.host, is_name);
  if (!is_name) return Connect(dial, {tcp::endpoint(host, address.port)}, 0);
  if (absl::Status wrong = Lookup::Begin(address, dial); !wrong.ok()) dial->End(std::move(wrong));
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
