// Random programs of actors on the host-driven scheduler, thousands of them, each from its own seed:
// whatever they do, every message is accounted for, in order, and nothing is left over.
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

class World;

// Messages carry who sent them and a number that grows with each message of that sender.
struct Work {
  int from;
  int number;
};
struct Question {
  using Reply = int;
  int value;
};
struct Tick {};

class Node {
 public:
  Node(World& world, int id) : world_(world), id_(id) {}
  ~Node();

  void OnStart(Context& self);
  void On(Work work, Context& self);
  void On(Question question, Reply<int> reply, Context& self);
  void On(Tick, Context& self) { Act(self); }
  void On(Down down, Context& self);

 private:
  void Act(Context& self);
  void SendWork(ActorRef<Node> to);
  void AskSomebody(Context& self);

  World& world_;
  const int id_;
  int sent_ = 0;
  std::map<int, int> last_seen_;  // by sender: its highest number so far
  std::map<AnyRef, int> expected_downs_;
  std::vector<Reply<int>> unanswered_;
};

// Counts itself: how many continuations were made, called and destroyed.
struct Continuations {
  int made = 0;
  int called = 0;
  int destroyed = 0;
};

class World {
 public:
  explicit World(uint64_t seed)
      : random_(seed),
        scheduler_({.start = absl::UnixEpoch(), .seed = seed}),
        system_({.scheduler = &scheduler_,
                 .messages_per_turn = 3,
                 .on_dead_letter = [this](const DeadLetter& letter) { NoteDeadLetter(letter); }}) {}

  void Run() {
    for (int i = 0; i < 4; ++i) Remember(system_.Spawn<Node>(RandomOptions(), *this, NextId()));
    for (int round = 0; round < 40; ++round) {
      PlainSend(Somebody());
      if (Chance(3)) scheduler_.RunOne();
      if (Chance(8)) scheduler_.Advance(absl::Milliseconds(Below(2000)));
    }
    scheduler_.RunUntilIdle();
    EXPECT_TRUE(system_.Shutdown(absl::Seconds(60)).complete);
    Check();
  }

  bool Chance(int one_in) { return Below(one_in) == 0; }
  int Below(int n) { return static_cast<int>(random_() % n); }
  int NextId() { return next_id_++; }
  ActorRef<Node> Somebody() { return all_[Below(static_cast<int>(all_.size()))]; }
  void Remember(ActorRef<Node> node) {
    ++born;
    all_.push_back(node);
  }
  bool MayAct() { return actions_++ < 250; }
  ActorOptions RandomOptions() {
    ActorOptions options;
    if (Chance(3)) {
      options.capacity = 1 + Below(4);
      options.when_full = static_cast<WhenFull>(Below(4));
    }
    return options;
  }

  int born = 0;
  int destroyed = 0;
  int attempts = 0;  // Sends of Work
  int handled = 0;
  Continuations continuations;

 private:
  void PlainSend(ActorRef<Node> to) {
    ++attempts;
    to.Send(Work{-1, plain_number_++});
  }
  void NoteDeadLetter(const DeadLetter& letter) {
    if (letter.message_type == TypeName<Work>()) ++dead_letters_;
  }
  void Check() {
    EXPECT_EQ(attempts, handled + dead_letters_);
    EXPECT_EQ(born, destroyed);
    EXPECT_EQ(continuations.made, continuations.destroyed);
    const SystemStats stats = system_.stats();
    EXPECT_EQ(stats.live, 0u);
    EXPECT_EQ(stats.spawned, stats.ended);
    EXPECT_EQ(scheduler_.next_deadline(), absl::InfiniteFuture()) << "a timer is left";
    EXPECT_TRUE(scheduler_.idle());
  }

  std::mt19937_64 random_;
  std::vector<ActorRef<Node>> all_;  // the ended ones too
  int next_id_ = 0;
  int actions_ = 0;
  int plain_number_ = 0;
  int dead_letters_ = 0;
  ManualScheduler scheduler_;
  System system_;
};

Node::~Node() { ++world_.destroyed; }

void Node::OnStart(Context& self) {
  if (world_.Chance(20)) throw std::runtime_error("OnStart");
  if (world_.Chance(4)) self.SendEvery(absl::Milliseconds(300), self.ref(this), Tick{});
}

void Node::On(Work work, Context& self) {
  ++world_.handled;
  auto [last, first_time] = last_seen_.try_emplace(work.from, -1);
  EXPECT_LT(last->second, work.number) << "out of order";
  last->second = work.number;
  Act(self);
  if (world_.Chance(2)) Act(self);
}

void Node::On(Question question, Reply<int> reply, Context& self) {
  Act(self);
  if (world_.Chance(5)) return;  // drops the reply
  if (world_.Chance(4)) {
    unanswered_.push_back(std::move(reply));
    return;
  }
  reply.Send(question.value + 1);
}

void Node::On(Down down, Context&) {
  auto expected = expected_downs_.find(down.who);
  ASSERT_NE(expected, expected_downs_.end()) << "a Down from one that is not watched";
  expected_downs_.erase(expected);
}

void Node::SendWork(ActorRef<Node> to) {
  ++world_.attempts;
  to.Send(Work{id_, sent_++});
}

void Node::AskSomebody(Context& self) {
  struct Counted {
    explicit Counted(Continuations& c) : all(c) { ++all.made; }
    ~Counted() { ++all.destroyed; }
    Continuations& all;
  };
  const int value = world_.Below(100);
  world_.Somebody()
      .Ask(Question{value}, absl::Milliseconds(100 + world_.Below(900)))
      .Then(self, [this, value, counted = std::make_shared<Counted>(world_.continuations)](
                      absl::StatusOr<int> answer, Context& self) {
        ++counted->all.called;
        EXPECT_EQ(self.ref(this), self.self()) << "on another actor";
        if (answer.ok()) EXPECT_EQ(*answer, value + 1);
        Act(self);
      });
}

void Node::Act(Context& self) {
  if (!world_.MayAct()) return;
  const ActorRef<Node> other = world_.Somebody();
  switch (world_.Below(14)) {
    case 0:
      world_.Remember(self.Spawn<Node>(world_.RandomOptions(), world_, world_.NextId()));
      break;
    case 1:
      other.Stop(world_.Chance(2) ? StopWhen::kNow : StopWhen::kDrained);
      break;
    case 2:
      if (world_.Chance(3)) self.Stop();
      break;
    case 3:
      if (world_.Chance(4)) throw std::runtime_error("a handler");
      break;
    case 4:
      expected_downs_[other] = 1;
      self.Watch(other);
      break;
    case 5:
      self.Unwatch(other);
      expected_downs_.erase(other);
      break;
    case 6:
    case 7:
      AskSomebody(self);
      break;
    case 8:
      for (Reply<int>& reply : unanswered_) reply.Send(absl::CancelledError("late"));
      unanswered_.clear();
      break;
    case 9: {
      TimerHandle timer = self.SendAfter(absl::Milliseconds(world_.Below(500)), other, Tick{});
      if (world_.Chance(3)) EXPECT_TRUE(timer.Cancel());
      break;
    }
    default:
      SendWork(other);
      if (world_.Chance(2)) SendWork(other);
  }
}

TEST(RandomPrograms, EveryMessageIsHandledOnceInOrderOrIsADeadLetter) {
  constexpr uint64_t kPrograms = 3000;
  for (uint64_t seed = 1; seed <= kPrograms && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World(seed).Run();
  }
}

}  // namespace
}  // namespace troupe
