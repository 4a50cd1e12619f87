// Certificates for tests, made when they are needed and gone with the one who made them.
#ifndef TROUPE_TESTS_BRIDGES_CERTIFICATES_H_
#define TROUPE_TESTS_BRIDGES_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "troupe/runtime/bridges/tls.h"

namespace troupe {

class Authority {
 public:
  struct Certificate {
    std::string common_name = "somebody";
    std::string alternative_names = "DNS:localhost,IP:127.0.0.1";
    absl::Duration valid_from = -absl::Hours(1);  // from now
    absl::Duration valid_until = absl::Hours(1);
    std::string passphrase = {};
  };

  explicit Authority(const std::string& name = "authority");
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  ~Authority();  // and of its files

  // For a node whose certificate it has signed, and that trusts it.
  TlsOptions Issue(const Certificate& what);
  TlsOptions Issue() { return Issue({}); }
  std::shared_ptr<const LinkCredentials> Credentials(const Certificate& what);
  std::shared_ptr<const LinkCredentials> Credentials() { return Credentials({}); }

  std::string file() const { return folder_ + "/authority.pem"; }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Signed = std::unique_ptr<X509, Free>;

  Signed Sign(const Certificate& what, EVP_PKEY* key, X509* by, const char* constraints);

  int issued_ = 0;
  const std::string folder_;
  const Key key_;
  const Signed certificate_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BRIDGES_CERTIFICATES_H_
