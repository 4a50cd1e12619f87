// PeerIdentity: who the other side of a link has proved to be.
#ifndef TROUPE_RUNTIME_BRIDGES_PEER_IDENTITY_H_
#define TROUPE_RUNTIME_BRIDGES_PEER_IDENTITY_H_

#include <string>
#include <vector>

namespace troupe {

// What the certificate says that the peer has shown and whose key it has: names that one of our
// authorities (tls.h) vouches for. All empty over links that prove nothing: unix://, tcp://.
//
// The peer's other names, NodeOptions::name and NodeId, are what it says of itself, and prove nothing.
struct PeerIdentity {
  std::string common_name;                // of the subject; the first, if there are several
  std::vector<std::string> dns_names;     // subject alternative names, in the certificate's order
  std::vector<std::string> ip_addresses;  // "10.0.0.1", "2001:db8::1"
  std::vector<std::string> uris;          // "spiffe://bank.example/teller"

  friend bool operator==(const PeerIdentity&, const PeerIdentity&) = default;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_PEER_IDENTITY_H_
