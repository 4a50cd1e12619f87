// What a certificate says.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_CERTIFICATE_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_CERTIFICATE_H_

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "absl/status/status.h"
#include "troupe/runtime/bridges/peer_identity.h"

namespace troupe::internal {

// Of the peer, after the handshake.
PeerIdentity IdentityOf(const SSL* ssl);
// kFailedPrecondition: it has expired, or is not valid yet.
absl::Status CheckValidNow(const X509* certificate);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_CERTIFICATE_H_
