#include "troupe/runtime/bridges/internal/socket_listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <asio/basic_socket_acceptor.hpp>
#include <chrono>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe::internal {
namespace {

template <class Protocol>
class Listener final : public SocketListener {
 public:
  using Acceptor = asio::basic_socket_acceptor<Protocol>;

  Listener(std::shared_ptr<EventLoop> loop, Acceptor acceptor, std::string path, TakeLink take)
      : state_(std::make_shared<State>(
            State{std::move(loop), std::move(acceptor), std::move(path), std::move(take)})) {
    address_ = NameOf(state_->acceptor.local_endpoint());
    state_->loop->Post([state = state_] { Accept(state); });
  }
  ~Listener() override { Close(); }

  void Close() override {
    if (state_ == nullptr) return;
    state_->loop->Post([state = state_] {
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
    std::shared_ptr<EventLoop> loop;
    Acceptor acceptor;
    std::string path;  // of a Unix socket
    TakeLink take;
  };

  static void Accept(const std::shared_ptr<State>& state) {
    state->acceptor.async_accept(state->loop->InTurn(
        [state](const std::error_code& error, typename Protocol::socket socket) {
          Accepted(state, error, std::move(socket));
        }));
  }
  static void Accepted(const std::shared_ptr<State>& state, const std::error_code& error,
                       typename Protocol::socket socket) {
    if (!state->acceptor.is_open()) return;
    if (error) {
      state->take(SocketError(error, "accept"));
      // Out of descriptors, most likely: asked again at once it would say the same.
      return state->loop->PostAfter(std::chrono::milliseconds(100), [state] { Accept(state); });
    }
    std::error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    std::string name = gone ? std::string("gone") : NameOf(peer);
    state->take(MakeSocketLink(state->loop, std::move(socket), std::move(name)));
    Accept(state);
  }

  std::shared_ptr<State> state_;
  std::string address_;
};

template <class Protocol>
absl::StatusOr<std::unique_ptr<SocketListener>> Open(std::shared_ptr<EventLoop> loop,
                                                     const typename Protocol::endpoint& at,
                                                     std::string path, TakeLink take) {
  asio::basic_socket_acceptor<Protocol> acceptor(loop->executor());
  std::error_code error;
  acceptor.open(at.protocol(), error);
  if (!error && path.empty()) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(at, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return SocketError(error, absl::StrCat("listen at ", NameOf(at)));
  return std::make_unique<Listener<Protocol>>(std::move(loop), std::move(acceptor), std::move(path),
                                              std::move(take));
}

absl::StatusOr<std::unique_ptr<SocketListener>> ListenTcp(std::shared_ptr<EventLoop> loop,
                                                          const Address& address,
                                                          bool beyond_loopback, TakeLink take) {
  std::error_code error;
  tcp::resolver resolver(loop->executor());
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
  if (error || found.empty()) return SocketError(error, "no such host");
  const tcp::endpoint at = found.begin()->endpoint();
  if (!at.address().is_loopback() && !beyond_loopback) {
    return absl::PermissionDeniedError(
        absl::StrCat(NameOf(at),
                     " can be reached from other machines, and TCP neither encrypts nor knows who "
                     "connects; use tls://, listen on 127.0.0.1, or ask for it by name: "
                     "{.plaintext_beyond_loopback = true}"));
  }
  return Open<tcp>(std::move(loop), at, {}, std::move(take));
}

// A socket file that its process has left behind refuses whoever dials. So does any other file.
void RemoveIfStale(EventLoop& loop, const Local::endpoint& at) {
  struct stat file;
  if (::lstat(at.path().c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  Local::socket probe(loop.executor());
  std::error_code error;
  probe.connect(at, error);
  if (error == asio::error::connection_refused) ::unlink(at.path().c_str());
}

}  // namespace

absl::StatusOr<std::unique_ptr<SocketListener>> ListenSocket(std::shared_ptr<EventLoop> loop,
                                                             const Address& address,
                                                             bool beyond_loopback, TakeLink take) {
  if (address.kind != Address::Kind::kUnix) {
    return ListenTcp(std::move(loop), address, beyond_loopback, std::move(take));
  }
  const Local::endpoint at(address.path);
  RemoveIfStale(*loop, at);
  return Open<Local>(std::move(loop), at, address.path, std::move(take));
}

}  // namespace troupe::internal
