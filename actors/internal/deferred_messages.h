// DeferredMessages: messages taken out of the mailbox before their turn, oldest first. Touched by its
// actor's running thread alone.
#ifndef TROUPE_ACTORS_INTERNAL_DEFERRED_MESSAGES_H_
#define TROUPE_ACTORS_INTERNAL_DEFERRED_MESSAGES_H_

#include <utility>

#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {

// A ring, so that one pointer will do. All is O(1).
class DeferredMessages {
 public:
  bool empty() const { return last_ == nullptr; }
  void Append(Envelope& e) {
    e.next = last_ != nullptr ? std::exchange(last_->next, &e) : &e;
    last_ = &e;
  }
  // The list of all of them and then `rest`; there are none any more.
  Envelope* TakeBefore(Envelope* rest) {
    if (last_ == nullptr) return rest;
    return static_cast<Envelope*>(std::exchange(std::exchange(last_, nullptr)->next, rest));
  }
  // Appends all from `first` to `last`; returns what was behind them.
  Envelope* AppendUpTo(Envelope& first, Envelope& last) {
    MailboxNode* const rest = last.next;
    last.next = last_ != nullptr ? std::exchange(last_->next, &first) : &first;
    last_ = &last;
    return static_cast<Envelope*>(rest);
  }
  // Puts all of `older` before those that are here.
  void Prepend(DeferredMessages& older) {
    MailboxNode* const last = std::exchange(older.last_, nullptr);
    if (last == nullptr) return;
    if (last_ == nullptr) {
      last_ = last;
    } else {
      std::swap(last->next, last_->next);
    }
  }
  Envelope* last() const { return static_cast<Envelope*>(last_); }

 private:
  MailboxNode* last_ = nullptr;  // whose `next` is the first
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_DEFERRED_MESSAGES_H_
