#include "troupe/runtime/bridges/internal/socket_link.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/connect.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {
namespace {

using Socket = asio::generic::stream_protocol::socket;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;

absl::Status Unavailable(const std::error_code& error, std::string_view what) {
  return absl::UnavailableError(absl::StrCat(std::string(what), ": ", error.message()));
}

// L1  Whoever uses the descriptor holds mutex_ or is the loop's thread; it is closed by the loop's thread
//     under mutex_. So a Write never meets somebody else's descriptor of the same number.
// L2  What asio does with the socket is begun by the loop's thread.
// L3  After OnClosed the loop is not used any more: the socket is gone by then, and closed_ says so.
class SocketState : public std::enable_shared_from_this<SocketState> {
 public:
  SocketState(EventLoop& loop, Socket socket, std::string peer)
      : loop_(loop), socket_(std::move(socket)), peer_(std::move(peer)) {
    std::error_code ignored;
    socket_->non_blocking(true, ignored);
  }

  void Start(std::shared_ptr<LinkEvents> events) {
    asio::post(loop_.context(), [me = shared_from_this(), events = std::move(events)]() mutable {
      // A Close from another thread may have come first: what a handler posts waits until it is over.
      if (me->has_ended_) return events->OnClosed(absl::CancelledError("closed"));
      me->events_ = std::move(events);
      me->ReadOn();
    });
  }

  size_t Write(std::span<const std::string_view> parts) {
    std::array<iovec, 8> pieces;
    const size_t count = std::min(parts.size(), pieces.size());
    for (size_t i = 0; i < count; ++i) {
      pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    MutexLock lock(mutex_);
    if (!socket_) return 0;
    const ssize_t taken =
        ::sendmsg(socket_->native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    // An error is seen by the reader, too.
    return taken < 0 ? 0 : static_cast<size_t>(taken);
  }

  void AwaitWritable() {
    MutexLock lock(mutex_);
    if (!socket_) return;
    asio::post(loop_.context(), [me = shared_from_this()] { me->WaitForRoom(); });
  }

  void Close(absl::Status why) {
    MutexLock lock(mutex_);
    if (!socket_ || closing_) return;
    closing_ = true;
    asio::post(loop_.context(), [me = shared_from_this(), why = std::move(why)] { me->End(why); });
  }

  const std::string& peer() const { return peer_; }

 private:
  // ---- the loop's thread

  // A read of 0 bytes or an error is the end; four full buffers, and the others' turn has come.
  void ReadOn() ABSL_NO_THREAD_SAFETY_ANALYSIS {  // L1: we are the one who closes it
    for (int turn = 0; turn < 4 && socket_; ++turn) {
      auto& buffer = loop_.read_buffer();
      const ssize_t got =
          ::recv(socket_->native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        events_->OnBytes({buffer.data(), static_cast<size_t>(got)});
        if (static_cast<size_t>(got) < buffer.size()) break;
        continue;
      }
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) break;
      return End(got == 0 ? absl::UnavailableError("the peer has closed the connection")
                          : Unavailable(std::error_code(errno, std::system_category()), "reading"));
    }
    if (!socket_) return;
    socket_->async_wait(Socket::wait_read, [me = shared_from_this()](const std::error_code& error) {
      if (me->events_ == nullptr) return;
      error ? me->End(Unavailable(error, "waiting")) : me->ReadOn();
    });
  }

  void WaitForRoom() ABSL_NO_THREAD_SAFETY_ANALYSIS {  // L1
    if (!socket_) return;
    socket_->async_wait(Socket::wait_write,
                        [me = shared_from_this()](const std::error_code& error) {
                          if (me->events_ != nullptr && !error) me->events_->OnWritable();
                        });
  }

  void End(const absl::Status& why) {
    {
      MutexLock lock(mutex_);
      if (!socket_) return;
      std::error_code ignored;
      socket_->shutdown(Socket::shutdown_both, ignored);
      socket_->close(ignored);
      socket_.reset();
    }
    has_ended_ = true;
    if (const auto events = std::exchange(events_, nullptr)) events->OnClosed(why);
  }

  EventLoop& loop_;
  Mutex mutex_;
  std::optional<Socket> socket_ ABSL_GUARDED_BY(mutex_);  // L1
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  // ---- the loop's thread
  std::shared_ptr<LinkEvents> events_;
  bool has_ended_ = false;
  const std::string peer_;
};

class SocketLink final : public Link {
 public:
  explicit SocketLink(std::shared_ptr<SocketState> state) : state_(std::move(state)) {}
  ~SocketLink() override { state_->Close(absl::CancelledError("the link was destroyed")); }
  void Start(std::shared_ptr<LinkEvents> events) override { state_->Start(std::move(events)); }
  size_t Write(std::span<const std::string_view> parts) override { return state_->Write(parts); }
  void AwaitWritable() override { state_->AwaitWritable(); }
  void Close(absl::Status why) override { state_->Close(std::move(why)); }
  std::string peer() const override { return state_->peer(); }

