// State machines, stashes and idle timers on real threads: what is put off comes once and in order,
// whatever moves, and every message is handled or a dead letter.
#include <atomic>
#include <cstdint>
#include <map>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

constexpr int kSenders = 4;
constexpr int kEach = 5'000;

struct Item {
  using Reply = void;
  int number;
};
struct Flip {};

struct Tally {
  std::atomic<int64_t> handled{0};
  std::atomic<int64_t> failed{0};  // who asked was told
  std::atomic<bool> in_order{true};
};

struct Shut {
  absl::Duration timeout = absl::Milliseconds(1);
};
struct Open {
  absl::Duration timeout = absl::Milliseconds(1);
};

// Opens and shuts by itself. Every seventh item it stashes although it is open.
class Gate {
 public:
  explicit Gate(Tally* tally) : tally_(*tally) {}

  Postponed On(Shut&, const Item&);
  void On(Open&, Item item, Reply<void> reply, Context& self) {
    if (item.number % 7 == 0 && !again_) {
      again_ = true;
      stash_.Add(item, std::move(reply), self);
      return stash_.PutBack(self);
    }
    again_ = false;
    int& next = next_[self.sender()];
    if (item.number < next) tally_.in_order = false;
    next = item.number + 1;
    tally_.handled.fetch_add(1);
    if (reply) reply.Send();
  }
  Open On(Shut&, StateTimeout) { return {}; }
  Shut On(Open&, StateTimeout) { return {}; }
  Open On(Shut&, Flip) { return {}; }
  Shut On(Open&, Flip) { return {}; }

  StateMachine<Shut, Open> state{{.postponed = kSenders * kEach}};

 private:
  Tally& tally_;
  std::map<AnyRef, int> next_;
  bool again_ = false;
  Stash<Gate> stash_{1};
};

struct Begin {
  ActorRef<Gate> to;
};
struct Sender {
  Tally& tally;
  void On(Begin begin, Context& self) {
    for (int i = 0; i < kEach; ++i) {
      if (i % 3 == 0) {
        begin.to.Ask(Item{i}, absl::InfiniteDuration()).Then(self, [this](absl::Status status) {
          if (!status.ok()) tally.failed.fetch_add(1);
        });
      } else {
        begin.to.Send(Item{i});
      }
      if (i % 100 == 0) begin.to.Send(Flip{});
    }
  }
};

void SendAll(System& system, const ActorRef<Gate>& gate, Tally& tally) {
  for (int i = 0; i < kSenders; ++i) system.Spawn(Sender{tally}).Send(Begin{gate});
}

TEST(BehaviourStressTest, WhatIsPutOffIsHandledOnceAndInOrder) {
  for (uint32_t capacity : {kUnbounded, uint32_t{3}}) {
    Tally tally;
    {
      System system({.workers = 3});
      auto gate = system.Spawn<Gate>({.capacity = capacity}, &tally);
      SendAll(system, gate, tally);
      while (tally.handled + tally.failed < kSenders * kEach) std::this_thread::yield();
    }
    if (capacity == kUnbounded) {  // else an ask may find no room
      EXPECT_EQ(tally.failed, 0);
    }
    EXPECT_EQ(tally.handled + tally.failed, kSenders * kEach);
    EXPECT_TRUE(tally.in_order);
  }
}

TEST(BehaviourStressTest, OneThatIsStoppedLeavesNothingUntold) {
  for (int round = 0; round < 20; ++round) {
    Tally tally;
    std::atomic<int64_t> letters{0};
    {
      System system({.workers = 3, .on_dead_letter = [&](const DeadLetter& letter) {
                       if (letter.message_type.find("Item") != std::string_view::npos) ++letters;
                     }});
      auto gate = system.Spawn<Gate>(&tally);
      SendAll(system, gate, tally);
      while (tally.handled < round * 500) std::this_thread::yield();
      gate.Stop();
      while (tally.handled + letters < kSenders * kEach) std::this_thread::yield();
    }
    EXPECT_EQ(tally.handled + letters, kSenders * kEach);
    EXPECT_TRUE(tally.in_order);
  }
}

// Timers look at actors that run, end, and whose cells others get.
struct Touch {};
struct Nap {};
struct Napper {
  std::atomic<int64_t>* naps;
  void OnStart(Context& self) {
    self.SendWhenIdle(absl::Milliseconds(1), self.ref(this), Nap{});
    self.HibernateWhenIdle(absl::Milliseconds(1), this);
  }
  void OnHibernate() { naps->fetch_add(1); }
  void On(Touch) {}
  void On(Nap, Context& self) {
    if (naps->fetch_add(1) % 4 == 0) self.Stop();
  }
};

TEST(BehaviourStressTest, IdleTimersLookAtActorsThatComeAndGo) {
  std::atomic<int64_t> naps{0};
  System system({.workers = 3});
  std::vector<ActorRef<Napper>> nappers(32);
  while (naps < 2'000) {
    for (auto& napper : nappers) {
      if (napper.Send(Touch{}) == SendResult::kClosed) napper = system.Spawn(Napper{&naps});
    }
    std::this_thread::yield();
  }
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
}

}  // namespace
}  // namespace troupe
