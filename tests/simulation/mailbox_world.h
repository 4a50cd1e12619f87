// World: a System that does what a program says, step by step, beside a MailboxModel that does, too.
#ifndef TROUPE_TESTS_SIMULATION_MAILBOX_WORLD_H_
#define TROUPE_TESTS_SIMULATION_MAILBOX_WORLD_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/simulation/mailbox_model.h"
#include "tests/simulation/mailbox_program.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h; there what is to be awaited is not
#define TROUPE_MODEL_AWAITS
#endif

namespace troupe {

inline constexpr int kKeys = 5;

inline int64_t jobs_alive = 0;
struct Job {
  using Reply = int;
  Job(int id, int key) : id(id), key(key) { ++jobs_alive; }
  Job(const Job& other) : id(other.id), key(other.key) { ++jobs_alive; }
  ~Job() { --jobs_alive; }
  int id;
  int key;
};

class World;
struct Begin {
  int op;
};
struct BeginAwaiting {
  int op;
};
class Player {
 public:
  Player(World& world, int number) : world_(world), number_(number) {}
  ~Player();
  void On(Begin begin, Context& self);
#ifdef TROUPE_MODEL_AWAITS
  ReentrantTask<> On(BeginAwaiting begin);
#endif

 private:
  World& world_;
  const int number_;
};

struct Stage {
  explicit Stage(uint64_t seed) : loop({.seed = seed}) {}
  ManualScheduler loop;
  std::array<uint64_t, kDeadLetterReasons> letters{};
  System system{{.scheduler = &loop, .on_dead_letter = [this](const DeadLetter& letter) {
                   if (letter.message_type.ends_with("Job")) {
                     ++letters[static_cast<size_t>(letter.reason)];
                   }
                 }}};
};

class World {
 public:
  using Outcome = MailboxModel::Outcome;
  using Place = MailboxModel::Place;

  World(Stage& stage, const Program& program)
      : stage_(stage), program_(program), model_(program.boxes) {
    stage_.letters = {};
    for (size_t i = 0; i < program.boxes.size(); ++i) Open(program.boxes[i], i);
    for (size_t i = 0; i < kPlayers; ++i) actors_.push_back(SpawnOne());
  }
  ~World() {
    for (const Actor& actor : actors_) actor.ref.Stop();
    stage_.loop.RunUntilIdle();
    for (Box& box : boxes_) {
      if (box.rights.empty()) AttachTo(box);
      if (!box.rights.empty()) box.rights.begin()->second.Close(Backlog::kDrop);
    }
    stage_.loop.RunUntilIdle();
  }

  // What differs, or nothing.
  std::optional<std::string> Run() {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      Do(program_.steps[i]);
      Compare();
      if (!wrong_.empty()) {
        return "step " + std::to_string(i) + " (" + std::string(ToString(program_.steps[i].kind)) +
               "): " + wrong_;
      }
    }
    Turn();
    Compare();
    return wrong_.empty() ? std::nullopt : std::optional(wrong_);
  }

  const std::map<int, Outcome>& seen() const { return seen_; }

  void BeginHere(int number, Context& self);
#ifdef TROUPE_MODEL_AWAITS
  Task<> AwaitHere(int number);
#endif
  void HasEnded(int actor) { ended_.push_back(actor); }

 private:
  struct Box {
    MailboxModel::Choice choice;
    Sender<Job> sender;
    std::map<uint32_t, Receiver<Job>> rights;  // by share
    std::string name;
  };
  struct Actor {
    ActorRef<Player> ref;
    int number;
  };
  struct Op {
    Kind kind;
    bool awaits;
    std::vector<Place> from;  // or to
    MailboxModel::Message message;
    absl::Duration timeout;
  };

  void Open(const MailboxModel::Choice& choice, size_t i) {
    MailboxOptions<Job> options{.capacity = choice.capacity,
                                .when_full = choice.when_full,
                                .receivers = choice.receivers,
                                .seed = choice.seed,
                                .owner = choice.owner};
    if (choice.receivers == Receivers::kByKey) {
      options.key = [](const Job& job) { return static_cast<uint64_t>(job.key); };
    }
    std::string name = "mailbox " + std::to_string(i);
    auto [sender, receiver] = stage_.system.OpenMailbox<Job>(name, std::move(options));
    Box& box = boxes_.emplace_back();
    box = {.choice = choice, .sender = sender, .rights = {}, .name = std::move(name)};
    const uint32_t share = receiver.share();
    box.rights.emplace(share, std::move(receiver));
  }
  Actor SpawnOne() {
    const int number = next_actor_++;
    return {stage_.system.Spawn<Player>(*this, number), number};
  }

