// The answer of every Send, and what a full mailbox does.
#ifndef TROUPE_ACTORS_SEND_RESULT_H_
#define TROUPE_ACTORS_SEND_RESULT_H_

#include <cstdint>
#include <ostream>
#include <string_view>

namespace troupe {

// What became of a message at the moment it was sent. Anything but kQueued is also a dead letter,
// so ignoring the answer loses the message but not the fact (System::stats(),
// Options::on_dead_letter). That of a TrySend is one, too, though it is still the sender's. Only what a
// plain thread sends to nobody is not counted: there is no system to count it.
enum class SendResult : uint8_t {
  kQueued,   // in the mailbox; will be handled unless the receiver ends first (then it is a dead
             // letter)
  kFull,     // refused: the mailbox is at its capacity
  kDropped,  // refused by policy: the mailbox is full and drops the newest message
  kClosed,   // refused: the receiver or the right to send to it (revocable_recipient.h) has ended,
             // or the ref refers to nobody
  kNotAllowed,  // refused: the sender has no right to this (Receivers::kExclusivePair, DirectLink)
};

// What Send does when a bounded mailbox is full. Chosen per actor in ActorOptions.
//
// kBlock can deadlock, as every blocking send can: two actors that wait for room at each other wait
// until the system stops. Where messages go in circles bound one side only, or use kFail or TrySend.
// An actor's Send to itself never waits; it says kFull. One to a mailbox whose Receiver the sender holds
// does, for ever if nobody else receives. A coroutine waits for room without a thread by co_await Enqueue
// (enqueue.h, Sender::Enqueue); a Send in it is as in any handler.
enum class WhenFull : uint8_t {
  kBlock,  // wait for room: a plain thread sleeps, a handler lends its worker's place to another
           // thread first
  kFail,   // return kFull
  kDropNewest,  // drop the message being sent, return kDropped
  kDropOldest,  // drop the message that has waited longest, return kQueued
};

std::string_view ToString(SendResult result);
inline std::ostream& operator<<(std::ostream& out, SendResult result) {
  return out << ToString(result);
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_SEND_RESULT_H_
