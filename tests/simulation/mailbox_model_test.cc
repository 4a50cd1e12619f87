// Random programs of mailbox operations, each compared step by step with a model that is too simple
// to be wrong (mailbox_model.h): who got what, who was told what, what was lost and why, and what the
// mailboxes say of themselves.
//
// A failure names its seed and the fewest steps that still show it. TROUPE_SIMULATION_SEED=<seed> runs
// that program alone, and TROUPE_SIMULATION_PROGRAMS=<n> another number of them.
#include "tests/simulation/mailbox_model.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/simulation/mailbox_program.h"
#include "troupe/core/node_pool.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using Outcome = MailboxModel::Outcome;
using Place = MailboxModel::Place;

constexpr int kKeys = 5;

int64_t jobs_alive = 0;
struct Job {
  Job(int id, int key) : id(id), key(key) { ++jobs_alive; }
  Job(const Job& other) : id(other.id), key(other.key) { ++jobs_alive; }
  ~Job() { --jobs_alive; }
  int id;
  int key;
};

// ---- the system under test

class World;
struct Begin {
  int op;
};
class Player {
 public:
  explicit Player(World& world) : world_(world) {}
  void On(Begin begin, Context& self);

 private:
  World& world_;
};

// One for many programs: what one leaves behind would show in the next.
struct Stage {
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

