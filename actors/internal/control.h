// Control: what is not a message: start, stop, watch, link, an ask's deadline, a supervisor's orders.
#ifndef TROUPE_ACTORS_INTERNAL_CONTROL_H_
#define TROUPE_ACTORS_INTERNAL_CONTROL_H_

#include <cstdint>
#include <new>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/links.h"
#include "troupe/core/mailbox_queue.h"
#include "troupe/core/node_pool.h"

namespace troupe::internal {

struct Control : MailboxNode {
  enum class Kind : uint8_t {
    kStart,
    kStop,
    kWatch,
    kUnwatch,
    kLink,
    kUnlink,
    kAlarm,
    // From its parent, to a child; supervised.h.
    kFinish,  // as kStop, and nobody makes it anew
    kPark,    // to a supervised one: end this life
    kBegin,   // likewise: begin the next
  };

  Kind kind;
  ExitReason reason = ExitReason::kNormal;  // kStop, kFinish, kPark
  uint64_t address = 0;                     // the receiver's incarnation, as in Envelope
  AnyRef peer;         // kWatch, kUnwatch: the watcher; kLink, kUnlink: who says so
  Links::Known known;  // kLink: in `mine`, its number; kUnlink: see links.h

  explicit Control(Kind k) : kind(k) {}

  static Control& Make(Kind kind) { return *new (AllocateNode(sizeof(Control))) Control(kind); }
  void Free() { FreeNode(this, sizeof(Control)); }

  // Between two actors: what one that ends has to look at, too.
  bool IsBond() const { return kind >= Kind::kWatch && kind <= Kind::kUnlink; }
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_CONTROL_H_
