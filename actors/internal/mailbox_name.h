// MailboxName: which mailbox has a name at present.
//
//   Operation   Who            Effect
//   Get         any thread     the mailbox that has it; nobody's, if that is for other messages
//   Set         MailboxTable   another one has it from now on
//
// A short lock and not the sequence lock of names of actors (route_table.h): each send takes a lock of
// that kind in the mailbox anyway.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_NAME_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_NAME_H_

#include "absl/base/thread_annotations.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/core/short_lock.h"

namespace troupe::internal {

class MailboxName {
 public:
  struct Bound {
    MailboxId id;
    MessageType message = nullptr;
  };

  MailboxId Get(MessageType message) {
    const Bound now = bound();
    return now.message == message ? now.id : MailboxId();
  }
  Bound bound() {
    const ShortLockHolder lock(lock_);
    return bound_;
  }
  void Set(const Bound& bound) {
    const ShortLockHolder lock(lock_);
    bound_ = bound;
  }

 private:
  ShortLock lock_;
  Bound bound_ ABSL_GUARDED_BY(lock_);
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_NAME_H_
