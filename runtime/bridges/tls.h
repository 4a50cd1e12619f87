// TLS for nodes: tls://HOST:PORT. A library of its own, //runtime/bridges:tls: only who uses it links
// OpenSSL.
//
//   absl::StatusOr<std::shared_ptr<const troupe::LinkCredentials>> tls = troupe::LoadTlsCredentials(
//       {.certificate_chain = "bank.pem", .private_key = "bank.key", .authorities = "authority.pem"});
//   if (!tls.ok()) ...
//   troupe::Node node(system, {.name = "bank", .tls = *tls});
//   absl::StatusOr<std::string> at = node.Listen("tls://0.0.0.0:7000");
//
// TLS 1.3 only, and mutual: either side shows a certificate that one of the other's authorities has
// signed, or the link closes with kUnauthenticated and a reason. Who dials also checks that the
// certificate is the one of the host that was dialled. No resumption and no early data, so nothing can
// be replayed.
//
// For nodes that you run yourself the authority is best one of your own, that signs nothing else:
// whoever it has signed may connect. What he may find there is for PublishOptions::allow to say, and
// Peer::identity().
//
// Cost: a handshake keeps the node's thread busy for as long as thousands of messages do; keys on P-256
// are much cheaper there than RSA. Then the sender's thread encrypts, and the node's thread decrypts.
#ifndef TROUPE_RUNTIME_BRIDGES_TLS_H_
#define TROUPE_RUNTIME_BRIDGES_TLS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "troupe/runtime/bridges/link_credentials.h"

namespace troupe {

// Paths of PEM files. They are read once.
struct TlsOptions {
  // Ours: first the node's own certificate, then those in between, up to the authority. For a node that
  // dials and listens, it must allow both uses, or say nothing of use.
  std::string certificate_chain = {};
  std::string private_key = {};  // without a passphrase
  // Those that may have signed a peer's. There is no default: the system's would let in anybody with a
  // web site.
  std::string authorities = {};

  // When dialling: the certificate must name the host of the address, as DNS name or IP address among
  // its subject alternative names (the common name does not count). Without it whoever the authorities
  // have signed can pose as any other.
  bool check_host = true;
};

// kInvalidArgument: a path is missing, a file is no PEM or encrypted, or the key does not belong to the
// certificate. kFailedPrecondition: the certificate has expired, or is not valid yet. Otherwise what
// the system says of the file, such as kNotFound.
absl::StatusOr<std::shared_ptr<const LinkCredentials>> LoadTlsCredentials(
    const TlsOptions& options);

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_TLS_H_
