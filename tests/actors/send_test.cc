#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/actors/counted.h"
#include "tests/actors/simulated.h"
#include "troupe/core/node_pool.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using SendTest = Simulated;

struct Number {
  int n;
};
struct Word {
  std::string text;
};

// Notes the numbers it gets in a list of the test's.
class Listener {
 public:
  explicit Listener(std::vector<int>& heard) : heard_(heard) {}
  void On(Number m) { heard_.push_back(m.n); }

 private:
  std::vector<int>& heard_;
};

TEST_F(SendTest, AMessageIsQueuedAndHandledOnlyWhenTheActorGetsATurn) {
  std::vector<int> heard;
  auto listener = system_.Spawn<Listener>(heard);
  EXPECT_EQ(listener.Send(Number{7}), SendResult::kQueued);
  EXPECT_EQ(heard, std::vector<int>{});
  Run();
  EXPECT_EQ(heard, std::vector<int>{7});
}

TEST_F(SendTest, TrySendDeliversLikeSend) {
  std::vector<int> heard;
  auto listener = system_.Spawn<Listener>(heard);
  EXPECT_EQ(listener.TrySend(Number{1}), SendResult::kQueued);
  Run();
  EXPECT_EQ(heard, std::vector<int>{1});
}

struct Parcel {
  std::unique_ptr<int> number;
};
// By every kind of ref to one actor that is full, and to one that has ended.
TEST_F(SendTest, WhatATrySendIsRefusedIsStillTheSenders) {
  const auto expect_back = [](const auto& to, SendResult result) {
    Parcel parcel{std::make_unique<int>(7)};
    EXPECT_EQ(to.TrySend(std::move(parcel)), result);
    ASSERT_NE(parcel.number, nullptr);
    EXPECT_EQ(*parcel.number, 7);
  };
  const auto expect_back_by_all = [&](const auto& to, SendResult result) {
    expect_back(to, result);
    expect_back(Recipient<Parcel>(to), result);
    ASSERT_TRUE(system_.Bind<Parcel>("receiver", to).ok());
    expect_back(system_.FindLate<Parcel>("receiver"), result);
    system_.Unbind("receiver");
    Group<Parcel> group;
    group.Add(to);
    expect_back(group, result);
  };
  for (WhenFull policy : {WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest}) {
    auto full = system_.Spawn({.capacity = 1, .when_full = policy}, [](Parcel) {});
    Parcel parcel;
    EXPECT_EQ(full.TrySend(std::move(parcel)), SendResult::kQueued);
    expect_back_by_all(full,
                       policy == WhenFull::kDropNewest ? SendResult::kDropped : SendResult::kFull);
    full.Stop();
    Run();
    expect_back(full, SendResult::kClosed);
  }
  auto ended = system_.Spawn([](Parcel) {});
  ended.Stop();
  Run();
  expect_back(ended, SendResult::kClosed);
  expect_back(Recipient<Parcel>(), SendResult::kClosed);
  expect_back(DirectLink<Parcel>(ended, ended), SendResult::kNotAllowed);
}

TEST_F(SendTest, ARefusedTrySendIsADeadLetterAllTheSame) {
  auto full = system_.Spawn({.capacity = 1, .when_full = WhenFull::kFail}, [](Parcel) {});
  full.TrySend(Parcel{});
  full.TrySend(Parcel{});
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ(letters_[0].reason, DeadLetterReason::kFull);
  EXPECT_EQ(letters_[0].target, full);
}

TEST_F(SendTest, MessagesOfAPlainThreadArriveInTheOrderOfTheSends) {
  std::vector<int> heard;
  auto listener = system_.Spawn<Listener>(heard);
  std::vector<int> sent;
  for (int i = 0; i < 1000; ++i) {  // more than one turn's worth
    listener.Send(Number{i});
    sent.push_back(i);
  }
  Run();
  EXPECT_EQ(heard, sent);
}

