#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/hold.h"
#include "troupe/actors/internal/links.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct LinkTo {
  AnyRef who;
};
struct UnlinkFrom {
  AnyRef who;
};
struct WatchToo {
  AnyRef who;
};
struct End {};
struct Break {};

// Does not survive a bad end of those with whom it is linked.
class Mortal {
 public:
  void On(LinkTo m, Context& self) { self.Link(m.who); }
  void On(UnlinkFrom m, Context& self) { self.Unlink(m.who); }
  void On(WatchToo m, Context& self) { self.Watch(m.who); }
  void On(End, Context& self) { self.Stop(); }
  void On(Break) { throw std::runtime_error("broken"); }
};

// Is told instead.
class Survivor : public Mortal {
 public:
  explicit Survivor(std::vector<Down>& downs) : downs_(downs) {}
  using Mortal::On;
  void On(Down down) { downs_.push_back(std::move(down)); }

 private:
  std::vector<Down>& downs_;
};

class LinkTest : public Simulated {
 protected:
  bool Lives(const AnyRef& who) {
    for (const ActorStats& actor : system_.actors()) {
      if (actor.ref == who) return true;
    }
    return false;
  }
  template <class A>
  void Do(const ActorRef<A>& who, auto message) {
    who.Send(std::move(message));
    Run();
  }

  std::vector<Down>& downs_ = Keep<std::vector<Down>>();
};

TEST_F(LinkTest, WhoeverFailsTakesTheOtherAlong) {
  for (const bool first_fails : {true, false}) {
    auto a = system_.Spawn<Mortal>(), b = system_.Spawn<Mortal>();
    Do(a, LinkTo{b});
    Do(first_fails ? a : b, Break{});
    EXPECT_FALSE(Lives(a));
    EXPECT_FALSE(Lives(b));
  }
}

TEST_F(LinkTest, TheOtherOneFailsAndSaysWithWhom) {
  auto a = system_.Spawn<Mortal>(), b = system_.Spawn<Mortal>();
  auto survivor = system_.Spawn<Survivor>(downs_);
  Do(survivor, WatchToo{b});
  Do(a, LinkTo{b});
  Do(a, Break{});
  ASSERT_EQ(downs_.size(), 1u);
  EXPECT_EQ(downs_[0].reason, ExitReason::kFailed);
  EXPECT_NE(downs_[0].status.message().find("with which it was linked"), std::string::npos)
      << downs_[0].status;
  EXPECT_NE(downs_[0].status.message().find("broken"), std::string::npos);
}

TEST_F(LinkTest, AnOrdinaryEndLeavesTheOtherAlone) {
  auto a = system_.Spawn<Mortal>(), b = system_.Spawn<Mortal>();
  Do(a, LinkTo{b});
  Do(a, End{});
  EXPECT_FALSE(Lives(a));
  EXPECT_TRUE(Lives(b));
}

TEST_F(LinkTest, WhoHandlesDownIsToldThoughItDidNotAsk) {
  auto survivor = system_.Spawn<Survivor>(downs_);
  auto a = system_.Spawn<Mortal>(), b = system_.Spawn<Mortal>();
  Do(a, LinkTo{survivor});
  Do(b, LinkTo{survivor});
  Do(a, Break{});
  Do(b, End{});
  ASSERT_EQ(downs_.size(), 2u);
  EXPECT_EQ(downs_[0].who, a);
  EXPECT_EQ(downs_[0].reason, ExitReason::kFailed);
  EXPECT_EQ(downs_[1].who, b);
  EXPECT_EQ(downs_[1].reason, ExitReason::kNormal);
  EXPECT_TRUE(Lives(survivor));
}

TEST_F(LinkTest, LinkingTwiceFromBothSidesIsLinkingOnce) {
  auto a = system_.Spawn<Survivor>(downs_), b = system_.Spawn<Survivor>(downs_);
  a.Send(LinkTo{b});
  b.Send(LinkTo{a});
  a.Send(LinkTo{b});
  Run();
  Do(a, End{});
  EXPECT_EQ(downs_.size(), 1u);
}

TEST_F(LinkTest, EitherSideMayUnlink) {
  for (const bool first_unlinks : {true, false}) {
    auto a = system_.Spawn<Mortal>(), b = system_.Spawn<Mortal>();
    Do(a, LinkTo{b});
    first_unlinks ? Do(a, UnlinkFrom{b}) : Do(b, UnlinkFrom{a});
    Do(a, Break{});
    EXPECT_TRUE(Lives(b));
    Do(b, Break{});
  }
}

