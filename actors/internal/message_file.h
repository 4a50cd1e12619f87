// MessageFile: the messages that a process has taken out of its mailbox and not received yet.
//
//   Operation   Effect
//   Open        before the first message: the file belongs to the actor that runs
//   Add         the message being handled waits here
//   Pass        it does not: it is received at once
//   Take        the oldest of some kinds, from anybody
//   TakeFrom    the oldest of some kinds from one sender
//   Lose        an envelope that Take returned becomes a dead letter
//   LoseAll     all that wait do, oldest first
//
// A kind is a type of message, by its place in the process's list. The envelopes stay closed: so who
// sent them and when, what they ask, and whom to tell of their loss is all still there.
//
// Cost     Each operation but LoseAll is O(kinds asked for), whatever waits.
// Memory   For each message its envelope and 48 bytes; for each sender of whom a kind waits an entry
//          of 41 bytes in a hash table, which is at least 7/16 full and does not shrink.
// Threads  The actor's running thread, but for the destructor.
//
// F1  A message is in the list of its kind, in order of arrival, and in the chain of its kind and
//     sender, which is a subsequence. So who is oldest of his kind is oldest in his chain, too, and
//     chains lose their head only.
// F2  In here a message counts as queued and, in a bounded mailbox, has its room (BoundedQueue, B2).
#ifndef TROUPE_ACTORS_INTERNAL_MESSAGE_FILE_H_
#define TROUPE_ACTORS_INTERNAL_MESSAGE_FILE_H_

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {

class MessageFile {
 public:
  struct Filed;
  struct Kind {
    Filed* oldest = nullptr;
    Filed* newest = nullptr;
  };
  struct Taken {
    Envelope* envelope = nullptr;  // nullptr: there is none
    uint32_t kind = 0;
  };

  MessageFile(Kind* kinds, uint64_t all) : kinds_(kinds), all_(all) {}
  MessageFile(const MessageFile&) = delete;
  MessageFile& operator=(const MessageFile&) = delete;
  ~MessageFile();  // what is left is discarded: its system goes

  void Open();
  void Add(Envelope& e, uint32_t kind) noexcept;  // out of memory ends the process
  void Pass(const Envelope& e);
  // `kinds` is a set of bits.
  Taken Take(uint64_t kinds);
  Taken TakeFrom(uint64_t kinds, const AnyRef& sender);
  void Lose(Envelope& e, DeadLetterReason reason);
  void LoseAll();

 private:
  struct Sender {
    AnyRef ref;
    uint32_t kind;
    friend bool operator==(const Sender&, const Sender&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Sender& sender) {
      return H::combine(std::move(h), sender.ref, sender.kind);
    }
  };

  Filed* Oldest(uint64_t kinds) const;
  Taken Remove(Filed* filed);
  Taken TakeOut(Filed* filed);

  Kind* const kinds_;
  const uint64_t all_;  // the set of them
  absl::flat_hash_map<Sender, Kind> chains_;
  uint64_t added_ = 0;
  ActorCell* cell_ = nullptr;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MESSAGE_FILE_H_