  template <class Use>
  auto WithPending(const Op& op, Use use) {
    const Sender<Job>& out = boxes_[op.from[0].box].sender;
    const Job job(op.message.id, op.message.key);
    switch (op.kind) {
      case Kind::kEnqueue:
        return use(out.Enqueue(job, op.timeout));
      case Kind::kDeliver:
        return use(out.Deliver(job, op.timeout));
      case Kind::kAsk:
        return use(out.Ask(job, op.timeout));
      case Kind::kClosed:
        return use(out.Closed(op.timeout));
      default:
        break;
    }
    Receiver<Job>& first = ReceiverAt(op.from[0]);
    if (op.from.size() == 1) return use(first.Receive(op.timeout));
    Receiver<Job>& second = ReceiverAt(op.from[1]);
    if (op.from.size() == 2) return use(Select(first, second).Within(op.timeout));
    return use(Select(first, second, ReceiverAt(op.from[2])).Within(op.timeout));
  }
#ifdef TROUPE_MODEL_AWAITS
  template <class Pending>
  Task<> Await(int number, Pending pending) {
    Note(number, OutcomeOf(co_await std::move(pending)));
  }
#endif

  static Outcome OutcomeOf(const absl::Status& status) { return {status.code()}; }
  static Outcome OutcomeOf(const absl::StatusOr<int>& answer) {
    return answer.ok() ? Outcome{absl::StatusCode::kOk, *answer} : OutcomeOf(answer.status());
  }
  static Outcome OutcomeOf(absl::StatusOr<Received<Job>> job) {
    return job.ok() ? Outcome{absl::StatusCode::kOk, Answered(*job)} : OutcomeOf(job.status());
  }
  template <class... Ms>
  static Outcome OutcomeOf(absl::StatusOr<std::variant<Ms...>> job) {
    if (!job.ok()) return OutcomeOf(job.status());
    return {absl::StatusCode::kOk, std::visit([](auto& one) { return Answered(one); }, *job)};
  }
  static int Answered(Received<Job>& job) {
    if (job.reply) job.reply.Send(job.message.id);
    return job.message.id;
  }

  Receiver<Job>& ReceiverAt(Place place) { return boxes_[place.box].rights.at(place.share); }
  std::optional<Place> RightFor(const Step& step, uint32_t box) const {
    const int number = static_cast<int>(box % boxes_.size());
    const auto& rights = boxes_[number].rights;
    if (rights.empty()) return std::nullopt;
    return Place{number, std::next(rights.begin(), step.share % rights.size())->first};
  }
  uint32_t AttachTo(Box& box) {
    auto right = stage_.system.AttachReceiver<Job>(box.name);
    if (!right.ok()) return 0;
    const uint32_t share = right->share();
    box.rights.emplace(share, *std::move(right));
    return share;
  }

  void Turn() {
    stage_.loop.RunUntilIdle();
    model_.Run(std::exchange(ended_, {}));
    turned_ = true;
  }

  void Do(const Step& step) {
    turned_ = false;
    const int number = static_cast<int>(step.box % boxes_.size());
    Box& box = boxes_[number];
    const std::optional<Place> right = RightFor(step, step.box);
    switch (step.kind) {
      case Kind::kSend:
        return SendFromOutside(step, number);
      case Kind::kTrySend: {
        const auto message = NewMessage(step, MailboxModel::kOutside);
        Expect("what TrySend said",
               static_cast<int>(box.sender.TrySend(Job(message.id, message.key))),
               static_cast<int>(model_.TrySend(number, message)));
        return;
      }
      case Kind::kTryReceive: {
        if (!right) return;
        auto job = ReceiverAt(*right).TryReceive();
        Expect("what TryReceive got", job ? Answered(*job) : MailboxModel::kNo,
               model_.TryReceive(*right).value_or(MailboxModel::kNo));
        return;
      }
      case Kind::kEnqueue:
      case Kind::kDeliver:
      case Kind::kAsk:
      case Kind::kClosed:
        return BeginOp(step, {{number, 0}});
      case Kind::kReceive:
        if (right) BeginOp(step, {*right});
        return;
      case Kind::kSelect:
        return BeginSelect(step);
      case Kind::kEnqueueNow:
      case Kind::kDeliverNow:
        return SendNow(step, number);
      case Kind::kReceiveNow:
        if (right) ReceiveNow(*right);
        return;
      case Kind::kShare: {
        if (!right || box.rights.size() >= 4) return;
        auto share = ReceiverAt(*right).Share();
        Expect("the share", share.ok() ? share->share() : 0, model_.AddShare(number));
        if (share.ok()) box.rights.emplace(share->share(), *std::move(share));
        return;
      }
      case Kind::kDropShare:
        if (!right) return;
        box.rights.erase(right->share);
        return model_.DropShare(*right);
      case Kind::kAttach:
        if (!box.rights.empty()) return;
        return Expect("the share", AttachTo(box), model_.Attach(number));
      case Kind::kClose: {
        if (!right) return;
        const Backlog backlog = step.number % 2 == 0 ? Backlog::kDrop : Backlog::kDrain;
        return Expect("what Close left", ReceiverAt(*right).Close(backlog),
                      model_.Close(number, backlog));
      }
      case Kind::kStop:
        actors_[step.actor].ref.Stop();
        actors_[step.actor] = SpawnOne();
        return;
      case Kind::kAdvance:
        return AdvanceBy(static_cast<int>(step.number));
      case Kind::kRun:
        return Turn();
    }
  }

