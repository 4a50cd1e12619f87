// Address: where a node listens: unix://PATH, tcp://HOST:PORT or tls://HOST:PORT.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_ADDRESS_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace troupe::internal {

struct Address {
  enum class Kind : uint8_t { kUnix, kTcp, kTls };
  Kind kind = Kind::kUnix;
  std::string path;  // kUnix
  std::string host;  // kTcp, kTls: a name, or an IPv4 or [IPv6] address
  uint16_t port = 0;
};

absl::StatusOr<Address> ParseAddress(std::string_view text);  // kInvalidArgument
// How a link to there is called once TLS runs over it: tcp://HOST:PORT becomes tls://HOST:PORT.
std::string NameOverTls(std::string_view plain);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_ADDRESS_H_