 private:
  const std::shared_ptr<SocketState> state_;
};

std::unique_ptr<Link> MakeLink(EventLoop& loop, Socket socket, std::string peer) {
  return std::make_unique<SocketLink>(
      std::make_shared<SocketState>(loop, std::move(socket), std::move(peer)));
}

std::string NameOf(const tcp::endpoint& at) {
  const std::string host = at.address().to_string();
  return at.address().is_v6() ? absl::StrCat("tcp://[", host, "]:", at.port())
                              : absl::StrCat("tcp://", host, ":", at.port());
}
std::string NameOf(const Local::endpoint& at) { return absl::StrCat("unix://", at.path()); }

// Frames are written in one piece, so there is nothing to wait for.
void SendAtOnce(tcp::socket& socket) {
  std::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
}
void SendAtOnce(Local::socket&) {}

// ---- dialling

void DialTcp(EventLoop& loop, const Address& address, TakeLink take) {
  auto resolver = std::make_shared<tcp::resolver>(loop.context());
  resolver->async_resolve(
      address.host, std::to_string(address.port),
      [&loop, resolver, take = std::move(take)](const std::error_code& error,
                                                const tcp::resolver::results_type& found) {
        if (error) return take(Unavailable(error, "no such host"));
        auto socket = std::make_shared<tcp::socket>(loop.context());
        asio::async_connect(
            *socket, found,
            [&loop, socket, take](const std::error_code& failed, const tcp::endpoint& at) {
              if (failed) return take(Unavailable(failed, "connect"));
              SendAtOnce(*socket);
              take(MakeLink(loop, std::move(*socket), NameOf(at)));
            });
      });
}

void DialUnix(EventLoop& loop, const Address& address, TakeLink take) {
  auto socket = std::make_shared<Local::socket>(loop.context());
  const Local::endpoint at(address.path);
  socket->async_connect(at,
                        [&loop, socket, at, take = std::move(take)](const std::error_code& error) {
                          if (error) return take(Unavailable(error, "connect"));
                          take(MakeLink(loop, std::move(*socket), NameOf(at)));
                        });
}

// ---- listening

template <class Protocol>
class Listener final : public SocketListener {
 public:
  using Acceptor = asio::basic_socket_acceptor<Protocol>;

  Listener(EventLoop& loop, Acceptor acceptor, std::string path, TakeLink take)
      : state_(std::make_shared<State>(
            State{loop, std::move(acceptor), std::move(path), std::move(take)})) {
    address_ = NameOf(state_->acceptor.local_endpoint());
    asio::post(loop.context(), [state = state_] { Accept(state); });
  }
  ~Listener() override { Close(); }

