// RefTable: how refs cross a connection. They are numbers in a table of each connection, as in Cap'n
// Proto RPC: who exports an actor gives it a number, and the number means nothing on any other
// connection. So a peer can reach what was handed to it and nothing else, whatever it sends.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_TABLE_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_TABLE_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/runtime/bridges/frame.h"

namespace troupe::internal {

struct Arrival;

// What a ref stands for, in this process: an actor, or the mailbox of a Sender.
struct Referent {
  AnyRef actor;
  MailboxId mailbox = {};

  bool is_mailbox() const { return mailbox.cell != nullptr; }
  explicit operator bool() const { return actor || is_mailbox(); }
  friend bool operator==(const Referent&, const Referent&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Referent& r) {
    return H::combine(std::move(h), r.actor, r.mailbox.incarnation);
  }
};

// What one message becomes that has arrived for somebody who was exported.
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
  bool is_mailbox = false;
};

// The messages of a Sender that is to be made for a mailbox over there.
struct MailKind {
  MessageType message;
  Thunk forward;  // of Proxy, who gets them
};

// Whether messages of this type need no credit: those by which a receive right moves (handover.h, H4).
constexpr bool GoesAhead(uint64_t type) {
  return type == MessageHash("troupe::ReceiverAdopted") || type == MessageHash("troupe::MailTaken");
}

class RefTable {
 public:
  virtual ~RefTable() = default;

  // Whose end is that of the connection.
  virtual AnyRef connection() const = 0;
  // Any thread. From now on the peer may send there these messages.
  virtual WireRef Export(const Referent& what, std::span<const ExportRoute> routes) = 0;

  struct Imported {
    Referent what;
    bool is_proxy = false;      // an actor: a Proxy; or else one of this process, and
    std::vector<Thunk> thunks;  // by these it takes the messages
  };
  // The link's thread. `mail`: it is to be a mailbox. An error: `ref` conveys less than `types`, is not of
  // that kind, or was never exported.
  virtual absl::StatusOr<Imported> Import(const WireRef& ref, std::span<const uint64_t> types,
                                          const MailKind* mail) = 0;
  // Any thread. With what is being written goes a right, which this actor has until then.
  virtual void NoteHandedOver(const AnyRef& outlet) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_TABLE_H_