TEST_F(SendTest, MessagesOfAnActorArriveInTheOrderOfTheSends) {
  std::vector<int> heard;
  auto listener = system_.Spawn<Listener>(heard);
  auto counter = system_.Spawn([listener](Number m) {
    for (int i = 0; i < m.n; ++i) listener.Send(Number{i});
  });
  counter.Send(Number{300});
  Run();
  ASSERT_EQ(heard.size(), 300u);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(heard[i], i);
}

TEST_F(SendTest, MessagesOfDifferentTypesKeepTheirOrderToo) {
  class Both {
   public:
    explicit Both(std::vector<std::string>& heard) : heard_(heard) {}
    void On(Number m) { heard_.push_back(std::to_string(m.n)); }
    void On(Word m) { heard_.push_back(std::move(m.text)); }

   private:
    std::vector<std::string>& heard_;
  };
  std::vector<std::string> heard;
  auto both = system_.Spawn<Both>(heard);
  both.Send(Number{1});
  both.Send(Word{"two"});
  both.Send(Number{3});
  Run();
  EXPECT_EQ(heard, (std::vector<std::string>{"1", "two", "3"}));
}

TEST_F(SendTest, AnActorMaySendToItself) {
  std::vector<int> heard;
  class Countdown {
   public:
    explicit Countdown(std::vector<int>& heard) : heard_(heard) {}
    void On(Number m, Context& self) {
      heard_.push_back(m.n);
      if (m.n > 0) self.ref(this).Send(Number{m.n - 1});
    }

   private:
    std::vector<int>& heard_;
  };
  system_.Spawn<Countdown>(heard).Send(Number{3});
  Run();
  EXPECT_EQ(heard, (std::vector<int>{3, 2, 1, 0}));
}

// ---- who sent it

TEST_F(SendTest, TheSenderIsTheActorWhoseHandlerSent) {
  AnyRef seen;
  auto observer = system_.Spawn([&seen](Number, Context& self) { seen = self.sender(); });
  auto relay = system_.Spawn([observer](Number m) { observer.Send(m); });
  relay.Send(Number{1});
  Run();
  EXPECT_EQ(seen, relay);
}

TEST_F(SendTest, TheSenderIsNobodyForAPlainThread) {
  AnyRef seen = system_.Spawn([](Number) {});
  auto observer = system_.Spawn([&seen](Number, Context& self) { seen = self.sender(); });
  observer.Send(Number{1});
  Run();
  EXPECT_FALSE(seen);
}

TEST_F(SendTest, TheSenderCanBeAnsweredThroughAs) {
  class Caller {
   public:
    explicit Caller(int& heard) : heard_(heard) {}
    void On(Word, Context& self) {
      self.Spawn([](Number m, Context& self) {
            if (auto back = self.sender().As<Caller>()) back->Send(Number{m.n + 1});
          })
          .Send(Number{5});
    }
    void On(Number m) { heard_ = m.n; }

   private:
    int& heard_;
  };
  int heard = 0;
  system_.Spawn<Caller>(heard).Send(Word{});
  Run();
  EXPECT_EQ(heard, 6);
}

TEST_F(SendTest, SelfIsTheRefThatSpawnReturned) {
  AnyRef any;
  class Narcissus {
   public:
    Narcissus(AnyRef& any, ActorRef<Narcissus>& typed, AnyRef& other)
        : any_(any), typed_(typed), other_(other) {}
    void On(Number, Context& self) {
      any_ = self.self();
      typed_ = self.ref(this);
      int not_me = 0;
      other_ = self.ref(&not_me);
    }

   private:
    AnyRef& any_;
    ActorRef<Narcissus>& typed_;
    AnyRef& other_;
  };
  ActorRef<Narcissus> typed;
  AnyRef other = system_.Spawn([](Number) {});
  auto narcissus = system_.Spawn<Narcissus>(any, typed, other);
  narcissus.Send(Number{1});
  Run();
  EXPECT_EQ(any, narcissus);
  EXPECT_EQ(typed, narcissus);
  EXPECT_FALSE(other) << "ref() of an object that is not the acting actor is nobody";
}

