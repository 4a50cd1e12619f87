#include "troupe/runtime/bridges/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/runtime/bridges/internal/certificate.h"
#include "troupe/runtime/bridges/internal/tls_link.h"

namespace troupe {
namespace {

using internal::Ssl;
using internal::SslContext;
using internal::TakeOpenSslError;

class TlsCredentials final : public LinkCredentials {
 public:
  TlsCredentials(SslContext context, bool check_host)
      : context_(std::move(context)), check_host_(check_host) {}

  std::unique_ptr<Link> Accept(std::unique_ptr<Link> plain) const override {
    Ssl ssl(SSL_new(context_.get()));
    if (ssl != nullptr) SSL_set_accept_state(ssl.get());
    return internal::MakeTlsLink(std::move(ssl), std::move(plain));
  }

  std::unique_ptr<Link> Connect(std::unique_ptr<Link> plain, std::string_view host) const override {
    Ssl ssl(SSL_new(context_.get()));
    if (ssl != nullptr) SSL_set_connect_state(ssl.get());
    if (ssl != nullptr && check_host_ && !ExpectHost(ssl.get(), std::string(host))) ssl.reset();
    return internal::MakeTlsLink(std::move(ssl), std::move(plain));
  }

 private:
  // False: no memory.
  static bool ExpectHost(SSL* ssl, const std::string& host) {
    X509_VERIFY_PARAM* const check = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(check, host.c_str()) == 1) return true;  // it is an address
    X509_VERIFY_PARAM_set_hostflags(
        check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(check, host.data(), host.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }

  const SslContext context_;
  const bool check_host_;
};

// OpenSSL has just failed with it.
absl::Status FileError(std::string_view option, const std::string& path) {
  const std::string what = absl::StrCat("tls: ", std::string(option), " \"", path, "\"");
  if (path.empty()) return absl::InvalidArgumentError(absl::StrCat(what, " is missing"));
  const unsigned long first = ERR_peek_error();
  if (!ERR_SYSTEM_ERROR(first)) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", TakeOpenSslError()));
  }
  ERR_clear_error();
  return absl::ErrnoToStatus(ERR_GET_REASON(first), what);
}

// Would otherwise be asked for on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

// The key first: then a certificate that it does not belong to is told from one that cannot be read.
absl::Status LoadFiles(SSL_CTX* context, const TlsOptions& options) {
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(context, NoPassphrase);
  if (SSL_CTX_use_PrivateKey_file(context, options.private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return FileError("private_key", options.private_key);
  }
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_chain.c_str()) != 1) {
    return FileError("certificate_chain", options.certificate_chain);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat("tls: private_key \"", options.private_key,
                     "\" does not belong to the first certificate of certificate_chain \"",
                     options.certificate_chain, "\""));
  }
  if (SSL_CTX_load_verify_file(context, options.authorities.c_str()) != 1) {
    return FileError("authorities", options.authorities);
  }
  return internal::CheckValidNow(SSL_CTX_get0_certificate(context));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LinkCredentials>> LoadTlsCredentials(
    const TlsOptions& options) {
  SslContext context(SSL_CTX_new(TLS_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1) {
    return absl::ResourceExhaustedError(absl::StrCat("tls: ", TakeOpenSslError()));
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);  // no resumption
  // An idle link keeps no buffers, and what certificate_chain says is all that is sent.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  if (absl::Status wrong = LoadFiles(context.get(), options); !wrong.ok()) return wrong;
  return std::make_shared<TlsCredentials>(std::move(context), options.check_host);
}

}  // namespace troupe