TEST_F(LinkTest, AWatchStaysWhenTheLinkIsGoneAndWhoHasBothIsToldOnce) {
  auto survivor = system_.Spawn<Survivor>(downs_);
  auto a = system_.Spawn<Mortal>(), b = system_.Spawn<Mortal>();
  for (const auto& who : {a, b}) {
    Do(survivor, WatchToo{who});
    Do(survivor, LinkTo{who});
  }
  Do(survivor, UnlinkFrom{a});
  Do(a, End{});
  Do(b, End{});
  EXPECT_EQ(downs_.size(), 2u);
}

TEST_F(LinkTest, ADownThatIsAlreadyQueuedIsNotDeliveredAfterUnlink) {
  auto survivor = system_.Spawn<Survivor>(downs_);
  auto a = system_.Spawn<Mortal>();
  Do(survivor, LinkTo{a});
  survivor.Send(UnlinkFrom{a});  // in the mailbox before the Down
  a.Send(Break{});
  Run();
  EXPECT_TRUE(downs_.empty());
}

TEST_F(LinkTest, WhoLinksWithAnEndedActorOrNobodyFails) {
  auto ended = system_.Spawn<Mortal>();
  Do(ended, End{});
  for (const AnyRef& who : {AnyRef(ended), AnyRef()}) {
    auto a = system_.Spawn<Mortal>();
    Do(a, LinkTo{who});
    EXPECT_FALSE(Lives(a));
    auto survivor = system_.Spawn<Survivor>(downs_);
    Do(survivor, LinkTo{who});
    EXPECT_EQ(downs_.back().reason, ExitReason::kNoSuchActor);
  }
}

TEST_F(LinkTest, LinkingWithOneselfDoesNothing) {
  auto a = system_.Spawn<Survivor>(downs_);
  Do(a, LinkTo{a});
  Do(a, Break{});
  EXPECT_TRUE(downs_.empty());
}