// ---- function actors

TEST_F(SendTest, AFunctionActorKeepsItsStateBetweenMessages) {
  int sum = 0;
  auto adder = system_.Spawn([n = 0, &sum](Number m) mutable {
    n += m.n;
    sum = n;
  });
  adder.Send(Number{2});
  adder.Send(Number{3});
  Run();
  EXPECT_EQ(sum, 5);
}

TEST_F(SendTest, AFunctionActorTakesItsMessageByValueConstReferenceOrRvalue) {
  int sum = 0;
  auto by_reference = system_.Spawn([&sum](const Number& m) { sum += m.n; });
  auto by_rvalue = system_.Spawn([&sum](Number&& m) noexcept { sum += m.n; });
  by_reference.Send(Number{10});
  by_rvalue.Send(Number{100});
  Run();
  EXPECT_EQ(sum, 110);
}

TEST_F(SendTest, AFunctionActorMayHoldWhatCannotBeCopied) {
  int seen = 0;
  auto owner = system_.Spawn([p = std::make_unique<int>(9), &seen](Number) { seen = *p; });
  owner.Send(Number{0});
  Run();
  EXPECT_EQ(seen, 9);
}

// ---- messages of every kind

struct MoveOnly {
  std::unique_ptr<int> value;
};

TEST_F(SendTest, AMoveOnlyMessageArrivesWithWhatItOwns) {
  int seen = 0;
  auto taker = system_.Spawn([&seen](MoveOnly m) { seen = *m.value; });
  taker.Send(MoveOnly{std::make_unique<int>(42)});
  Run();
  EXPECT_EQ(seen, 42);
}

struct Large {
  unsigned char bytes[4096];
};

TEST_F(SendTest, AMessageOfFourKilobytesArrivesWhole) {
  auto sent = std::make_unique<Large>();
  for (size_t i = 0; i < sizeof(sent->bytes); ++i)
    sent->bytes[i] = static_cast<unsigned char>(i * 7);
  std::vector<unsigned char> got;
  auto taker = system_.Spawn([&got](const Large& m) { got.assign(m.bytes, m.bytes + 4096); });
  taker.Send(Large(*sent));
  Run();
  EXPECT_EQ(got, std::vector<unsigned char>(sent->bytes, sent->bytes + 4096));
}

struct alignas(64) CacheLine {
  int n;
};

TEST_F(SendTest, AMessageAlignedToACacheLineIsAlignedInItsHandler) {
  uintptr_t address = 1;
  int n = 0;
  auto taker = system_.Spawn([&](const CacheLine& m) {
    address = reinterpret_cast<uintptr_t>(&m);
    n = m.n;
  });
  taker.Send(CacheLine{3});
  Run();
  EXPECT_EQ(address % 64, 0u);
  EXPECT_EQ(n, 3);
}

struct Empty {};

TEST_F(SendTest, AMessageWithoutContentsArrives) {
  int calls = 0;
  auto taker = system_.Spawn([&calls](Empty) { ++calls; });
  taker.Send(Empty{});
  Run();
  EXPECT_EQ(calls, 1);
}

TEST_F(SendTest, AMessageIsNeverCopied) {
  struct Copies {
    int* copies;
    explicit Copies(int* c) : copies(c) {}
    Copies(const Copies& other) : copies(other.copies) { ++*copies; }
    Copies(Copies&& other) noexcept : copies(other.copies) {}
  };
  int copies = 0;
  auto taker = system_.Spawn([](Copies) {});
  taker.Send(Copies(&copies));
  Run();
  EXPECT_EQ(copies, 0);
}

