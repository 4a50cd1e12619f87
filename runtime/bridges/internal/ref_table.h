// RefTable: how refs cross a connection. They are numbers in a table of each connection, as in Cap'n
// Proto RPC: who exports an actor gives it a number, and the number means nothing on any other
// connection. So a peer can reach what was handed to it and nothing else, whatever it sends.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_TABLE_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_TABLE_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/runtime/bridges/frame.h"

namespace troupe::internal {

struct Arrival;

// What one message becomes that has arrived for an exported actor.
struct ExportRoute {
  uint64_t type;
  std::string_view name;
  Thunk thunk;
  absl::Status (*deliver)(const Arrival& arrival);  // not OK: the bytes are no such message
};

// A ref as the fields of a message.
struct WireRef {
  enum class Whose : uint8_t { kNobody, kWriters, kReaders };
  Whose whose = Whose::kNobody;
  uint64_t id = 0;
  uint64_t incarnation = 0;
  std::vector<uint64_t> types = {};  // of the messages that may be sent to it
};

class RefTable {
 public:
  virtual ~RefTable() = default;

  // Any thread. From now on the peer may send `who` these messages.
  virtual WireRef Export(const AnyRef& who, std::span<const ExportRoute> routes) = 0;

  struct Imported {
    AnyRef ref;
    bool is_proxy = false;      // a Proxy; or else an actor of this process, and
    std::vector<Thunk> thunks;  // by these it takes the messages
  };
  // The link's thread. An error: `ref` conveys less than `types`, or was never exported.
  virtual absl::StatusOr<Imported> Import(const WireRef& ref, std::span<const uint64_t> types) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_TABLE_H_