TEST_F(LinkTest, AFailureGoesAllTheWayRoundACircle) {
  std::vector<ActorRef<Mortal>> ring;
  for (int i = 0; i < 5; ++i) ring.push_back(system_.Spawn<Mortal>());
  for (int i = 0; i < 5; ++i) Do(ring[i], LinkTo{ring[(i + 1) % 5]});
  Do(ring[2], Break{});
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(LinkTest, AnActorThatEndsWithADownInItsMailboxForgetsIt) {
  auto a = system_.Spawn<Mortal>(), b = system_.Spawn<Mortal>();
  Do(a, LinkTo{b});
  a.Send(Break{});
  b.Send(Break{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(LinkTest, ALifeThatEndsEndsItsLinksAndTheOtherIsTold) {
  SupervisorTree tree(system_);
  auto child = tree.Add<Mortal>({.name = "child"});
  tree.Start();
  Run();
  auto survivor = system_.Spawn<Survivor>(downs_);
  Do(survivor, LinkTo{child});
  Do(survivor, WatchToo{child});
  Do(child, Break{});
  ASSERT_EQ(downs_.size(), 1u);  // of the life
  EXPECT_EQ(downs_[0].who, child);
  EXPECT_EQ(downs_[0].reason, ExitReason::kFailed);
  Do(survivor, Break{});
  EXPECT_TRUE(Lives(child)) << "its next life is linked with nobody";
  Do(child, End{});
}

TEST_F(LinkTest, ALinkWithTheNextLifeIsAnother) {
  SupervisorTree tree(system_);
  auto child = tree.Add<Mortal>({.name = "child"});
  tree.Start();
  Run();
  auto a = system_.Spawn<Survivor>(downs_);
  Do(a, LinkTo{child});
  Do(child, Break{});
  Do(a, LinkTo{child});
  Do(child, Break{});
  EXPECT_EQ(downs_.size(), 2u);
}

// Links in each life.
class Clinging : public Mortal {
 public:
  explicit Clinging(const AnyRef& to) : to_(to) {}
  void OnStart(Context& self) { self.Link(to_); }

 private:
  const AnyRef to_;
};

// Lets messages wait until it is told to go on.
struct WaitForGo {};
struct Go {
  using Reply = void;
};
class Waiting : public Survivor {
 public:
  Waiting(std::vector<Down>& downs, const Recipient<Go>& until) : Survivor(downs), until_(until) {}
  using Survivor::On;
  void On(WaitForGo, Context& self) {
    HoldUntil(self, until_.Ask(Go{}, absl::InfiniteDuration()), [](const absl::Status&) {});
  }

 private:
  const Recipient<Go> until_;
};
struct Gate {
  std::vector<Reply<void>>& waiting;
  void On(Go, Reply<void> reply) { waiting.push_back(std::move(reply)); }
};

// The next life's Link comes as a control, and so before the end of the last one.
TEST_F(LinkTest, ALinkThatTheNextLifeBeginsStandsThoughItComesBeforeTheEndOfTheLast) {
  auto& gate = Keep<std::vector<Reply<void>>>();
  auto survivor = system_.Spawn<Waiting>(downs_, system_.Spawn(Gate{gate}));
  SupervisorTree tree(system_);
  auto child = tree.Add<Clinging>({.name = "child"}, survivor);
  tree.Start();
  Run();
  Do(survivor, WaitForGo{});
  Do(child, Break{});
  EXPECT_TRUE(downs_.empty());
  ASSERT_EQ(gate.size(), 1u);
  gate.back().Send();
  Run();
  EXPECT_EQ(downs_.size(), 1u);
  Do(child, Break{});
  EXPECT_EQ(downs_.size(), 2u) << "of the second life, with which it is linked";
  Do(survivor, Break{});
  Do(child, End{});
}

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h

TEST_F(LinkTest, AProcessSurvivesIfItListsDown) {
  using Careless = Process<LinkTo>;
  using Careful = Process<LinkTo, Down>;
  auto a = system_.Spawn<Mortal>();
  auto careless = system_.Spawn([](Careless& self) -> Task<> {
    for (;;) self.context().Link((co_await self.Receive<LinkTo>()).message.who);
  });
  auto careful = system_.Spawn([](Careful& self) -> Task<> {
    for (;;) self.context().Link((co_await self.Receive<LinkTo>()).message.who);
  });
  Do(careless, LinkTo{a});
  Do(careful, LinkTo{a});
  Do(a, Break{});
  EXPECT_FALSE(Lives(careless));
  EXPECT_TRUE(Lives(careful));
}

#endif

// ---- crossing

// Two sides, and what they have sent each other and not yet read.
struct Pair {
  struct Signal {
    bool begins;
    internal::Links::Known known;
  };
  std::array<internal::Links, 2> sides;
  std::array<std::deque<Signal>, 2> coming;  // to side i

  static AnyRef Peer() { return AnyRef(); }  // each knows but one

  void Do(int side, bool begin) {
    if (begin) {
      if (auto number = sides[side].Begin(Peer())) {
        coming[1 - side].push_back({true, {.mine = *number}});
      }
    } else if (auto known = sides[side].End(Peer())) {
      coming[1 - side].push_back({false, *known});
    }
  }
  void Read(int side) {
    const Signal signal = coming[side].front();
    coming[side].pop_front();
    if (signal.begins) {
      sides[side].TakeBegin(Peer(), signal.known.mine);
    } else {
      sides[side].TakeEnd(Peer(), signal.known);
    }
  }
};

// Every sequence of so many steps: a side links, unlinks, or reads what has come.
TEST(LinksTest, WhateverCrossesBothSidesAgreeInTheEnd) {
  constexpr int kSteps = 8;
  int linked = 0, apart = 0;
  for (int sequence = 0; sequence < 1 << (2 * kSteps); ++sequence) {
    Pair pair;
    for (int step = 0; step < kSteps; ++step) {
      const int choice = sequence >> (2 * step) & 3;
      const int side = choice & 1;
      if (choice < 2) {  // reads if it can, else links
        pair.coming[side].empty() ? pair.Do(side, true) : pair.Read(side);
      } else {
        // Whatever it was, the contrary.
        internal::Links& links = pair.sides[side];
        if (auto known = links.End(Pair::Peer())) {
          pair.coming[1 - side].push_back({false, *known});
        } else {
          pair.Do(side, true);
        }
      }
    }
    for (int side = 0; side < 2; ++side) {
      while (!pair.coming[side].empty()) pair.Read(side);
    }
    const bool first = pair.sides[0].Erase(Pair::Peer());
    ASSERT_EQ(first, pair.sides[1].Erase(Pair::Peer())) << "sequence " << sequence;
    ++(first ? linked : apart);
  }
  EXPECT_GT(linked, 1000);
  EXPECT_GT(apart, 1000);
}

}  // namespace
}  // namespace troupe
