// MailboxModel: what mailboxes promise, as the simplest program that does it: lists, and nobody else.
#ifndef TROUPE_TESTS_SIMULATION_MAILBOX_MODEL_H_
#define TROUPE_TESTS_SIMULATION_MAILBOX_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/troupe.h"

namespace troupe {

// Mailboxes, actors and operations are numbers that whoever drives it gives out. What an actor is
// told it learns in its turn; all else is done at once. Whoever drives it says in which order operations
// began, were learned of, and actors ended.
class MailboxModel {
 public:
  struct Choice {
    uint32_t capacity = kUnbounded;
    WhenFull when_full = WhenFull::kBlock;
    Receivers receivers = Receivers::kFirstCome;
    MailboxOwner owner = MailboxOwner::kReceiver;
    uint64_t seed = 1;
  };
  struct Message {
    int id;
    int key;
    int sender;            // an actor; kOutside
    uint64_t order = 0;    // in which they were taken in
    int waiting_op = kNo;  // who waits until it is taken
    int ask = kNo;         // who waits for an answer, which is the message's number
  };
  // How an operation ended: with a message, or else without. Of an error of a Select the number is the
  // index of the mailbox that it is of.
  struct Outcome {
    absl::StatusCode code;
    int message = kNo;
    friend bool operator==(const Outcome&, const Outcome&) = default;
  };
  struct Place {
    int box;
    uint32_t share;
  };
  static constexpr int kNo = -1;
  static constexpr int kOutside = -1;

  explicit MailboxModel(const std::vector<Choice>& choices) {
    for (const Choice& choice : choices) {
      Box& box = boxes_.emplace_back();
      box.choice = choice;
      box.random = Mix(choice.seed);
      AddShare(static_cast<int>(boxes_.size()) - 1);
    }
  }

  // ---- from outside, at once

  SendResult TrySend(int to, Message message);
  std::optional<int> TryReceive(Place from);
  uint32_t AddShare(int box);  // 0: no
  uint32_t Attach(int box);
  void DropShare(Place right);
  void CallOff(Place right);
  size_t Close(int box, Backlog backlog);
  // ---- by an actor, in its turn

  void Send(int op, int actor, int to, Message message, bool until_taken);
  void Ask(int op, int actor, int to, Message message);
  void AwaitClose(int op, int actor, int box);
  void Receive(int op, int actor, const std::vector<Place>& from);
  void Expire(int op) {
    is_waiting(op) ? Withdraw(op, absl::StatusCode::kDeadlineExceeded) : Forget(op);
  }
  void Withdraw(int op, absl::StatusCode told);

  // The actor has its turn, and learns what came of this, or ends.
  void Learn(int op);
  void End(int actor);
  // All learn what there is.
  void Run();

  const std::map<int, Outcome>& outcomes() const { return outcomes_; }
  const std::array<uint64_t, kDeadLetterReasons>& letters() const { return letters_; }
  bool is_waiting(int op) const {
    const auto found = ops_.find(op);
    return found != ops_.end() && !found->second.outcome.has_value();
  }
  MailboxStats stats(int box) const;

 private:
  struct Lane {
    uint32_t share = 0;
    std::deque<Message> mail;
  };
  struct Waiting {
    int op;
    uint32_t share;  // a receiver's
    Message message;
    bool until_taken = false;
  };
  struct Box {
    Choice choice;
    bool ended = false;
    bool closed = false;
    std::vector<Lane> lanes{1};
    std::deque<Waiting> receivers;
    std::deque<Waiting> senders;
    std::vector<int> close_watchers;
    uint32_t shares = 0;
    uint32_t last_share = 0;
    uint32_t last_served = 0;
    uint64_t random = 0;
    std::optional<int> sender;
    uint64_t sent = 0;
    uint64_t received = 0;
    uint64_t dropped = 0;

    bool one_lane() const {
      return choice.receivers != Receivers::kByKey && choice.receivers != Receivers::kAll;
    }
  };
  struct Op {
    int actor;
    std::vector<Place> at{};  // where it may receive
    std::optional<Outcome> outcome = std::nullopt;
    Place from{};
    std::optional<Message> mail = std::nullopt;
  };
  // Who is told when one thing is done: receivers first.
  class Telling {
   public:
    explicit Telling(MailboxModel& model) : model_(model) {}
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    ~Telling() { model_.Tell(); }

   private:
    MailboxModel& model_;
  };
  enum class Put { kTaken, kFull, kDropped, kClosed, kNotAllowed, kWaits };
  static absl::StatusCode StatusOf(Put put);
  void Refuse(const Message& message, absl::StatusCode why);
  enum class Took { kMail, kEmpty, kClosed, kBusy };

  static uint64_t Mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
  }

  Lane* LaneOf(Box& box, uint32_t share);
  Lane& LaneFor(Box& box, const Message& message);
  Put Accept(Box& box, Message message, bool may_wait, int op, bool until_taken);
  bool PlaceAnywhere(Box& box, Message& message);
  bool PlaceIn(Box& box, Lane& lane, Message message);
  bool HandOver(Box& box, Lane& lane, const Message& message);
  size_t NextReceiver(const Box& box, const Lane& lane) const;
  Took Take(Place from, std::optional<Message>& taken, int op);
  void LinkInVain(Place from, int op);
  void Forget(int op);
  void PutBack(Place from, Message message);
  void Insert(Lane& lane, Message message);
  void Withdraw(int op);
  void Admit(Box& box);
  void Redistribute(Box& box);
  void DropMail(Box& box, Lane& lane);
  void TurnAway(Box& box, uint32_t share, absl::StatusCode why);
  size_t CloseBox(Box& box, Backlog backlog);
  void EndIfDrained(Box& box);
  void Settle(int op, Outcome outcome);
  Outcome TurnedAway(int op, Place from, absl::StatusCode why) const;
  void Tell();
  void Lose(DeadLetterReason reason) { ++letters_[static_cast<size_t>(reason)]; }
  void Answer(const Message& message);
  int NumberOf(const Box& box) const { return static_cast<int>(&box - boxes_.data()); }

  std::vector<Box> boxes_;
  std::map<int, Op> ops_;
  std::vector<int> settled_;                 // and not yet told
  std::map<int, std::vector<int>> arrived_;  // by actor
  std::map<int, Outcome> outcomes_;
  std::array<uint64_t, kDeadLetterReasons> letters_{};
  uint64_t last_order_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SIMULATION_MAILBOX_MODEL_H_