  void Close() override {
    if (state_ == nullptr) return;
    asio::post(state_->loop.context(), [state = state_] {
      std::error_code ignored;
      if (!state->acceptor.is_open()) return;
      state->acceptor.close(ignored);
      if (!state->path.empty()) ::unlink(state->path.c_str());
    });
    state_.reset();
  }
  std::string address() const override { return address_; }

 private:
  struct State {
    EventLoop& loop;
    Acceptor acceptor;
    std::string path;  // of a Unix socket
    TakeLink take;
  };

  static void Accept(const std::shared_ptr<State>& state) {
    state->acceptor.async_accept(
        [state](const std::error_code& error, typename Protocol::socket socket) {
          if (!state->acceptor.is_open()) return;
          if (error) {
            state->take(Unavailable(error, "accept"));
            // Out of descriptors, most likely: asked again at once it would say the same.
            auto timer = std::make_shared<asio::steady_timer>(state->loop.context(),
                                                              std::chrono::milliseconds(100));
            timer->async_wait([state, timer](const std::error_code&) { Accept(state); });
            return;
          }
          SendAtOnce(socket);
          std::error_code gone;
          const auto peer = socket.remote_endpoint(gone);
          std::string name = gone ? std::string("gone") : NameOf(peer);
          state->take(MakeLink(state->loop, std::move(socket), std::move(name)));
          Accept(state);
        });
  }

  std::shared_ptr<State> state_;
  std::string address_;
};

template <class Protocol>
absl::StatusOr<std::unique_ptr<SocketListener>> Open(EventLoop& loop,
                                                     const typename Protocol::endpoint& at,
                                                     std::string path, TakeLink take) {
  asio::basic_socket_acceptor<Protocol> acceptor(loop.context());
  std::error_code error;
  acceptor.open(at.protocol(), error);
  if (!error && path.empty()) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(at, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Unavailable(error, absl::StrCat("listen at ", NameOf(at)));
  return std::make_unique<Listener<Protocol>>(loop, std::move(acceptor), std::move(path),
                                              std::move(take));
}

absl::StatusOr<std::unique_ptr<SocketListener>> ListenTcp(EventLoop& loop, const Address& address,
                                                          bool beyond_loopback, TakeLink take) {
  std::error_code error;
  tcp::resolver resolver(loop.context());
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
  if (error || found.empty()) return Unavailable(error, "no such host");
  const tcp::endpoint at = found.begin()->endpoint();
  if (!at.address().is_loopback() && !beyond_loopback) {
    return absl::PermissionDeniedError(
        absl::StrCat(NameOf(at),
                     " can be reached from other machines, and TCP neither encrypts nor knows who "
                     "connects; listen on 127.0.0.1, or ask for it by name: "
                     "{.plaintext_beyond_loopback = true}"));
  }
  return Open<tcp>(loop, at, {}, std::move(take));
}

// A socket file that its process has left behind refuses whoever dials.
void RemoveIfStale(EventLoop& loop, const Local::endpoint& at) {
  Local::socket probe(loop.context());
  std::error_code error;
  probe.connect(at, error);
  if (error == asio::error::connection_refused) ::unlink(at.path().c_str());
}

}  // namespace

void DialSocket(EventLoop& loop, const Address& address, TakeLink take) {
  asio::post(loop.context(), [&loop, address, take = std::move(take)]() mutable {
    address.kind == Address::Kind::kTcp ? DialTcp(loop, address, std::move(take))
                                        : DialUnix(loop, address, std::move(take));
  });
}

absl::StatusOr<std::unique_ptr<SocketListener>> ListenSocket(EventLoop& loop,
                                                             const Address& address,
                                                             bool beyond_loopback, TakeLink take) {
  if (address.kind == Address::Kind::kTcp) {
    return ListenTcp(loop, address, beyond_loopback, std::move(take));
  }
  const Local::endpoint at(address.path);
  RemoveIfStale(loop, at);
  return Open<Local>(loop, at, address.path, std::move(take));
}

}  // namespace troupe::internal
