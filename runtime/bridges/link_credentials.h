// LinkCredentials: what makes a secure link of one whose bytes anybody on the way could read and
// change.
#ifndef TROUPE_RUNTIME_BRIDGES_LINK_CREDENTIALS_H_
#define TROUPE_RUNTIME_BRIDGES_LINK_CREDENTIALS_H_

#include <memory>
#include <string_view>

#include "troupe/runtime/bridges/link.h"

namespace troupe {

// Who this node is, and whom it trusts. LoadTlsCredentials (tls.h) makes them; they are for
// NodeOptions::tls, and for links of one's own: node.Serve(credentials->Accept(std::move(link))).
//
// Both return a link over `plain` at once. Who is at the other end is found out when it is started:
// until then its Write takes nothing, and if it is nobody who is trusted, the link closes with
// kUnauthenticated.
//
// Thread safety  Any thread.
// Ownership      The links do not need the credentials any more.
class LinkCredentials {
 public:
  virtual ~LinkCredentials() = default;
  // For the side that was dialled.
  virtual std::unique_ptr<Link> Accept(std::unique_ptr<Link> plain) const = 0;
  // For the side that dials: `host` is the name or IP address that the other has to prove.
  virtual std::unique_ptr<Link> Connect(std::unique_ptr<Link> plain,
                                        std::string_view host) const = 0;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_LINK_CREDENTIALS_H_
