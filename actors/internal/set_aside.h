// SetAside: messages that an actor has seen and put off: closed envelopes, oldest first.
//
//   Operation    Effect
//   Add          the message being handled waits here; full: it is a dead letter (kFull), and its
//                asker is told
//   AddNew       a new one does, which the actor has made of one that it has handled
//   PutBack      all of them wait in front of the actor's mailbox
//   destructor   the same, for whoever ends the actor, or for its next life
//
// Cost     Each is O(1), whatever waits.
// Threads  The actor's running thread, but for an empty one.
//
// In here a message counts as queued, as in the mailbox. It takes no room in a bounded one.
#ifndef TROUPE_ACTORS_INTERNAL_SET_ASIDE_H_
#define TROUPE_ACTORS_INTERNAL_SET_ASIDE_H_

#include <cstdint>
#include <utility>

#include "troupe/actors/internal/deferred_messages.h"
#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {

class SetAside {
 public:
  explicit SetAside(uint32_t capacity);  // 0 throws std::invalid_argument
  SetAside(SetAside&& other) noexcept
      : messages_(std::exchange(other.messages_, {})),
        size_(std::exchange(other.size_, 0)),
        capacity_(other.capacity_) {}
  SetAside& operator=(SetAside&&) = delete;
  ~SetAside();

  // Consume the envelope. False: it was full.
  bool Add(Envelope& e);
  bool AddNew(Envelope& e, const AnyRef& sender);
  void PutBack();

  uint32_t size() const { return size_; }
  uint32_t capacity() const { return capacity_; }

 private:
  DeferredMessages messages_;
  uint32_t size_ = 0;
  uint32_t capacity_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SET_ASIDE_H_
