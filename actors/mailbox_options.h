// MailboxOptions: what can be chosen for one mailbox when it is opened, and what can be asked of it.
#ifndef TROUPE_ACTORS_MAILBOX_OPTIONS_H_
#define TROUPE_ACTORS_MAILBOX_OPTIONS_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/send_result.h"

namespace troupe {

// Who gets a message when several hold a receive right (Receiver::Share).
enum class Receivers : uint8_t {
  // One of those who wait; if nobody waits, whoever receives next:
  kFirstCome,   // who has waited longest
  kRandom,      // any of them with the same chance (MailboxOptions::seed)
  kRoundRobin,  // each in turn
  // A backlog for each right:
  kByKey,  // MailboxOptions::key decides, so what has the same key has the same receiver, in order;
           // as rights come and go only the keys that must move do, with their backlog
  kAll,  // every one of them gets a copy; if one cannot be made nobody gets any, and the message is
  // a dead letter (SendResult::kDropped). An ask is one of the oldest right: its copy has the
  // Reply, and what becomes of it is what the asker is told, even if others have one; theirs
  // are as if sent
  // Restrictions:
  kOneAtATime,     // while one receive waits, another is refused
  kExclusivePair,  // one sender and one receiver: Share is refused, and so is what anybody sends but
                   // the first who did. A sender is an actor; plain threads are all one, nobody
};

// Whose end is the end of the mailbox.
enum class MailboxOwner : uint8_t {
  kReceiver,  // who holds the receive right: an actor whose member it is, a process whose variable
  kSystem,    // nobody: it lasts until Close or Shutdown, and its backlog outlives its receivers
};

// What becomes of the messages that wait in a mailbox which is closed.
enum class Backlog : uint8_t {
  kDrop,   // they are dead letters (kStopped)
  kDrain,  // they can still be received
};

// A snapshot; of one instant.
struct MailboxStats {
  uint64_t depth = 0;              // messages that wait in the mailbox; kAll: for the slowest right
  absl::Duration oldest_age = {};  // none has waited longer; to a millisecond while actors run
  uint64_t sent = 0;               // taken into the mailbox, or handed to a receiver
  uint64_t received = 0;           // of them
  uint64_t dropped = 0;            // of them, or refused: dead letters
  uint64_t waiting_senders = 0;
  uint64_t waiting_receivers = 0;
  uint32_t capacity = 0;
  bool closed = false;
};

template <class M>
struct MailboxOptions {
  // Messages that may wait. 0: none, so a sender and a receiver meet (rendezvous). The bound is
  // exact, but for what a receiver that ended gives back, or leaves to those who get its keys; with
  // kByKey and kAll it is for each right.
  uint32_t capacity = kUnbounded;
  // kBlock: what waits for room is taken in the order in which it came.
  WhenFull when_full = WhenFull::kBlock;

  Receivers receivers = Receivers::kFirstCome;
  uint64_t seed = 1;  // kRandom
  // kByKey. Quick, the same each time, and it must not throw, nor use the mailbox: it is called under
  // its lock, as are copy constructors of kAll.
  std::function<uint64_t(const M&)> key = {};

  MailboxOwner owner = MailboxOwner::kReceiver;

  // Called when the depth rises to `warn_at`, on the thread whose message that was; again once the
  // depth has been below half of it. It may send, but neither block nor throw.
  uint32_t warn_at = kUnbounded;
  std::function<void(const MailboxStats&)> on_warning = {};
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_MAILBOX_OPTIONS_H_
