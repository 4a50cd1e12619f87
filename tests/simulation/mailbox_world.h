// World: a System that does what a program says, step by step, beside a MailboxModel that does, too.
#ifndef TROUPE_TESTS_SIMULATION_MAILBOX_WORLD_H_
#define TROUPE_TESTS_SIMULATION_MAILBOX_WORLD_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/simulation/mailbox_model.h"
#include "tests/simulation/mailbox_program.h"
#include "tests/simulation/mailbox_stage.h"
#include "tests/simulation/mailbox_verdict.h"
#include "troupe/troupe.h"

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h; there what is to be awaited is not
#define TROUPE_MODEL_AWAITS
#endif

namespace troupe {

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
      if (verdict_.wrong()) {
        return "step " + std::to_string(i) + " (" + std::string(ToString(program_.steps[i].kind)) +
               "): " + verdict_.text();
      }
    }
    Turn();
    Compare();
    return verdict_.wrong() ? std::optional(verdict_.text()) : std::nullopt;
  }

  const std::map<int, Outcome>& seen() const { return seen_; }

  // False: the right that it needs has gone meanwhile.
  bool Begins(int op) {
    for (const Place& place : ops_.at(op).from) {
      if (place.share != 0 && boxes_[place.box].rights.count(place.share) == 0) return false;
    }
    events_.push_back({Event::kBegun, op});
    return true;
  }
  void BeginHere(int number, Context& self);
#ifdef TROUPE_MODEL_AWAITS
  Task<> AwaitHere(int number);
