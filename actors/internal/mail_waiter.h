// MailWaiter: one who waits at a mailbox: a record on a thread's stack, or in an actor's block, and the
// slot that wakes him. Written under that mailbox's lock.
#ifndef TROUPE_ACTORS_INTERNAL_MAIL_WAITER_H_
#define TROUPE_ACTORS_INTERNAL_MAIL_WAITER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/reply_slot.h"

namespace troupe::internal {

struct MailWaiter {
  enum class State : uint8_t {
    kUnlinked,
    kForRoom,   // a sender: the mailbox is full
    kInLane,    // a sender: its message is there, and he waits for somebody to take it
    kForMail,   // a receiver
    kForClose,  // a holder of a send right
  };

  static constexpr uint8_t kOnly = 0xFF;  // he waits at one mailbox

  MailboxId at;
  union {
    ReplySlotOf<Mail>* mail_slot;  // kForMail
    ReplySlotOf<void>* told_slot;  // the others
  };
  Envelope* message = nullptr;  // a sender's
  MailWaiter* previous = nullptr;
  MailWaiter* next = nullptr;
  MailStamp stamp;        // a sender's
  uint32_t share = 0;     // a receiver's
  uint8_t index = kOnly;  // a receiver's: at which of the mailboxes of his Select
  State state = State::kUnlinked;
  bool until_taken = false;  // a sender: until a receiver has the message, not only the mailbox
};

// `error`, and at which of several mailboxes, unless that is kOnly.
absl::Status ErrorAt(uint8_t index, absl::Status error);

// In the order in which they came. Guarded by the mailbox's lock.
class MailWaiters {
 public:
  MailWaiter* first() const { return first_; }
  size_t size() const { return size_; }

  void Add(MailWaiter& w, MailWaiter::State state) {
    w.state = state;
    w.previous = last_;
    w.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &w;
    last_ = &w;
    ++size_;
  }
  void Remove(MailWaiter& w, MailWaiter::State state = MailWaiter::State::kUnlinked) {
    (w.previous != nullptr ? w.previous->next : first_) = w.next;
    (w.next != nullptr ? w.next->previous : last_) = w.previous;
    w.state = state;
    --size_;
  }

 private:
  MailWaiter* first_ = nullptr;
  MailWaiter* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAIL_WAITER_H_
