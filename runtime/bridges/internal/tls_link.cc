#include "troupe/runtime/bridges/internal/tls_link.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/internal/address.h"
#include "troupe/runtime/bridges/internal/certificate.h"

namespace troupe::internal {
namespace {

// The most that is encrypted in one piece: 16 KiB.
constexpr size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;
// What is encrypted leaves in portions of this size, and what was decrypted is passed on so.
constexpr size_t kPortion = 4 * kRecord;
constexpr size_t kSmall = 1024;
// Encrypted bytes that a peer who reads nothing can make us keep. A portion and a little more is ours;
// the rest answers what it sends, such as key updates.
constexpr size_t kMostUnsent = 2 * kPortion;

// ---- a BIO, which is what OpenSSL has instead of a socket: here memory of a TlsStream

struct Wire {
  std::string_view arrived;  // to be decrypted; lies at who brought it
  std::string unsent;        // encrypted
};

int ReadWire(BIO* bio, char* to, size_t size, size_t* count) {
  std::string_view& arrived = static_cast<Wire*>(BIO_get_data(bio))->arrived;
  BIO_clear_retry_flags(bio);
  if (arrived.empty()) {
    BIO_set_retry_read(bio);  // no end: there will be more
    return 0;
  }
  *count = std::min(size, arrived.size());
  std::memcpy(to, arrived.data(), *count);
  arrived.remove_prefix(*count);
  return 1;
}

int WriteWire(BIO* bio, const char* bytes, size_t size, size_t* count) {
  static_cast<Wire*>(BIO_get_data(bio))->unsent.append(bytes, size);
  *count = size;
  return 1;
}

long ControlWire(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// A table of functions, which is never changed; OpenSSL wants it made at run time.
const BIO_METHOD* WireMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "troupe link");
    if (made == nullptr) return made;
    BIO_meth_set_read_ex(made, ReadWire);
    BIO_meth_set_write_ex(made, WriteWire);
    BIO_meth_set_ctrl(made, ControlWire);
    return made;
  }();
  return method;
}