  MailboxModel::Message NewMessage(const Step& step, int sender) {
    return {.id = next_message_++, .key = static_cast<int>(step.number) % kKeys, .sender = sender};
  }

  void BeginSelect(const Step& step) {
    std::vector<Place> from;
    for (uint32_t i = 0; i < boxes_.size(); ++i) {
      const std::optional<Place> right = RightFor(step, step.box + i);
      // At random, the model does not know of those who have been served elsewhere.
      if (right && boxes_[right->box].choice.receivers != Receivers::kRandom) {
        from.push_back(*right);
      }
    }
    if (from.size() >= 2) BeginOp(step, std::move(from));
  }

  void BeginOp(const Step& step, std::vector<Place> places) {
    Turn();
    const int number = next_op_++;
    const Actor& actor = actors_[step.actor];
    // No two deadlines are the same.
    const absl::Duration timeout =
        step.number < 8 ? absl::InfiniteDuration()
                        : absl::Milliseconds(step.number) + absl::Microseconds(1 + number);
    if (timeout != absl::InfiniteDuration()) {
      deadlines_[stage_.loop.Now() + timeout] = number;
    }
    const Op& op = ops_[number] = {step.kind, step.awaits, std::move(places),
                                   NewMessage(step, actor.number), timeout};
    SendBegin(actor.ref, number);
    stage_.loop.RunUntilIdle();
    const int box = op.from[0].box;
    switch (step.kind) {
      case Kind::kEnqueue:
      case Kind::kDeliver:
        model_.Send(number, actor.number, box, op.message, step.kind == Kind::kDeliver);
        break;
      case Kind::kAsk:
        model_.Ask(number, actor.number, box, op.message);
        break;
      case Kind::kClosed:
        model_.AwaitClose(number, actor.number, box);
        break;
      default:
        model_.Receive(number, actor.number, op.from);
    }
    Turn();
  }
  void SendBegin(const ActorRef<Player>& who, int op) {
#ifdef TROUPE_MODEL_AWAITS
    if (ops_.at(op).awaits) {
      who.Send(BeginAwaiting{op});
      return;
    }
#endif
    who.Send(Begin{op});
  }

  // Where it waits for room it turns the loop and lets time pass, until somebody gives up or nobody can.
  void SendFromOutside(const Step& step, int box) {
    Turn();
    const int op = next_op_++;
    const auto message = NewMessage(step, MailboxModel::kOutside);
    Note(op, {CodeOf(boxes_[box].sender.Send(Job(message.id, message.key)))});
    model_.Send(op, MailboxModel::kOutside, box, message, false);
    while (model_.is_waiting(op) && !deadlines_.empty()) ExpireNext();
    if (model_.is_waiting(op)) model_.Withdraw(op, absl::StatusCode::kResourceExhausted);
    turned_ = false;
  }
  static absl::StatusCode CodeOf(SendResult result) {
    if (result == SendResult::kQueued) return absl::StatusCode::kOk;
    if (result == SendResult::kClosed) return absl::StatusCode::kUnavailable;
    return result == SendResult::kNotAllowed ? absl::StatusCode::kPermissionDenied
                                             : absl::StatusCode::kResourceExhausted;
  }
  void SendNow(const Step& step, int box) {
    Turn();
    const int op = next_op_++;
    const bool until_taken = step.kind == Kind::kDeliverNow;
    const auto message = NewMessage(step, MailboxModel::kOutside);
    const Sender<Job>& out = boxes_[box].sender;
    const Job job(message.id, message.key);
    const absl::Duration none = absl::ZeroDuration();
    Note(op, {(until_taken ? out.Deliver(job, none) : out.Enqueue(job, none)).Wait().code()});
    model_.Send(op, MailboxModel::kOutside, box, message, until_taken);
    if (model_.is_waiting(op)) model_.Expire(op);
    turned_ = false;
  }
  void ReceiveNow(Place from) {
    Turn();
    const int op = next_op_++;
    Note(op, OutcomeOf(ReceiverAt(from).Receive(absl::ZeroDuration()).Wait()));
    model_.Receive(op, MailboxModel::kOutside, {from});
    if (model_.is_waiting(op)) model_.Expire(op);
    turned_ = false;
  }