// Throws when it is moved for the nth time.
struct Fragile {
  int* moves_left;
  explicit Fragile(int* n) : moves_left(n) {}
  Fragile(Fragile&& other) : moves_left(other.moves_left) {
    if ((*moves_left)-- == 0) throw std::runtime_error("broken in transit");
  }
};

class GlassCollector {
 public:
  explicit GlassCollector(int& got) : got_(got) {}
  void On(Fragile&&) { ++got_; }

 private:
  int& got_;
};

TEST_F(SendTest, AMoveThatThrowsWhileSendingComesOutOfSendAndHarmsNobody) {
  int got = 0;
  auto collector = system_.Spawn<GlassCollector>(got);
  const int64_t blocks = OutstandingNodeBlocks();
  int moves_left = 0;
  EXPECT_THROW(collector.Send(Fragile(&moves_left)), std::runtime_error);
#ifdef TROUPE_SANITIZER  // elsewhere blocks wait in a stock
  EXPECT_EQ(OutstandingNodeBlocks(), blocks);
#else
  (void)blocks;
#endif
  moves_left = 1000;
  collector.Send(Fragile(&moves_left));
  Run();
  EXPECT_EQ(got, 1);
  EXPECT_EQ(system_.stats().live, 1u);
}

TEST_F(SendTest, AMoveThatThrowsOnTheWayIntoTheHandlerFailsTheActor) {
  class ByValue {
   public:
    void On(Fragile) {}
  };
  auto fragile = system_.Spawn<ByValue>();
  int moves_left = 1000;
  fragile.Send(Fragile(&moves_left));
  moves_left = 0;  // the next move is the one into the parameter
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

// ---- nothing is lost or destroyed twice

TEST_F(SendTest, EveryMessageThatWasMadeIsDestroyedOnce) {
  struct Tag;
  using Token = Counted<Tag>;
  struct Carry {
    Token token;
  };
  {
    ManualScheduler loop;
    System system({.scheduler = &loop});
    auto handled = system.Spawn([](Carry) {});
    auto stopped = system.Spawn([](Carry) {});
    auto bounded = system.Spawn({.capacity = 2, .when_full = WhenFull::kDropOldest}, [](Carry) {});
    for (int i = 0; i < 10; ++i) {
      handled.Send(Carry{});
      stopped.Send(Carry{});
      bounded.Send(Carry{});
      system.SendAfter(absl::Seconds(1), handled, Carry{});
      system.SendAfter(absl::Hours(1), handled, Carry{});  // never fires
    }
    system.SendEvery(absl::Milliseconds(300), handled, Carry{});
    stopped.Stop();
    loop.Advance(absl::Seconds(2));
    stopped.Send(Carry{});
    handled.Send(Carry{});  // still queued when the system ends
  }
  EXPECT_GT(Token::constructed(), 60);
  EXPECT_EQ(Token::alive(), 0);
}

TEST_F(SendTest, EveryActorThatWasMadeIsDestroyedOnce) {
  struct Tag;
  class Mortal : Counted<Tag> {
   public:
    void On(Empty, Context& self) { self.Spawn<Mortal>(); }
  };
  {
    ManualScheduler loop;
    System system({.scheduler = &loop});
    for (int i = 0; i < 5; ++i) system.Spawn<Mortal>().Send(Empty{});
    loop.RunUntilIdle();
    EXPECT_EQ(Counted<Tag>::alive(), 10);
  }
  EXPECT_EQ(Counted<Tag>::alive(), 0);
}

TEST_F(SendTest, BlocksGoBackToThePoolWhenTheSystemEnds) {
  const int64_t before = OutstandingNodeBlocks();
  {
    ManualScheduler loop;
    System system({.scheduler = &loop});
    auto taker = system.Spawn([](Large) {});
    for (int i = 0; i < 100; ++i) taker.Send(Large{});
  }
  EXPECT_EQ(OutstandingNodeBlocks(), before) << "large ones are not kept in stock";
}

}  // namespace
}  // namespace troupe