  void BeginHere(int number, Context& self) {
    const Op& op = ops_.at(number);
    const auto told = [this, number](const absl::Status& s) { Note(number, {s.code()}); };
    if (op.kind == Kind::kEnqueue || op.kind == Kind::kDeliver) {
      const Sender<Job>& out = boxes_[op.from[0].box].sender;
      const Job job(op.message.id, op.message.key);
      (op.kind == Kind::kEnqueue ? out.Enqueue(job, op.timeout) : out.Deliver(job, op.timeout))
          .Then(self, told);
      return;
    }
    const auto got = [this, number](absl::StatusOr<Received<Job>> job) {
      Note(number, job.ok() ? Outcome{absl::StatusCode::kOk, job->message.id}
                            : Outcome{job.status().code()});
    };
    const auto one_of = [this, number](auto selected) {
      if (!selected.ok()) return Note(number, {selected.status().code()});
      Note(number, {absl::StatusCode::kOk,
                    std::visit([](auto& job) { return job.message.id; }, *selected)});
    };
    if (op.from.size() == 1) {
      ReceiverAt(op.from[0]).Receive(op.timeout).Then(self, got);
    } else if (op.from.size() == 2) {
      Select(ReceiverAt(op.from[0]), ReceiverAt(op.from[1])).Within(op.timeout).Then(self, one_of);
    } else {
      Select(ReceiverAt(op.from[0]), ReceiverAt(op.from[1]), ReceiverAt(op.from[2]))
          .Within(op.timeout)
          .Then(self, one_of);
    }
  }

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
  Actor SpawnOne() { return {stage_.system.Spawn<Player>(*this), next_actor_++}; }

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
    model_.Run();
    turned_ = true;
  }

  void Do(const Step& step) {
    turned_ = false;
    const int number = static_cast<int>(step.box % boxes_.size());
    Box& box = boxes_[number];
    const std::optional<Place> right = RightFor(step, step.box);
    switch (step.kind) {
      case Kind::kTrySend: {
        const auto message = NewMessage(step, MailboxModel::kOutside);
        Expect("what TrySend said",
               static_cast<int>(box.sender.TrySend(Job(message.id, message.key))),
               static_cast<int>(model_.TrySend(number, message)));
        return;
      }
      case Kind::kTryReceive: {
        if (!right) return;
        const auto job = ReceiverAt(*right).TryReceive();
        Expect("what TryReceive got", job ? job->message.id : MailboxModel::kNo,
               model_.TryReceive(*right).value_or(MailboxModel::kNo));
        return;
      }
      case Kind::kEnqueue:
      case Kind::kDeliver:
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
        model_.Stop(actors_[step.actor].number);
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
    const Op& op =
        ops_[number] = {step.kind, std::move(places), NewMessage(step, actor.number), timeout};
    actor.ref.Send(Begin{number});
    stage_.loop.RunUntilIdle();
    if (step.kind == Kind::kEnqueue || step.kind == Kind::kDeliver) {
      model_.Send(number, actor.number, op.from[0].box, op.message, step.kind == Kind::kDeliver);
    } else {
      model_.Receive(number, actor.number, op.from);
    }
    Turn();
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
    auto job = ReceiverAt(from).Receive(absl::ZeroDuration()).Wait();
    Note(op,
         job.ok() ? Outcome{absl::StatusCode::kOk, job->message.id} : Outcome{job.status().code()});
    model_.Receive(op, MailboxModel::kOutside, {from});
    if (model_.is_waiting(op)) model_.Expire(op);
    turned_ = false;
  }

  void AdvanceBy(int ms) {
    Turn();
    const absl::Time until = stage_.loop.Now() + absl::Milliseconds(ms);
    stage_.loop.Advance(absl::Milliseconds(ms));
    while (!deadlines_.empty() && deadlines_.begin()->first <= until) {
      const int op = deadlines_.begin()->second;
      deadlines_.erase(deadlines_.begin());
      if (model_.is_waiting(op)) model_.Expire(op);
      model_.Run();
    }
    turned_ = true;
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
    const std::string of = " of mailbox " + std::to_string(i);
    const auto compare = [&](const char* what, uint64_t a, uint64_t b) {
      if (a != b) Expect(what + of, a, b);
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
  std::string wrong_;
  int next_actor_ = 0;
  int next_message_ = 1;
  int next_op_ = 0;
  bool turned_ = false;
};

void Player::On(Begin begin, Context& self) { world_.BeginHere(begin.op, self); }

// ---- running them

// What came of all operations and messages.
struct Tally {
  std::map<absl::StatusCode, uint64_t> outcomes;
  std::array<uint64_t, kDeadLetterReasons> letters{};
};

std::optional<std::string> RunOne(Stage& stage, const Program& program, Tally& tally) {
  [[maybe_unused]] const int64_t blocks = OutstandingNodeBlocks();
  std::optional<std::string> wrong;
  {
    World world(stage, program);
    wrong = world.Run();
    for (const auto& [op, outcome] : world.seen()) ++tally.outcomes[outcome.code];
    for (size_t i = 0; i < stage.letters.size(); ++i) tally.letters[i] += stage.letters[i];
  }
  if (!wrong && jobs_alive != 0) wrong = std::to_string(jobs_alive) + " messages are left";
#ifdef TROUPE_SANITIZER  // else each thread keeps some
  if (!wrong && OutstandingNodeBlocks() != blocks) wrong = "blocks are left";
#endif
  jobs_alive = 0;
  return wrong;
}

// The same with every step left out that can be.
Program Shrink(Program program) {
  for (size_t i = program.steps.size(); i-- > 0;) {
    Program less = program;
    less.steps.erase(less.steps.begin() + static_cast<ptrdiff_t>(i));
    Stage stage;
    Tally tally;
    if (RunOne(stage, less, tally)) program = std::move(less);
  }
  return program;
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(MailboxModelTest, MailboxesDoWhatTheModelDoes) {
#ifdef TROUPE_SANITIZER
  constexpr uint64_t kPrograms = 5'000;
#else
  constexpr uint64_t kPrograms = 50'000;
#endif
  const uint64_t only = FromEnvironment("TROUPE_SIMULATION_SEED", 0);
  const uint64_t programs = FromEnvironment("TROUPE_SIMULATION_PROGRAMS", kPrograms);
  const uint64_t first = only != 0 ? only : 1;
  const uint64_t last = only != 0 ? only : programs;
  auto stage = std::make_unique<Stage>();
  Tally tally;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const Program program = Generate(seed);
    const std::optional<std::string> wrong = RunOne(*stage, program, tally);
    if (!wrong) continue;
    const Program least = Shrink(program);
    stage = std::make_unique<Stage>();
    ADD_FAILURE() << "seed " << seed << ": " << *wrong << "\nat least:\n"
                  << least << RunOne(*stage, least, tally).value_or("not alone");
    return;
  }
  if (last - first < 1000) return;
  // The programs did something of everything.
  using enum absl::StatusCode;
  for (const auto code : {kOk, kDeadlineExceeded, kUnavailable, kResourceExhausted,
                          kPermissionDenied, kFailedPrecondition, kCancelled}) {
    EXPECT_GT(tally.outcomes[code], 100u) << absl::StatusCodeToString(code);
  }
  for (size_t i = 0; i < tally.letters.size(); ++i) {
    if (static_cast<DeadLetterReason>(i) == DeadLetterReason::kUnhandled) continue;  // by actors
    EXPECT_GT(tally.letters[i], 100u) << ToString(static_cast<DeadLetterReason>(i));
  }
}

}  // namespace
}  // namespace troupe
