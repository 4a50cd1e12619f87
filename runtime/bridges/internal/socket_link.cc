#include "troupe/runtime/bridges/internal/socket_link.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/generic/stream_protocol.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {
namespace {

using Socket = asio::generic::stream_protocol::socket;

// L1  Whoever uses the descriptor holds mutex_ or has the turn; it is closed in a turn under mutex_. So a Write
//     never meets somebody else's descriptor of the same number.
// L2  What asio does with the socket is begun in a turn.
class SocketState : public std::enable_shared_from_this<SocketState> {
 public:
  SocketState(std::shared_ptr<EventLoop> loop, Socket socket, std::string peer)
      : loop_(std::move(loop)), socket_(std::move(socket)), peer_(std::move(peer)) {
    std::error_code ignored;
    socket_->non_blocking(true, ignored);
  }

  void Start(std::shared_ptr<LinkEvents> events) {
    loop_->Post([me = shared_from_this(), events = std::move(events)]() {
      if (me->has_ended_)
        return events->OnClosed(absl::CancelledError("closed"));  // Close came before
      me->events_ = events;
      me->ReadOn();
    });
  }

  size_t Write(std::span<const std::string_view> parts) {
    MutexLock lock(mutex_);
    size_t taken = 0;
    while (!parts.empty()) {
      const auto some = parts.first(std::min(parts.size(), kPieces));
      size_t size = 0;
      for (const std::string_view part : some) size += part.size();
      const size_t count = WriteSome(some);
      taken += count;
      if (count < size) break;
      parts = parts.subspan(some.size());
    }
    return taken;
  }

  void AwaitWritable() {
    MutexLock lock(mutex_);
    if (!socket_) return;
    loop_->Post([me = shared_from_this()] { me->WaitForRoom(); });
  }

  void Close(absl::Status why) {
    MutexLock lock(mutex_);
    EndLater(std::move(why));
  }

  const std::string& peer() const { return peer_; }

 private:
  static constexpr size_t kPieces = 64;  // in one system call

  size_t WriteSome(std::span<const std::string_view> parts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!socket_) return 0;
    std::array<iovec, kPieces> pieces;  // not initialized
    for (size_t i = 0; i < parts.size(); ++i) {
      pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = parts.size();
    const ssize_t taken =
        ::sendmsg(socket_->native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken >= 0) return static_cast<size_t>(taken);
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS) {
      // The reader need not learn of it: the peer may have closed its side for reading alone.
      EndLater(SocketError(std::error_code(errno, std::system_category()), "writing"));
    }
    return 0;
  }

  void EndLater(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!socket_ || closing_) return;
    closing_ = true;
    loop_->Post([me = shared_from_this(), why = std::move(why)] { me->End(why); });
  }

  // ---- in a turn

  // A read of 0 bytes or an error is the end; four full buffers, and the others' turn has come.
  void ReadOn() ABSL_NO_THREAD_SAFETY_ANALYSIS {  // L1: we are the one who closes it
    for (int turn = 0; turn < 4 && socket_; ++turn) {
      auto& buffer = loop_->read_buffer();
      const ssize_t got =
          ::recv(socket_->native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        events_->OnBytes({buffer.data(), static_cast<size_t>(got)});
        if (static_cast<size_t>(got) < buffer.size()) break;
        continue;
      }
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) break;
      return End(got == 0 ? absl::UnavailableError("the peer has closed the connection")
                          : SocketError(std::error_code(errno, std::system_category()), "reading"));
    }
    if (!socket_) return;
    socket_->async_wait(Socket::wait_read,
                        loop_->InTurn([me = shared_from_this()](const std::error_code& error) {
                          if (me->events_ == nullptr) return;
                          error ? me->End(SocketError(error, "waiting")) : me->ReadOn();
                        }));
  }

  void WaitForRoom() ABSL_NO_THREAD_SAFETY_ANALYSIS {  // L1
    if (!socket_) return;
    socket_->async_wait(Socket::wait_write,
                        loop_->InTurn([me = shared_from_this()](const std::error_code& error) {
                          if (me->events_ != nullptr && !error) me->events_->OnWritable();
                        }));
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

  const std::shared_ptr<EventLoop> loop_;
  Mutex mutex_;
  std::optional<Socket> socket_ ABSL_GUARDED_BY(mutex_);  // L1
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  // ---- in a turn
  std::shared_ptr<LinkEvents> events_;
  bool has_ended_ = false;
  const std::string peer_;
};

class SocketLink final : public Link {
 public:
  SocketLink(std::shared_ptr<SocketState> state, Place place)
      : state_(std::move(state)), place_(place) {}
  ~SocketLink() override { state_->Close(absl::CancelledError("the link was destroyed")); }
  void Start(std::shared_ptr<LinkEvents> events) override { state_->Start(std::move(events)); }
  size_t Write(std::span<const std::string_view> parts) override { return state_->Write(parts); }
  void AwaitWritable() override { state_->AwaitWritable(); }
  void Close(absl::Status why) override { state_->Close(std::move(why)); }
  std::string peer() const override { return state_->peer(); }
  Place place() const override { return place_; }

 private:
  const std::shared_ptr<SocketState> state_;
  const Place place_;
};

// Once asio has waited for a socket to be writable, as it does to connect one, epoll tells of all room in the
// send buffer for good: a wake-up for nothing at almost every answer. So the descriptor is registered anew. (Of a
// link that was ever full it tells again.)
template <class AnySocket>
Socket RegisteredAnew(AnySocket socket) {
  Socket anew(socket.get_executor());
  std::error_code error;
  const auto protocol = socket.local_endpoint(error).protocol();
  if (error) return anew;  // to read from it fails
  const int descriptor = socket.release(error);
  if (!error) anew.assign(protocol, descriptor, error);
  if (error && descriptor >= 0) ::close(descriptor);
  return anew;
}

}  // namespace

absl::Status SocketError(const std::error_code& error, std::string_view what) {
  return absl::UnavailableError(absl::StrCat(std::string(what), ": ", error.message()));
}

std::string NameOf(const tcp::endpoint& at) {
  const std::string host = at.address().to_string();
  return at.address().is_v6() ? absl::StrCat("tcp://[", host, "]:", at.port())
                              : absl::StrCat("tcp://", host, ":", at.port());
}
std::string NameOf(const Local::endpoint& at) { return absl::StrCat("unix://", at.path()); }

std::unique_ptr<Link> MakeSocketLink(std::shared_ptr<EventLoop> loop, tcp::socket socket,
                                     std::string peer) {
  // Frames are written in one piece, so there is nothing to wait for.
  std::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  return std::make_unique<SocketLink>(
      std::make_shared<SocketState>(std::move(loop), RegisteredAnew(std::move(socket)),
                                    std::move(peer)),
      Place::kOtherComputer);
}
std::unique_ptr<Link> MakeSocketLink(std::shared_ptr<EventLoop> loop, Local::socket socket,
                                     std::string peer) {
  return std::make_unique<SocketLink>(
      std::make_shared<SocketState>(std::move(loop), RegisteredAnew(std::move(socket)),
                                    std::move(peer)),
      Place::kThisComputer);
}

}  // namespace troupe::internal
