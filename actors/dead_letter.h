// A message that no handler will see, and why.
#ifndef TROUPE_ACTORS_DEAD_LETTER_H_
#define TROUPE_ACTORS_DEAD_LETTER_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <source_location>
#include <string>
#include <string_view>

#include "troupe/actors/any_ref.h"

namespace troupe {

enum class DeadLetterReason : uint8_t {
  kNoSuchActor,    // the receiver had ended, or the ref refers to nobody
  kStopped,        // it was queued when its receiver ended
  kFull,           // refused by a full mailbox (SendResult::kFull) or a full stash, or by a right
                   // that has a limit (revocable_recipient.h)
  kDroppedNewest,  // WhenFull::kDropNewest
  kDroppedOldest,  // WhenFull::kDropOldest
  kExpired,     // an ask whose deadline passed while it was queued for a handler, or that closed a
                // cycle; or a send to a mailbox that gave up waiting
  kUnhandled,   // no handler for it in the state that its receiver, a StateMachine, was in
  kNotAllowed,  // SendResult::kNotAllowed
};
inline constexpr int kDeadLetterReasons = 8;

std::string_view ToString(DeadLetterReason reason);
inline std::ostream& operator<<(std::ostream& out, DeadLetterReason reason) {
  return out << ToString(reason);
}

struct DeadLetter {
  DeadLetterReason reason;
  std::string_view message_type;  // qualified type name; valid for the life of the program
  AnyRef target;               // the actor it was for; nobody where `mailbox` says what it was for
  AnyRef sender;               // nobody when it was sent by a plain thread
  std::source_location where;  // the Send
  // The mailbox it was sent to (mailbox.h), as Sender::ToString printed it: "jobs#5e1f09c2". Of one
  // that had ended before the Send the number is left: "#5e1f09c2". Empty: it was for an actor.
  std::string mailbox;
};

// Called on the thread on which the message was lost, possibly on many at once. It may Send; it
// must not block or throw.
using DeadLetterHook = std::function<void(const DeadLetter&)>;

}  // namespace troupe

#endif  // TROUPE_ACTORS_DEAD_LETTER_H_