#endif
  void HasEnded(int actor) { events_.push_back({Event::kEnded, actor}); }

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
  // In a turn, in their order.
  struct Event {
    enum What { kBegun, kLearned, kEnded } what;
    int number;  // of the operation; of the actor
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
  Outcome OutcomeOf(absl::StatusOr<Received<Job>> job) {
    return job.ok() ? Outcome{absl::StatusCode::kOk, Answered(*job)} : OutcomeOf(job.status());
  }
  template <class... Ms>
  Outcome OutcomeOf(absl::StatusOr<std::variant<Ms...>> job) {
    if (!job.ok()) {
      const std::optional<size_t> of = SelectErrorIndex(job.status());
      return {job.status().code(), of ? static_cast<int>(*of) : MailboxModel::kNo};
    }
    return {absl::StatusCode::kOk, std::visit([this](auto& one) { return Answered(one); }, *job)};
  }
  int Answered(Received<Job>& job) {
    if (job.reply) job.reply.Send(job.message.id);
    Expect("the sender", job.sender, senders_.at(job.message.id));
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
    Replay();
    model_.Run();
    turned_ = true;
  }
  void Replay() {
    for (const Event& event : std::exchange(events_, {})) {
      switch (event.what) {
        case Event::kBegun:
          BeginInModel(event.number);
          break;
        case Event::kLearned:
          model_.Learn(event.number);
          break;
        case Event::kEnded:
          model_.End(event.number);
          break;
      }
    }
  }
  void BeginInModel(int number) {
    const Op& op = ops_.at(number);
    const int actor = op.message.sender;
    const int box = op.from[0].box;
    switch (op.kind) {
      case Kind::kEnqueue:
      case Kind::kDeliver:
        model_.Send(number, actor, box, op.message, op.kind == Kind::kDeliver);
        break;
      case Kind::kAsk:
        model_.Ask(number, actor, box, op.message);
        break;
      case Kind::kClosed:
        model_.AwaitClose(number, actor, box);
        break;
      default:
        model_.Receive(number, actor, op.from);
    }
    if (op.timeout == absl::ZeroDuration()) model_.Expire(number);
  }

  void Do(const Step& step) {
    turned_ = false;
    const int number = static_cast<int>(step.box % boxes_.size());
    Box& box = boxes_[number];
    const std::optional<Place> right = RightFor(step, step.box);
    switch (step.kind) {
      case Kind::kSend:
        return SendFromOutside(step, number);
      case Kind::kTrySend:
        return TrySend(step, number);
      case Kind::kBurst:
        return Burst(step, number, right);
      case Kind::kTryReceive:
        if (right) TryReceive(*right);
        return;
      case Kind::kDrain:
        for (uint32_t i = 0; right && i < 5 * step.number; ++i) TryReceive(*right);
        return;
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
      case Kind::kMove: {
        if (!right) return;
        Receiver<Job> moved = std::move(ReceiverAt(*right));
        ReceiverAt(*right) = std::move(moved);
        return model_.CallOff(*right);
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

  MailboxModel::Message NewMessage(const Step& step, int sender = MailboxModel::kOutside,
                                   const AnyRef& ref = AnyRef()) {
    senders_.push_back(ref);
    return {.id = static_cast<int>(senders_.size()) - 1,
            .key = static_cast<int>(step.number) % kKeys,
            .sender = sender};
  }

  void TrySend(const Step& step, int box) {
    const auto message = NewMessage(step);
    Expect("what TrySend said",
           static_cast<int>(boxes_[box].sender.TrySend(Job(message.id, message.key))),
           static_cast<int>(model_.TrySend(box, message)));
  }
  // Without a look at the mailbox in between, which would close its intake.
  void Burst(const Step& step, int box, std::optional<Place> right) {
    for (uint32_t i = 0; i < 5 * step.number; ++i) {
      TrySend(step, box);
      if (right && i % 8 < step.actor) TryReceive(*right);
    }
  }
  void TryReceive(Place from) {
    auto job = ReceiverAt(from).TryReceive();
    Expect("what TryReceive got", job ? Answered(*job) : MailboxModel::kNo,
           model_.TryReceive(from).value_or(MailboxModel::kNo));
  }

  void BeginSelect(const Step& step) {
    std::vector<Place> from;
    for (uint32_t i = 0; i < boxes_.size(); ++i) {
      if (const auto right = RightFor(step, step.box + i)) from.push_back(*right);
    }
    if (from.size() >= 2) BeginOp(step, std::move(from));
  }

  // It begins when its actor has its turn, as do others.
  void BeginOp(const Step& step, std::vector<Place> places) {
    const int number = next_op_++;
    const Actor& actor = actors_[step.actor];
    const absl::Duration timeout = TimeoutOf(step, number);
    if (timeout != absl::ZeroDuration() && timeout != absl::InfiniteDuration()) {
      deadlines_[stage_.loop.Now() + timeout] = number;
    }
    ops_[number] = {step.kind, step.awaits, std::move(places),
                    NewMessage(step, actor.number, actor.ref), timeout};
    SendBegin(actor.ref, number);
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
    const auto message = NewMessage(step);
    Note(op, {CodeOf(boxes_[box].sender.Send(Job(message.id, message.key)))});
    model_.Send(op, MailboxModel::kOutside, box, message, false);
    while (model_.is_waiting(op) && !deadlines_.empty()) ExpireNext();
    if (model_.is_waiting(op)) model_.Withdraw(op, absl::StatusCode::kResourceExhausted);
    Replay();
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
    const auto message = NewMessage(step);
    const Sender<Job>& out = boxes_[box].sender;
    const Job job(message.id, message.key);
    const absl::Duration none = absl::ZeroDuration();
    Note(op, {(until_taken ? out.Deliver(job, none) : out.Enqueue(job, none)).Wait().code()});
    model_.Send(op, MailboxModel::kOutside, box, message, until_taken);
    model_.Expire(op);
    Replay();
    turned_ = false;
  }
  void ReceiveNow(Place from) {
    Turn();
    const int op = next_op_++;
    Note(op, OutcomeOf(ReceiverAt(from).Receive(absl::ZeroDuration()).Wait()));
    model_.Receive(op, MailboxModel::kOutside, {from});
    model_.Expire(op);
    Replay();
    turned_ = false;
  }

  void AdvanceBy(int ms) {
    Turn();
    const absl::Time until = stage_.loop.Now() + absl::Milliseconds(ms);
    stage_.loop.Advance(absl::Milliseconds(ms));
    while (!deadlines_.empty() && deadlines_.begin()->first <= until) ExpireNext();
    events_.clear();  // all has been learned
    turned_ = true;
  }
  void ExpireNext() {
    const int op = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    model_.Expire(op);
    model_.Run();
  }

  // ---- comparing

  void Note(int op, Outcome outcome) {
    if (!seen_.emplace(op, outcome).second) Expect("the ends of an operation", 2, 1);
    events_.push_back({Event::kLearned, op});
  }
  template <class T>
  void Expect(const std::string& what, const T& is, const T& should) {
    verdict_.Expect(what, is, should);
  }
  void Compare() {
    for (size_t i = 0; i < boxes_.size(); ++i) {
      verdict_.ExpectStats(i, boxes_[i].sender.stats(), model_.stats(static_cast<int>(i)), turned_);
    }
    verdict_.ExpectLetters(stage_.letters, model_.letters());
    if (turned_) verdict_.ExpectOutcomes(seen_, model_.outcomes());
  }

  Stage& stage_;
  const Program& program_;
  MailboxModel model_;
  std::vector<Box> boxes_;
  std::vector<Actor> actors_;
  std::map<int, Op> ops_;
  std::map<absl::Time, int> deadlines_;
  std::map<int, Outcome> seen_;
  std::vector<AnyRef> senders_;  // of the messages
  std::vector<Event> events_;    // that the model does not know of
  Verdict verdict_;
  int next_actor_ = 0;
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
inline void Player::On(Begin begin, Context& self) {
  if (world_.Begins(begin.op)) world_.BeginHere(begin.op, self);
}
#ifdef TROUPE_MODEL_AWAITS
inline ReentrantTask<> Player::On(BeginAwaiting begin) {
  if (world_.Begins(begin.op)) co_await world_.AwaitHere(begin.op);
}
#endif

}  // namespace troupe

#endif  // TROUPE_TESTS_SIMULATION_MAILBOX_WORLD_H_