  void AdvanceBy(int ms) {
    Turn();
    const absl::Time until = stage_.loop.Now() + absl::Milliseconds(ms);
    stage_.loop.Advance(absl::Milliseconds(ms));
    while (!deadlines_.empty() && deadlines_.begin()->first <= until) ExpireNext();
    turned_ = true;
  }
  void ExpireNext() {
    const int op = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    if (model_.is_waiting(op)) model_.Expire(op);
    model_.Run({});
  }

  // ---- comparing

  void Note(int op, Outcome outcome) {
    if (!seen_.emplace(op, outcome).second)
      wrong_ += "operation " + std::to_string(op) + " ended twice; ";
  }
  template <class T>
  void Expect(const std::string& what, T is, T should) {
    if (is == should) return;
    std::ostringstream text;
    text << what << " is " << is << " and should be " << should << "; ";
    wrong_ += text.str();
  }

  void Compare() {
    for (size_t i = 0; i < boxes_.size(); ++i) CompareStats(i);
    for (size_t i = 0; i < stage_.letters.size(); ++i) {
      if (stage_.letters[i] == model_.letters()[i]) continue;
      Expect("letters (" + std::string(ToString(static_cast<DeadLetterReason>(i))) + ")",
             stage_.letters[i], model_.letters()[i]);
    }
    if (!turned_ || seen_ == model_.outcomes()) return;
    for (const auto& [op, outcome] : model_.outcomes()) ExpectSeen(op, outcome);
    Expect("the number of ended operations", seen_.size(), model_.outcomes().size());
  }
  void ExpectSeen(int op, const Outcome& outcome) {
    const auto seen = seen_.find(op);
    const Outcome got = seen != seen_.end() ? seen->second : Outcome{absl::StatusCode::kUnknown};
    const std::string what = "operation " + std::to_string(op);
    Expect(what + "'s status", absl::StatusCodeToString(got.code),
           absl::StatusCodeToString(outcome.code));
    Expect(what + "'s message", got.message, outcome.message);
  }
  void CompareStats(size_t i) {
    const MailboxStats is = boxes_[i].sender.stats();
    const MailboxStats should = model_.stats(static_cast<int>(i));
    const auto compare = [&](const char* what, uint64_t a, uint64_t b) {
      if (a != b) Expect(what + (" of mailbox " + std::to_string(i)), a, b);
    };
    compare("depth", is.depth, should.depth);
    compare("sent", is.sent, should.sent);
    compare("received", is.received, should.received);
    compare("dropped", is.dropped, should.dropped);
    compare("waiting senders", is.waiting_senders, should.waiting_senders);
    compare("closed", is.closed, should.closed);
    // Else some may have been served elsewhere and not know it.
    if (turned_) compare("waiting receivers", is.waiting_receivers, should.waiting_receivers);
  }

  Stage& stage_;
  const Program& program_;
  MailboxModel model_;
  std::vector<Box> boxes_;
  std::vector<Actor> actors_;
  std::map<int, Op> ops_;
  std::map<absl::Time, int> deadlines_;
  std::map<int, Outcome> seen_;
  std::vector<int> ended_;  // actors, since the last turn
  std::string wrong_;
  int next_actor_ = 0;
  int next_message_ = 1;
  int next_op_ = 0;
  bool turned_ = false;
};

inline void World::BeginHere(int number, Context& self) {
  WithPending(ops_.at(number), [&](auto pending) {
    std::move(pending).Then(
        self, [this, number](auto result) { Note(number, OutcomeOf(std::move(result))); });
  });
}
#ifdef TROUPE_MODEL_AWAITS
inline Task<> World::AwaitHere(int number) {
  return WithPending(ops_.at(number),
                     [&](auto pending) { return Await(number, std::move(pending)); });
}
#endif

inline Player::~Player() { world_.HasEnded(number_); }
inline void Player::On(Begin begin, Context& self) { world_.BeginHere(begin.op, self); }
#ifdef TROUPE_MODEL_AWAITS
inline ReentrantTask<> Player::On(BeginAwaiting begin) { co_await world_.AwaitHere(begin.op); }
#endif

}  // namespace troupe

#endif  // TROUPE_TESTS_SIMULATION_MAILBOX_WORLD_H_
