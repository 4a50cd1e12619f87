#include "troupe/runtime/bridges/internal/address.h"

#include <sys/un.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace troupe::internal {
namespace {

constexpr std::string_view kUnix = "unix://";
constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kTls = "tls://";

absl::Status Bad(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("address \"", std::string(text), "\": ", std::string(what)));
}

absl::StatusOr<Address> ParseTcp(Address::Kind kind, std::string_view text, std::string_view rest) {
  const size_t colon = rest.rfind(':');
  Address address{.kind = kind, .path = {}, .host = {}};
  uint32_t port = 0;
  if (colon == std::string_view::npos ||
      !absl::SimpleAtoi(std::string(rest.substr(colon + 1)), &port) || port > 65535) {
    return Bad(text, "HOST:PORT has a port from 0 to 65535");
  }
  std::string_view host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Bad(text, "an IPv6 address stands in brackets");
  }
  if (host.empty()) return Bad(text, "HOST:PORT has a host");
  address.host = host;
  address.port = static_cast<uint16_t>(port);
  return address;
}

}  // namespace

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  if (text.starts_with(kUnix)) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
      return Bad(text,
                 absl::StrCat("a path has 1 to ", sizeof(sockaddr_un::sun_path) - 1, " bytes"));
    }
    return Address{.kind = Address::Kind::kUnix, .path = std::string(path), .host = {}};
  }
  using Kind = Address::Kind;
  if (text.starts_with(kTcp)) return ParseTcp(Kind::kTcp, text, text.substr(kTcp.size()));
  if (text.starts_with(kTls)) return ParseTcp(Kind::kTls, text, text.substr(kTls.size()));
  return Bad(text, "it begins with unix://, tcp:// or tls://");
}

std::string NameOverTls(std::string_view plain) {
  if (plain.starts_with(kTcp)) plain.remove_prefix(kTcp.size());
  return absl::StrCat(std::string(kTls), std::string(plain));
}

}  // namespace troupe::internal
