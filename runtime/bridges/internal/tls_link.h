// TLS as a link over another.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_TLS_LINK_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_TLS_LINK_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "troupe/runtime/bridges/link.h"

namespace troupe::internal {

template <auto kFree>
struct OpenSslFree {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Ssl = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using SslContext = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;

// `ssl` knows which side it is (SSL_set_accept_state, SSL_set_connect_state), and has no BIO yet.
// nullptr: a link that closes, since there was no memory for it.
std::unique_ptr<Link> MakeTlsLink(Ssl ssl, std::unique_ptr<Link> plain);

// The first thing that OpenSSL has to say of what this thread has just tried, which is then forgotten:
// "no start line".
std::string TakeOpenSslError();

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_TLS_LINK_H_