BIO* MakeBio(Wire& wire) {
  if (WireMethod() == nullptr) return nullptr;
  BIO* const bio = BIO_new(WireMethod());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

// ---- the link

// S1  OpenSSL is used under mutex_, and so is the link below written to; no event is passed on under
//     it.
// S2  What has been taken by Write has been encrypted. If it does not go out at once, AwaitWritable of
//     the link below has been called, and OnWritable goes on with it. So the one who wrote need not
//     come back.
// S3  Once why_ is set nothing is passed on but what had been decrypted, and OnClosed, which says it.
class TlsStream final : public LinkEvents, public std::enable_shared_from_this<TlsStream> {
 public:
  TlsStream(Ssl ssl, std::unique_ptr<Link> plain)
      : plain_(std::move(plain)), peer_(NameOverTls(plain_->peer())), ssl_(std::move(ssl)) {
    BIO* const bio = ssl_ == nullptr ? nullptr : MakeBio(wire_);
    if (bio != nullptr) {
      SSL_set_bio(ssl_.get(), bio, bio);
    } else {
      why_ = absl::ResourceExhaustedError("tls: no memory");
      plain_->Close(*why_);
    }
  }

  // ---- Link

  void Start(std::shared_ptr<LinkEvents> events) {
    events_ = std::move(events);
    {
      MutexLock lock(mutex_);
      if (!why_) Handshake();  // who dials speaks first
    }
    plain_->Start(shared_from_this());
    MutexLock lock(mutex_);
    if (!why_) Flush();
  }

  size_t Write(std::span<const std::string_view> parts) {
    MutexLock lock(mutex_);
    if (!ready_ || why_) return 0;
    size_t taken = 0;
    for (const std::string_view part : parts) {
      const size_t count = Encrypt(part);
      taken += count;
      if (count < part.size()) return taken;
    }
    Flush();
    return taken;
  }

  void AwaitWritable() {
    MutexLock lock(mutex_);
    if (why_) return;
    awaited_ = true;
    if (ready_) AwaitRoom();
  }

  void Close(absl::Status why) {
    MutexLock lock(mutex_);
    if (!why_) Fail(std::move(why));
  }

  const std::string& peer() const { return peer_; }
  Place place() const { return plain_->place(); }
  PeerIdentity identity() const {
    MutexLock lock(mutex_);
    return identity_;
  }

  // ---- LinkEvents, of the link below

  void OnBytes(std::string_view bytes) override {
    {
      MutexLock lock(mutex_);
      wire_.arrived = bytes;
    }
    while (TakeStep()) {
    }
  }

  void OnWritable() override {
    {
      MutexLock lock(mutex_);
      awaiting_room_ = false;
      Flush();
      if (!ready_ || why_ || !wire_.unsent.empty() || !std::exchange(awaited_, false)) return;
    }
    events_->OnWritable();
  }

  void OnClosed(const absl::Status& why) override {
    absl::Status reason;
    {
      MutexLock lock(mutex_);
      if (!why_) why_ = why;
      reason = *why_;
    }
    std::exchange(events_, nullptr)->OnClosed(reason);
  }

 private:
  // The handshake, or a portion, of what has arrived. False: there is no more to be had of it.
  bool TakeStep() {
    std::array<char, kPortion> portion;  // not initialized
    size_t count = 0;
    {
      MutexLock lock(mutex_);
      if (why_) return false;
      if (ready_) {
        count = Decrypt(portion);
        if (count == 0) return false;
      } else {
        Handshake();
        if (why_) return false;
        Flush();
        if (!ready_) return false;
        if (!std::exchange(awaited_, false)) return true;
      }
    }
    count > 0 ? events_->OnBytes({portion.data(), count}) : events_->OnWritable();
    return true;
  }

  void Handshake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      identity_ = IdentityOf(ssl_.get());
      ready_ = true;
    } else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
      Fail(HandshakeError());
    }
  }

  absl::Status HandshakeError() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const long verified = SSL_get_verify_result(ssl_.get());
    std::string what = TakeOpenSslError();
    if (verified != X509_V_OK) {
      what = absl::StrCat("the peer's certificate: ", X509_verify_cert_error_string(verified));
    }
    return absl::UnauthenticatedError(absl::StrCat("tls: ", what));
  }

  // Records, until there is a portion or no more. What was before a failure counts.
  size_t Decrypt(std::span<char> portion) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t taken = 0;
    while (taken < portion.size()) {
      const size_t count = DecryptRecord(portion.subspan(taken));
      if (count == 0) break;
      taken += count;
    }
    return taken;
  }

  size_t DecryptRecord(std::span<char> into) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    const int error = SSL_get_error(ssl_.get(), result);
    if (!wire_.unsent.empty()) Flush();  // it may have had to be answered
    switch (error) {
      case SSL_ERROR_NONE:
        return count;
      case SSL_ERROR_WANT_READ:
        if (wire_.unsent.size() > kMostUnsent) {
          Fail(absl::ResourceExhaustedError("tls: the peer does not read"));
        }
        break;
      case SSL_ERROR_ZERO_RETURN:
        Fail(absl::UnavailableError("the peer has closed the connection"));
        break;
      default:
        // Bytes that were changed on the way. Or the peer refuses our certificate: a client, whose
        // handshake is over before that of its server, learns so here.
        Fail(absl::UnauthenticatedError(absl::StrCat("tls: ", TakeOpenSslError())));
    }
    return 0;
  }

  // How much of it is taken (S2).
  size_t Encrypt(std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t taken = 0;
    while (taken < bytes.size()) {
      if (wire_.unsent.size() >= kPortion) Flush();
      if (wire_.unsent.size() >= kPortion || why_) break;
      size_t count = 0;
      ERR_clear_error();
      const std::string_view piece = bytes.substr(taken, kRecord);
      if (SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &count) != 1) {
        Fail(absl::InternalError(absl::StrCat("tls: ", TakeOpenSslError())));
        break;
      }
      taken += count;
    }
    return taken;
  }

  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::array<std::string_view, 1> parts{wire_.unsent};
    const size_t count = wire_.unsent.empty() ? 0 : plain_->Write(parts);
    if (count < wire_.unsent.size()) {
      wire_.unsent.erase(0, count);
      return AwaitRoom();
    }
    wire_.unsent.clear();
    // An idle link sends no more than a sign of life, and keeps no large buffer.
    if (count < kSmall && wire_.unsent.capacity() > kSmall) std::string().swap(wire_.unsent);
  }

  void AwaitRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!std::exchange(awaiting_room_, true)) plain_->AwaitWritable();
  }

  // The peer is told that this is the end and no cut, or of what it did wrong: OpenSSL has put that
  // into unsent.
  void Fail(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    why_ = why;
    wire_.arrived = {};
    if (ready_) SSL_shutdown(ssl_.get());
    Flush();
    plain_->Close(std::move(why));
  }

  const std::unique_ptr<Link> plain_;
  const std::string peer_;
  std::shared_ptr<LinkEvents> events_;  // fixed by Start; then the link's thread

  mutable Mutex mutex_;  // identity() reads
  Wire wire_ ABSL_GUARDED_BY(mutex_);
  const Ssl ssl_ ABSL_PT_GUARDED_BY(mutex_);
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;          // the handshake is over
  bool awaited_ ABSL_GUARDED_BY(mutex_) = false;        // OnWritable, above
  bool awaiting_room_ ABSL_GUARDED_BY(mutex_) = false;  // OnWritable, from below
  std::optional<absl::Status> why_ ABSL_GUARDED_BY(mutex_);
  PeerIdentity identity_ ABSL_GUARDED_BY(mutex_);
};

class TlsLink final : public Link {
 public:
  explicit TlsLink(std::shared_ptr<TlsStream> stream) : stream_(std::move(stream)) {}
  ~TlsLink() override { stream_->Close(absl::CancelledError("the link was destroyed")); }
  void Start(std::shared_ptr<LinkEvents> events) override { stream_->Start(std::move(events)); }
  size_t Write(std::span<const std::string_view> parts) override { return stream_->Write(parts); }
  void AwaitWritable() override { stream_->AwaitWritable(); }
  void Close(absl::Status why) override { stream_->Close(std::move(why)); }
  std::string peer() const override { return stream_->peer(); }
  Place place() const override { return stream_->place(); }
  PeerIdentity identity() const override { return stream_->identity(); }

 private:
  const std::shared_ptr<TlsStream> stream_;
};

}  // namespace

std::unique_ptr<Link> MakeTlsLink(Ssl ssl, std::unique_ptr<Link> plain) {
  return std::make_unique<TlsLink>(std::make_shared<TlsStream>(std::move(ssl), std::move(plain)));
}

std::string TakeOpenSslError() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return "unknown error";
  if (ERR_SYSTEM_ERROR(first)) return std::strerror(ERR_GET_REASON(first));
  const char* const reason = ERR_reason_error_string(first);
  return reason != nullptr ? reason : absl::StrCat("error ", absl::Hex(first));
}

}  // namespace troupe::internal
