// Mail: a message on its way out of a mailbox.
#ifndef TROUPE_ACTORS_INTERNAL_MAIL_H_
#define TROUPE_ACTORS_INTERNAL_MAIL_H_

#include <cstdint>
#include <utility>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {

class MailboxCell;

// A mailbox as its users hold it: the cell, and which of those that were and will be there.
struct MailboxId {
  MailboxCell* cell = nullptr;
  uint64_t incarnation = 0;
  friend bool operator==(const MailboxId&, const MailboxId&) = default;
};

// Of a message that was taken in: which of all it is, and when that was.
struct MailStamp {
  uint32_t order = 0;  // goes round at 2^31
  uint32_t since_ms = 0;
};

// One receive right, without its type.
struct MailSource {
  MailboxId id;
  uint32_t share = 0;
  friend bool operator==(const MailSource&, const MailSource&) = default;
};

// A message that was taken out. If nobody opens it, it goes back.
class Mail {
 public:
  Mail() = default;
  Mail(MailboxId from, uint32_t share, Envelope& e, MailStamp stamp)
      : from_(from), envelope_(&e), stamp_(stamp), share_(share) {}
  Mail(Mail&& other) noexcept
      : from_(other.from_),
        envelope_(std::exchange(other.envelope_, nullptr)),
        stamp_(other.stamp_),
        share_(other.share_) {}
  Mail& operator=(Mail&& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(envelope_, other.envelope_);
    std::swap(stamp_, other.stamp_);
    std::swap(share_, other.share_);
    return *this;
  }
  ~Mail() {
    if (envelope_ != nullptr) [[unlikely]]
      GoBack();
  }

  explicit operator bool() const { return envelope_ != nullptr; }
  // By which right.
  MailSource source() const { return {from_, share_}; }
  const AnyRef& sender() const { return envelope_->sender; }
  Envelope& Unpack() { return *std::exchange(envelope_, nullptr); }

 private:
  void GoBack();

  MailboxId from_;
  Envelope* envelope_ = nullptr;
  MailStamp stamp_;
  uint32_t share_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAIL_H_
