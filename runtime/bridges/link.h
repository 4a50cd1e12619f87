// Link: the seam to whatever moves bytes between two nodes. unix:// and tcp:// are links
// (internal/socket_link.h), MemoryLink is one for tests, and TLS is one that runs over another
// (link_credentials.h); a host may bring his own, which passes
// tests/conformance/link_conformance_test.cc, and give it to Node::Attach or Node::Serve.
#ifndef TROUPE_RUNTIME_BRIDGES_LINK_H_
#define TROUPE_RUNTIME_BRIDGES_LINK_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "troupe/core/place.h"
#include "troupe/runtime/bridges/peer_identity.h"

namespace troupe {

// Who is told what happens at a link. Called by whoever serves the link ("the link's thread" in what follows, which
// may be another each time), one call at a time; must not block.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  // These bytes have arrived, in order, each once. They are valid during the call.
  virtual void OnBytes(std::string_view bytes) = 0;
  // After AwaitWritable: Write takes some again.
  virtual void OnWritable() = 0;
  // The last call, once, after a Close of ours too. `why`: what was given to Close, or else
  // kUnavailable: the other side has closed, or ended, or cannot be reached any more.
  virtual void OnClosed(const absl::Status& why) = 0;
};

// A stream of bytes in either direction, and its end. Bytes arrive in order or not at all: what was
// written before the link broke may be lost, from some byte on.
//
//   Operation       Who                      Effect
//   Start           once                     calls `events` from now on, until after OnClosed
//   Write           any, one at a time       takes as many of the bytes as fit, without waiting
//   AwaitWritable   who has written, then    OnWritable, once, as soon as Write takes some
//   Close           any thread               OnClosed follows, in any case, and not in this call; after
//                                            Start, if that comes later
//
// Before AwaitWritable a Write that took less than all is followed by nothing, so the writer has time
// to put down how far he came. Both ends of a link that nobody reads take no more bytes than a stated
// number: that is how a slow peer is noticed.
class Link {
 public:
  virtual ~Link() = default;

  virtual void Start(std::shared_ptr<LinkEvents> events) = 0;
  // How many were taken, in order. 0 too if the link is closed.
  virtual size_t Write(std::span<const std::string_view> parts) = 0;
  virtual void AwaitWritable() = 0;
  virtual void Close(absl::Status why) = 0;

  // Who is at the other end, for people: "unix:///run/bank.sock", "tcp://127.0.0.1:7000".
  virtual std::string peer() const = 0;
  // Where that is: what Recipients of it say (AnyRef::place). Any thread.
  virtual Place place() const { return Place::kOtherComputer; }
  // Who that has proved to be. Fixed when the first bytes arrive; nobody until then, and for ever at a
  // link that proves nothing. Any thread.
  virtual PeerIdentity identity() const { return {}; }
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_LINK_H_
