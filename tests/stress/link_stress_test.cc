// Links on real threads: they begin and end on both sides at once, and race with ends.
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct LinkTo {
  AnyRef who;
};
struct UnlinkFrom {
  AnyRef who;
};
struct Ping {
  using Reply = void;
};
struct Break {};

class Survivor {
 public:
  explicit Survivor(std::atomic<int>& downs) : downs_(downs) {}
  void On(LinkTo m, Context& self) { self.Link(m.who); }
  void On(UnlinkFrom m, Context& self) { self.Unlink(m.who); }
  void On(Ping) {}
  void On(Break, Context& self) { self.Fail(absl::AbortedError("told to")); }
  void On(const Down&) { ++downs_; }

 private:
  std::atomic<int>& downs_;
};

// Is told of an end after those who are linked have been. (A Join that comes a moment late is not: it
// finds nobody any more, perhaps before the others have been told.)
struct Await {
  using Reply = void;
  AnyRef whom;
};
struct Told {
  using Reply = void;
};
class Observer {
 public:
  void On(Await m, Context& self) { self.Watch(m.whom); }
  void On(Told, Reply<void> reply) {
    waiting_ = std::move(reply);
    if (down_) waiting_.Send();
  }
  void On(const Down&) {
    down_ = true;
    waiting_.Send();
  }

 private:
  Reply<void> waiting_;
  bool down_ = false;
};

void Shake(const ActorRef<Survivor>& a, const ActorRef<Survivor>& b, unsigned seed) {
  std::minstd_rand random(seed);
  for (int i = 0; i < 200; ++i) {
    random() % 2 == 0 ? a.Send(LinkTo{b}) : a.Send(UnlinkFrom{b});
  }
}

// What has been done on one side has been told to the other one when both have answered twice.
void Settle(const ActorRef<Survivor>& a, const ActorRef<Survivor>& b) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(a.Ask(Ping{}, absl::Minutes(5)).Wait().ok());
    ASSERT_TRUE(b.Ask(Ping{}, absl::Minutes(5)).Wait().ok());
  }
}

TEST(LinkStressTest, WhatCrossesComesToAgreement) {
  System system({.workers = 3});
  for (unsigned round = 0; round < 100; ++round) {
    std::atomic<int> downs{0};
    auto a = system.Spawn<Survivor>(downs), b = system.Spawn<Survivor>(downs);
    std::thread other([&] { Shake(b, a, round); });
    Shake(a, b, round + 1000);
    other.join();
    Settle(a, b);
    const bool shall_be_linked = round % 2 == 0;
    shall_be_linked ? b.Send(LinkTo{a}) : b.Send(UnlinkFrom{a});
    Settle(a, b);
    auto observer = system.Spawn<Observer>();
    ASSERT_TRUE(observer.Ask(Await{a}).Wait().ok());
    a.Send(Break{});
    ASSERT_TRUE(observer.Ask(Told{}, absl::Minutes(5)).Wait().ok());
    observer.Stop();
    Settle(b, b);
    ASSERT_EQ(downs.load(), shall_be_linked ? 1 : 0) << "round " << round;
    b.Stop();
    ASSERT_TRUE(system.Join(b, absl::Minutes(5)).ok());
  }
}

TEST(LinkStressTest, WhoEndsWhileOthersLinkWithItTellsEach) {
  System system({.workers = 3});
  for (unsigned round = 0; round < 100; ++round) {
    std::atomic<int> downs{0};
    auto target = system.Spawn<Survivor>(downs);
    std::vector<ActorRef<Survivor>> linked;
    for (int i = 0; i < 6; ++i) linked.push_back(system.Spawn<Survivor>(downs));
    auto observer = system.Spawn<Observer>();
    ASSERT_TRUE(observer.Ask(Await{target}).Wait().ok());
    std::thread ends([&] { target.Send(Break{}); });
    for (const auto& who : linked) who.Send(LinkTo{target});
    ends.join();
    ASSERT_TRUE(observer.Ask(Told{}, absl::Minutes(5)).Wait().ok());
    observer.Stop();
    for (const auto& who : linked) Settle(who, who);
    ASSERT_EQ(downs.load(), 6) << "as a Down of the link, or because there was nobody any more";
    for (const auto& who : linked) who.Stop();
  }
}

}  // namespace
}  // namespace troupe
