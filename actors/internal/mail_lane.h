// MailLane: messages that wait in a mailbox, in the order of their stamps.
//
//   Operation   Effect
//   Append      a message that came after all that are there
//   PutInOrder  one that was there before: at its old place
//   TakeFirst   the oldest, and what it was stamped with
//   Remove      that of a sender who waits no more
//
// Not safe for use by several threads; whoever has one has a lock. Moves no message and runs no code of
// the user's.
//
// While a message lies in a lane its address is free for what the lane has to know: the sender that
// waits until it is taken, who has its stamp, or else the stamp.
#ifndef TROUPE_ACTORS_INTERNAL_MAIL_LANE_H_
#define TROUPE_ACTORS_INTERNAL_MAIL_LANE_H_

#include <cstddef>
#include <cstdint>

#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/mail_waiter.h"

namespace troupe::internal {

class MailLane {
 public:
  explicit MailLane(uint32_t whose = 0) : share(whose) {}

  uint32_t share;  // whose it is or, if nobody has a right now, was; 0: of all

  bool empty() const { return first_ == nullptr; }
  size_t depth() const { return depth_; }
  Envelope& first() const { return *first_; }  // not empty

  // `sender`: who waits until it is taken, or nobody.
  void Append(Envelope& e, MailStamp stamp, MailWaiter* sender) {
    Stamp(e, stamp, sender);
    Link(e);
  }
  void PutInOrder(Envelope& e, MailStamp stamp, MailWaiter* sender);
  // Not empty. The sender that waits, if one does, is unlinked.
  Envelope& TakeFirst(MailStamp& stamp);
  void Remove(MailWaiter& sender);

  // Of a message in a lane.
  static MailWaiter* SenderOf(const Envelope& e) {
    return (e.address & 1) == 0 ? reinterpret_cast<MailWaiter*>(e.address) : nullptr;
  }
  static MailStamp StampOf(const Envelope& e);
  static bool IsBefore(const Envelope& a, MailStamp b);
  static Envelope* NextOf(const Envelope& e) { return static_cast<Envelope*>(e.next); }

  // Append in two steps.
  static void Stamp(Envelope& e, MailStamp stamp, MailWaiter* sender);
  void Link(Envelope& e) {
    e.next = nullptr;
    if (last_ != nullptr) {
      last_->next = &e;
    } else {
      first_ = &e;
    }
    last_ = &e;
    ++depth_;
  }

 private:
  Envelope* first_ = nullptr;
  Envelope* last_ = nullptr;
  size_t depth_ = 0;
};

inline void MailLane::Stamp(Envelope& e, MailStamp stamp, MailWaiter* sender) {
  if (sender != nullptr) {
    e.address = reinterpret_cast<uint64_t>(sender);
    sender->stamp = stamp;
    sender->state = MailWaiter::State::kInLane;
  } else {
    e.address = uint64_t{stamp.order} << 33 | uint64_t{stamp.since_ms} << 1 | 1;
  }
}

inline MailStamp MailLane::StampOf(const Envelope& e) {
  const MailWaiter* const sender = SenderOf(e);
  if (sender != nullptr) return sender->stamp;
  return {static_cast<uint32_t>(e.address >> 33), static_cast<uint32_t>(e.address >> 1)};
}

// In a circle of 2^31.
inline bool MailLane::IsBefore(const Envelope& a, MailStamp b) {
  return static_cast<int32_t>((StampOf(a).order - b.order) << 1) < 0;
}

inline Envelope& MailLane::TakeFirst(MailStamp& stamp) {
  Envelope& e = *first_;
  stamp = StampOf(e);
  if (MailWaiter* const sender = SenderOf(e)) sender->state = MailWaiter::State::kUnlinked;
  first_ = NextOf(e);
  if (first_ == nullptr) last_ = nullptr;
  --depth_;
  return e;
}

// Nearly always it becomes the first.
inline void MailLane::PutInOrder(Envelope& e, MailStamp stamp, MailWaiter* sender) {
  Stamp(e, stamp, sender);
  Envelope* before = nullptr;
  for (Envelope* i = first_; i != nullptr && IsBefore(*i, stamp); i = NextOf(*i)) before = i;
  e.next = before != nullptr ? before->next : first_;
  if (before != nullptr) {
    before->next = &e;
  } else {
    first_ = &e;
  }
  if (last_ == before) last_ = &e;
  ++depth_;
}

// Walks the lane: for senders that gave up.
inline void MailLane::Remove(MailWaiter& sender) {
  Envelope* const gone = sender.message;
  Envelope* before = nullptr;
  for (Envelope* e = first_; e != gone; e = NextOf(*e)) before = e;
  if (before == nullptr) {
    first_ = NextOf(*gone);
  } else {
    before->next = gone->next;
  }
  if (last_ == gone) last_ = before;
  --depth_;
  sender.state = MailWaiter::State::kUnlinked;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAIL_LANE_H_
