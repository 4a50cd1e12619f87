#include "troupe/actors/process.h"

#include <cstdint>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using Notes = std::vector<std::string>;

struct Order {
  std::string item;
};
struct Ack {
  int number;
};
struct Question {
  using Reply = int;
  int number = 0;
};
struct Go {};

// Sends to a process when told to, under its own name.
class Sender {
 public:
  explicit Sender(Recipient<Order, Ack> to) : to_(to) {}
  void On(Order order) { to_.Send(std::move(order)); }
  void On(Ack ack) { to_.Send(ack); }

 private:
  Recipient<Order, Ack> to_;
};

class ProcessTest : public Simulated {
 protected:
  using Both = Process<Order, Ack>;

  // A sender whose messages have come when this returns.
  ActorRef<Sender> SpawnSender(ActorRef<Both> to) { return system_.Spawn<Sender>(to); }
  template <class To, class M>
  void Deliver(const To& to, M message) {
    to.Send(std::move(message));
    Run();
  }
  uint64_t QueuedFor(const AnyRef& who) {
    for (const ActorStats& actor : system_.actors()) {
      if (actor.ref == who) return actor.queued;
    }
    return 999;
  }
  std::vector<std::string_view> LostTypes(DeadLetterReason reason) const {
    std::vector<std::string_view> types;
    for (const DeadLetter& letter : letters_) {
      if (letter.reason == reason) {
        types.push_back(letter.message_type.substr(letter.message_type.rfind(':') + 1));
      }
    }
    return types;
  }
  Down Join(const AnyRef& who) { return system_.Join(who).value_or(Down{}); }

  Notes& notes_ = Keep<Notes>();
};

struct Noted {
  Noted(Notes& n, std::string w) : notes(n), what(std::move(w)) {}
  Noted(const Noted&) = delete;
  ~Noted() { notes.push_back(what); }
  Notes& notes;
  std::string what;
};

// ---- receiving

Task<> NotesOrders(Process<Order, Ack>& self, Notes* notes) {
  for (;;) {
    auto [order, from] = co_await self.Receive<Order>();
    notes->push_back(order.item + (from ? " of somebody" : " of nobody"));
  }
}

TEST_F(ProcessTest, MessagePassing_R22_ReceiveYieldsWhateverIsOldestAndWhoSentIt) {
  auto process = system_.Spawn(NotesOrders, &notes_);
  process.Send(Order{"a"});
  SpawnSender(process).Send(Order{"b"});
  Run();
  Deliver(process, Order{"c"});
  EXPECT_EQ(notes_, (Notes{"a of nobody", "b of somebody", "c of nobody"}));
}

TEST_F(ProcessTest, MessagePassing_R17_TheSenderNamesTheReceiver) {
  auto first = system_.Spawn(NotesOrders, &notes_);
  Notes& others = Keep<Notes>();
  auto second = system_.Spawn(NotesOrders, &others);
  Deliver(second, Order{"for the second"});
  EXPECT_EQ(notes_, Notes{});
  EXPECT_EQ(others, (Notes{"for the second of nobody"}));
  EXPECT_EQ(first.Send(Order{"x"}), SendResult::kQueued);
}

// Waits for `who`'s orders first, as many as asked for, and then takes all others.
Task<> Prefers(Process<Order, Ack>& self, AnyRef* who, int count, Notes* notes) {
  (void)co_await self.Receive<Ack>();
  for (int i = 0; i < count; ++i) {
    auto order = co_await self.ReceiveFrom<Order>(*who);
    notes->push_back(order.ok() ? order->message.item : order.status().ToString());
  }
  for (;;) notes->push_back((co_await self.Receive<Order>()).message.item);
}

TEST_F(ProcessTest, MessagePassing_R18_ReceiveFromTakesTheNamedOnesAndTheOthersStayInOrder) {
  auto& who = Keep<AnyRef>();
  auto process = system_.Spawn(Prefers, &who, 2, &notes_);
  auto other = SpawnSender(process), named = SpawnSender(process);
  who = named;
  Deliver(other, Order{"other 1"});
  Deliver(named, Order{"named 1"});
  Deliver(other, Order{"other 2"});
  Deliver(process, Order{"nobody's"});
  Deliver(process, Ack{});
  EXPECT_EQ(notes_, (Notes{"named 1"})) << "waits for the next of the named one";
  Deliver(other, Order{"other 3"});
  EXPECT_EQ(notes_.size(), 1u);
  Deliver(named, Order{"named 2"});
  EXPECT_EQ(notes_, (Notes{"named 1", "named 2", "other 1", "other 2", "nobody's", "other 3"}));
}

TEST_F(ProcessTest, ReceiveFromTakesTheNamedOnesInTheirOrderFromTheMiddleOfTheFile) {
  auto& who = Keep<AnyRef>();
  auto process = system_.Spawn(Prefers, &who, 3, &notes_);
  auto other = SpawnSender(process), named = SpawnSender(process);
  who = named;
  for (const char* item : {"1", "2", "3"}) {
    Deliver(other, Order{std::string("other ") + item});
    Deliver(named, Order{std::string("named ") + item});
  }
  Deliver(process, Ack{});
  EXPECT_EQ(notes_, (Notes{"named 1", "named 2", "named 3", "other 1", "other 2", "other 3"}));
}

TEST_F(ProcessTest, ReceivePassesOverOtherTypes) {
  auto process = system_.Spawn(
      [](Process<Order, Ack>& self, Notes* notes) -> Task<> {
        notes->push_back(std::to_string((co_await self.Receive<Ack>()).message.number));
        notes->push_back((co_await self.Receive<Order>()).message.item);
        notes->push_back(std::to_string((co_await self.Receive<Ack>()).message.number));
      },
      &notes_);
  process.Send(Order{"order"});
  process.Send(Ack{1});
  process.Send(Ack{2});
  Run();
  EXPECT_EQ(notes_, (Notes{"1", "order", "2"}));
}

Task<> TakesAll(Process<Order, Ack>& self, Notes* notes) {
  co_await Sleep(absl::Seconds(1));
  for (;;) {
    std::variant<Received<Order>, Received<Ack>> next = co_await self.Receive();
    if (auto* order = std::get_if<Received<Order>>(&next)) notes->push_back(order->message.item);
    if (auto* ack = std::get_if<Received<Ack>>(&next)) {
      notes->push_back(std::to_string(ack->message.number));
    }
  }
}

TEST_F(ProcessTest, OfSeveralTypesTheOldestComesFirst) {
  auto process = system_.Spawn(TakesAll, &notes_);
  process.Send(Ack{1});
  process.Send(Order{"a"});
  process.Send(Order{"b"});
  process.Send(Ack{2});
  Run();
  EXPECT_EQ(notes_, Notes{});
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"1", "a", "b", "2"}));
  Deliver(process, Ack{3});
  Deliver(process, Order{"c"});
  EXPECT_EQ(notes_, (Notes{"1", "a", "b", "2", "3", "c"}));
}

TEST_F(ProcessTest, ReceiveFromOfSeveralTypesTakesTheOldestOfThatSender) {
  auto& who = Keep<AnyRef>();
  auto process = system_.Spawn(
      [](Process<Order, Ack>& self, AnyRef* from, Notes* notes) -> Task<> {
        co_await Sleep(absl::Seconds(1));
        for (;;) {
          auto next = co_await self.ReceiveFrom<Order, Ack>(*from);
          notes->push_back(next->index() == 0 ? "order" : "ack");
        }
      },
      &who, &notes_);
  auto other = SpawnSender(process), named = SpawnSender(process);
  who = named;
  Deliver(other, Order{"x"});
  Deliver(named, Ack{1});
  Deliver(named, Order{"y"});
  Deliver(named, Ack{2});
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"ack", "order", "ack"}));
}

TEST_F(ProcessTest, ATaskOfTheBodyMayReceive) {
  struct Protocol {
    static Task<int> Sum(Process<Order, Ack>& self, int count) {
      int sum = 0;
      for (int i = 0; i < count; ++i) sum += (co_await self.Receive<Ack>()).message.number;
      co_return sum;
    }
    static Task<> Run(Process<Order, Ack>& self, Notes* notes) {
      notes->push_back(std::to_string(co_await Sum(self, 2)));
    }
  };
  auto process = system_.Spawn(Protocol::Run, &notes_);
  process.Send(Ack{3});
  Run();
  Deliver(process, Ack{4});
  EXPECT_EQ(notes_, (Notes{"7"}));
}

TEST_F(ProcessTest, MessagesThatCanOnlyBeMovedOrAreLargeArriveWhole) {
  struct Parcel {
    std::unique_ptr<int> content;
    std::string padding[4];
  };
  auto& out = Keep<std::vector<int>>();
  auto process = system_.Spawn(
      [](Process<Parcel, Go>& self, std::vector<int>* o) -> Task<> {
        (void)co_await self.Receive<Go>();
        for (;;) o->push_back(*(co_await self.Receive<Parcel>()).message.content);
      },
      &out);
  process.Send(Parcel{std::make_unique<int>(1), {}});
  process.Send(Go{});
  process.Send(Parcel{std::make_unique<int>(2), {}});
  Run();
  EXPECT_EQ(out, (std::vector<int>{1, 2}));
}

TEST_F(ProcessTest, WhatIsPassedOverCountsAsQueuedUntilItIsReceived) {
  auto process = system_.Spawn(Prefers, &Keep<AnyRef>(), 0, &notes_);
  process.Send(Order{"a"});
  process.Send(Order{"b"});
  Run();
  EXPECT_EQ(QueuedFor(process), 2u);
  Deliver(process, Ack{});
  EXPECT_EQ(notes_, (Notes{"a", "b"}));
  EXPECT_EQ(QueuedFor(process), 0u);
}

// A turn is 128 messages here (manual_scheduler.h), and one of them stands for 16 receives.
TEST_F(ProcessTest, OtherActorsHaveTheirTurnWhileItReceivesWhatHasPiledUp) {
  int& received = Keep<int>();
  int& seen = Keep<int>();
  auto process = system_.Spawn(
      [](Process<Ack, Go>& self, int* count) -> Task<> {
        (void)co_await self.Receive<Go>();
        for (;; ++*count) (void)co_await self.Receive<Ack>();
      },
      &received);
  constexpr int kMany = 10'000;
  for (int i = 0; i < kMany; ++i) process.Send(Ack{i});
  Run();
  process.Send(Go{});
  system_.Spawn([&received, &seen](Go) { seen = received; }).Send(Go{});
  Run();
  EXPECT_GT(seen, 0);
  EXPECT_LT(seen, kMany);
  EXPECT_EQ(received, kMany);
}

// ---- deadlines

Task<> NotesWithin(Process<Order, Ack>& self, absl::Duration timeout, Notes* notes) {
  for (;;) {
    auto order = co_await self.Receive<Order>(timeout);
    notes->push_back(order.ok() ? order->message.item
                                : std::string(absl::StatusCodeToString(order.status().code())));
    if (!order.ok()) (void)co_await self.Receive<Ack>();
  }
}

TEST_F(ProcessTest, AReceiveEndsAtItsDeadlineAndNotBefore) {
  system_.Spawn(NotesWithin, absl::Seconds(1), &notes_);
  Run();
  Advance(absl::Milliseconds(999));
  EXPECT_EQ(notes_, Notes{});
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(notes_, (Notes{"DEADLINE_EXCEEDED"}));
}

TEST_F(ProcessTest, AMessageThatComesAfterTheDeadlineIsStillThere) {
  auto process = system_.Spawn(NotesWithin, absl::Seconds(1), &notes_);
  Run();
  Advance(absl::Seconds(1));
  Deliver(process, Order{"late"});
  EXPECT_EQ(notes_, (Notes{"DEADLINE_EXCEEDED"}));
  Deliver(process, Ack{});
  EXPECT_EQ(notes_, (Notes{"DEADLINE_EXCEEDED", "late"}));
}

TEST_F(ProcessTest, TheDeadlineOfAReceiveDoesNotEndTheNext) {
  auto process = system_.Spawn(NotesWithin, absl::Seconds(1), &notes_);
  Run();
  Advance(absl::Milliseconds(600));
  Deliver(process, Order{"a"});
  Advance(absl::Milliseconds(600));
  EXPECT_EQ(notes_, (Notes{"a"}));
  Advance(absl::Milliseconds(400));
  EXPECT_EQ(notes_, (Notes{"a", "DEADLINE_EXCEEDED"}));
}

// The alarm is a control item and comes before the message; the note of the deadline comes behind.
TEST_F(ProcessTest, AMessageThatIsThereWhenTheDeadlinePassesIsReceivedAndTheNextReceiveWaits) {
  auto process = system_.Spawn(NotesWithin, absl::Seconds(1), &notes_);
  Run();
  system_.SendAfter(absl::Seconds(1) - absl::Nanoseconds(1), process, Order{"just in time"});
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"just in time"}));
  Advance(absl::Milliseconds(999));
  EXPECT_EQ(notes_.size(), 1u);
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(notes_, (Notes{"just in time", "DEADLINE_EXCEEDED"}));
}

TEST_F(ProcessTest, ATimeoutOfNothingTakesWhatIsThere) {
  auto process = system_.Spawn(NotesWithin, absl::ZeroDuration(), &notes_);
  process.Send(Order{"a"});
  process.Send(Order{"b"});
  Run();
  EXPECT_EQ(notes_, (Notes{"a", "b", "DEADLINE_EXCEEDED"}));
}

// The order is in the mailbox when the first receive looks into the file, and the note that nothing
// has come is posted behind it.
TEST_F(ProcessTest, ADeadlineThatIsOnItsWayWhenTheMessageComesDoesNotEndTheNextReceive) {
  auto process = system_.Spawn(
      [](Process<Order, Ack>& self, Notes* notes) -> Task<> {
        (void)co_await self.Receive<Ack>();
        auto first = co_await self.Receive<Order>(absl::ZeroDuration());
        notes->push_back(first.ok() ? first->message.item : first.status().ToString());
        auto second = co_await self.Receive<Order>(absl::Hours(1));
        notes->push_back(second.ok() ? second->message.item : second.status().ToString());
      },
      &notes_);
  process.Send(Ack{});
  process.Send(Order{"a"});
  Run();
  EXPECT_EQ(notes_, (Notes{"a"}));
  Deliver(process, Order{"b"});
  EXPECT_EQ(notes_, (Notes{"a", "b"}));
}

TEST_F(ProcessTest, ReceiveFromEndsAtItsDeadline) {
  auto silent = system_.Spawn([](Go) {});
  system_.Spawn(
      [](Process<Order>& self, AnyRef who, Notes* notes) -> Task<> {
        auto order = co_await self.ReceiveFrom<Order>(who, absl::Seconds(2));
        notes->push_back(order.status().ToString());
      },
      silent, &notes_);
  Run();
  Advance(absl::Seconds(2));
  EXPECT_EQ(notes_, (Notes{"DEADLINE_EXCEEDED: no message within 2s"}));
}

// ---- the named one ends

TEST_F(ProcessTest, ReceiveFromFailsWhenTheNamedOneEndsAndNothingFromItIsLeft) {
  auto& who = Keep<AnyRef>();
  auto process = system_.Spawn(Prefers, &who, 2, &notes_);
  auto named = SpawnSender(process);
  who = named;
  Deliver(process, Ack{});
  named.Send(Order{"last"});
  named.Stop(StopWhen::kDrained);
  Run();
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[0], "last");
  EXPECT_EQ(notes_[1].rfind("UNAVAILABLE: ", 0), 0u) << notes_[1];
  Deliver(process, Order{"goes on"});
  EXPECT_EQ(notes_.back(), "goes on");
}

TEST_F(ProcessTest, WhatOneSentBeforeItEndedIsReceivedFirst) {
  auto& who = Keep<AnyRef>();
  auto process = system_.Spawn(Prefers, &who, 3, &notes_);
  auto named = SpawnSender(process);
  who = named;
  named.Send(Order{"a"});
  named.Send(Order{"b"});
  named.Stop(StopWhen::kDrained);
  Run();
  Deliver(process, Ack{});
  ASSERT_EQ(notes_.size(), 3u);
  EXPECT_EQ(notes_[0] + notes_[1], "ab");
  EXPECT_EQ(notes_[2].rfind("UNAVAILABLE: ", 0), 0u) << notes_[2];
}

TEST_F(ProcessTest, NobodyIsNotWaitedForButWhatPlainThreadsHaveSentIsTaken) {
  auto process = system_.Spawn(Prefers, &Keep<AnyRef>(), 2, &notes_);
  process.Send(Order{"a"});
  process.Send(Ack{});
  Run();
  EXPECT_EQ(notes_, (Notes{"a", "UNAVAILABLE: nobody has ended"}));
}

TEST_F(ProcessTest, MayReceiveFromItself) {
  system_.Spawn(
      [](Process<Order>& self, Notes* notes) -> Task<> {
        self.context().SendAfter(absl::Seconds(1), self.ref(), Order{"reminder"});
        auto order = co_await self.ReceiveFrom<Order>(self.ref());
        notes->push_back(order.ok() ? order->message.item : order.status().ToString());
      },
      &notes_);
  Run();
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"reminder"}));
}

TEST_F(ProcessTest, AnEndIsAMessageForAProcessThatListsDown) {
  auto watched = system_.Spawn([](Go, Context& self) { self.Fail(absl::DataLossError("fire")); });
  system_.Spawn(
      [](Process<Order, Down>& self, AnyRef who, Notes* notes) -> Task<> {
        self.context().Watch(who);
        auto [down, from] = co_await self.Receive<Down>();
        notes->push_back(down.who == who && from == who ? down.status.ToString() : "somebody else");
      },
      watched, &notes_);
  Run();
  Deliver(watched, Go{});
  EXPECT_EQ(notes_, (Notes{"DATA_LOSS: fire"}));
}

TEST_F(ProcessTest, ADownThatIsFiledIsThereAfterTheReceiveItEnded) {
  auto watched = system_.Spawn([](Go, Context& self) { self.Stop(); });
  system_.Spawn(
      [](Process<Order, Down>& self, AnyRef who, Notes* notes) -> Task<> {
        notes->push_back(std::string(
            absl::StatusCodeToString((co_await self.ReceiveFrom<Order>(who)).status().code())));
        notes->push_back(std::string(ToString((co_await self.Receive<Down>()).message.reason)));
      },
      watched, &notes_);
  Run();
  Deliver(watched, Go{});
  EXPECT_EQ(notes_, (Notes{"UNAVAILABLE", "normal"}));
}

TEST_F(ProcessTest, AnUnlistedEndIsNoReasonToEnd) {
  auto watched = system_.Spawn([](Go, Context& self) { self.Fail(absl::DataLossError("fire")); });
  auto process = system_.Spawn(
      [](Process<Order>& self, AnyRef who, Notes* notes) -> Task<> {
        self.context().Watch(who);
        notes->push_back((co_await self.Receive()).message.item);
      },
      watched, &notes_);
  Run();
  Deliver(watched, Go{});
  Deliver(process, Order{"alive"});
  EXPECT_EQ(notes_, (Notes{"alive"}));
}

// ---- the end of the process

TEST_F(ProcessTest, ReturningEndsItNormally) {
  auto process =
      system_.Spawn([](Process<Order>& self) -> Task<> { (void)co_await self.Receive(); });
  Deliver(process, Order{"a"});
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kClosed);
}

TEST_F(ProcessTest, ReturningAtOnceEndsItToo) {
  auto process = system_.Spawn([](Process<Order>&) -> Task<> { co_return; });
  Run();
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kClosed);
}

TEST_F(ProcessTest, WatchersLearnHowTheBodyEnded) {
  auto returns = system_.Spawn([](Process<Go>& self) -> Task<> { (void)co_await self.Receive(); });
  auto throws = system_.Spawn([](Process<Go>& self) -> Task<> {
    (void)co_await self.Receive();
    throw std::runtime_error("broken");
  });
  auto throws_at_once = system_.Spawn([](Process<Go>&) -> Task<> {
    throw std::runtime_error("unfit");
    co_return;
  });
  struct Watcher {
    std::vector<AnyRef> who;
    Notes& notes;
    void OnStart(Context& self) {
      for (const AnyRef& ref : who) self.Watch(ref);
    }
    void On(Down down) {
      notes.push_back(std::string(ToString(down.reason)) + " " + down.status.ToString());
    }
  };
  system_.Spawn(Watcher{{returns, throws}, notes_});
  Run();
  returns.Send(Go{});
  throws.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"normal OK", "failed INTERNAL: broken"}));
  EXPECT_EQ(throws_at_once.Send(Go{}), SendResult::kClosed);
}

Task<> WaitsForAck(Process<Order, Ack, Question>& self, Notes* notes) {
  Noted noted(*notes, "unwound");
  (void)co_await self.Receive<Ack>();
}

TEST_F(ProcessTest, StoppedWhileItWaitsItIsUnwoundAndWhatItHasNotReceivedAreDeadLetters) {
  auto process = system_.Spawn(WaitsForAck, &notes_);
  process.Send(Order{"a"});
  process.Send(Question{});
  process.Send(Order{"b"});
  Run();
  process.Send(Ack{});
  process.Stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"unwound"}));
  EXPECT_EQ(LostTypes(DeadLetterReason::kStopped),
            (std::vector<std::string_view>{"Order", "Question", "Order", "Ack"}));
  ASSERT_EQ(letters_.size(), 4u);
  EXPECT_EQ(letters_[0].target, process);
  EXPECT_NE(letters_[0].where.line(), 0u);
}

TEST_F(ProcessTest, WhatABodyThatReturnsLeavesBehindAreDeadLetters) {
  auto process = system_.Spawn(WaitsForAck, &notes_);
  auto sender = system_.Spawn([process](Go) { process.Send(Order{"a"}); });
  Deliver(sender, Go{});
  Deliver(process, Ack{});
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ(letters_[0].reason, DeadLetterReason::kStopped);
  EXPECT_EQ(letters_[0].sender, sender);
  EXPECT_EQ(letters_[0].target, process);
}

TEST_F(ProcessTest, StopWhenDrainedLetsItReceiveWhatItWaitsForAndNotWhatItHasPassedOver) {
  auto waits = system_.Spawn(NotesOrders, &notes_);
  waits.Send(Order{"a"});
  waits.Send(Ack{});
  waits.Send(Order{"b"});
  waits.Stop(StopWhen::kDrained);
  Run();
  EXPECT_EQ(notes_, (Notes{"a of nobody", "b of nobody"}));
  EXPECT_EQ(LostTypes(DeadLetterReason::kStopped), (std::vector<std::string_view>{"Ack"}));
}

TEST_F(ProcessTest, StoppedWhileADeadlineIsPendingItEnds) {
  auto process = system_.Spawn(NotesWithin, absl::Seconds(1), &notes_);
  Run();
  process.Stop();
  Run();
  Advance(absl::Seconds(2));
  EXPECT_EQ(notes_, Notes{});
  EXPECT_EQ(process.Send(Ack{}), SendResult::kClosed);
}

TEST_F(ProcessTest, ABodyMayStopItsProcess) {
  auto process = system_.Spawn(
      [](Process<Order>& self, Notes* notes) -> Task<> {
        Noted noted(*notes, "unwound");
        self.context().Stop();
        (void)co_await self.Receive();
        notes->push_back("not reached");
      },
      &notes_);
  Deliver(process, Order{"a"});
  EXPECT_EQ(notes_, (Notes{"unwound"}));
}

TEST_F(ProcessTest, SpawnedInAShutDownSystemItNeverBegins) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  system.Shutdown(absl::Minutes(1));
  auto kept = std::make_shared<int>();
  auto process = system.Spawn(
      [](Process<Order>& self, std::shared_ptr<int>) -> Task<> { (void)co_await self.Receive(); },
      kept);
  EXPECT_FALSE(process);
  EXPECT_EQ(kept.use_count(), 1) << "the body's parameters are gone";
}

// As in coroutine_test: the only worker is in a handler that does not return.
TEST(ProcessShutdownTest, WhatProcessesThatCouldNotEndHaveNotReceivedGoesWithTheSystem) {
  std::latch waits(1), stuck(1), release(1), gone(1);
  struct Parcel {
    std::shared_ptr<std::latch> content;
  };
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    auto process = system.Spawn(
        [](Process<Parcel, Ack, Go>& self, std::latch* l) -> Task<> {
          (void)co_await self.Receive<Ack>();
          l->count_down();
          (void)co_await self.Receive<Go>();
        },
        &waits);
    process.Send(
        Parcel{std::shared_ptr<std::latch>(&gone, [](std::latch* l) { l->count_down(); })});
    process.Send(Ack{});
    waits.wait();
    system
        .Spawn([&](Go) {
          stuck.count_down();
          release.wait();
        })
        .Send(Go{});
    stuck.wait();
  }
  release.count_down();
  gone.wait();
}

// ---- asks

Task<> Answers(Process<Question, Go>& self, absl::Duration first) {
  co_await Sleep(first);
  for (;;) {
    auto [question, from, reply] = co_await self.Receive<Question>();
    if (reply) reply.Send(question.number + 1);
  }
}

TEST_F(ProcessTest, AnAskIsReceivedWithItsReply) {
  auto process = system_.Spawn(Answers, absl::ZeroDuration());
  process.Send(Question{1});  // asked by nobody: its reply is false
  EXPECT_EQ(process.Ask(Question{6}).Wait().value_or(-1), 7);
}

TEST_F(ProcessTest, AnAskThatWaitsInTheFileIsAnswered) {
  auto process = system_.Spawn(Answers, absl::Seconds(1));
  EXPECT_EQ(process.Ask(Question{6}).Wait().value_or(-1), 7);
}

class Asker {
 public:
  Asker(Recipient<Question> whom, absl::Duration timeout, Notes& notes)
      : whom_(whom), timeout_(timeout), notes_(notes) {}
  void On(Go, Context& self) {
    whom_.Ask(Question{6}, timeout_).Then(self, [this](absl::StatusOr<int> answer) {
      notes_.push_back(answer.ok() ? std::to_string(*answer)
                                   : std::string(absl::StatusCodeToString(answer.status().code())));
    });
  }

 private:
  Recipient<Question> whom_;
  absl::Duration timeout_;
  Notes& notes_;
};

TEST_F(ProcessTest, AnAskThatExpiresInTheFileIsNotReceived) {
  auto process = system_.Spawn(Answers, absl::Seconds(2));
  system_.Spawn<Asker>(process, absl::Seconds(1), notes_).Send(Go{});
  Run();
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"DEADLINE_EXCEEDED"}));
  Advance(absl::Seconds(1));
  EXPECT_EQ(LostTypes(DeadLetterReason::kExpired), (std::vector<std::string_view>{"Question"}));
  EXPECT_EQ(QueuedFor(process), 0u);
}

TEST_F(ProcessTest, WhoAskedAProcessThatEndsIsTold) {
  auto process = system_.Spawn(
      [](Process<Question, Go>& self) -> Task<> { (void)co_await self.Receive<Go>(); });
  system_.Spawn<Asker>(process, absl::Minutes(1), notes_).Send(Go{});
  Run();
  EXPECT_EQ(notes_, Notes{});
  Deliver(process, Go{});
  EXPECT_EQ(notes_, (Notes{"UNAVAILABLE"}));
}

TEST_F(ProcessTest, WhoAskedIsToldWhenTheReplyIsDropped) {
  auto process = system_.Spawn([](Process<Question>& self) -> Task<> {
    for (;;) (void)co_await self.Receive();
  });
  system_.Spawn<Asker>(process, absl::Minutes(1), notes_).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"ABORTED"}));
}

TEST_F(ProcessTest, ABodyMayAskAndMessagesComeInMeanwhile) {
  auto seven = system_.Spawn([](Question) { return 7; });
  auto process = system_.Spawn(
      [](Process<Order, Go>& self, Recipient<Question> whom, Notes* notes) -> Task<> {
        (void)co_await self.Receive<Go>();
        notes->push_back(std::to_string((co_await whom.Ask(Question{})).value_or(-1)));
        notes->push_back((co_await self.Receive<Order>()).message.item);
      },
      seven, &notes_);
  process.Send(Go{});
  process.Send(Order{"meanwhile"});
  Run();
  EXPECT_EQ(notes_, (Notes{"7", "meanwhile"}));
}

// ---- capacity

Task<> WaitsForGo(Process<Order, Ack>& self, Notes* notes) {
  (void)co_await self.Receive<Ack>();
  for (;;) notes->push_back((co_await self.Receive<Order>()).message.item);
}

TEST_F(ProcessTest, CapacityCountsWhatHasBeenPassedOver) {
  auto process = system_.Spawn({.capacity = 2, .when_full = WhenFull::kFail}, WaitsForGo, &notes_);
  EXPECT_EQ(process.Send(Order{"a"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(process.Send(Order{"c"}), SendResult::kFull);
  EXPECT_EQ(process.Send(Ack{}), SendResult::kFull) << "what it waits for has no room either";
  EXPECT_EQ(QueuedFor(process), 2u);
}

TEST_F(ProcessTest, AReceiveMakesRoom) {
  auto process = system_.Spawn({.capacity = 2, .when_full = WhenFull::kFail}, WaitsForGo, &notes_);
  Deliver(process, Order{"a"});
  EXPECT_EQ(process.Send(Ack{}), SendResult::kQueued);
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kFull);
  Run();
  EXPECT_EQ(notes_, (Notes{"a"}));
  for (const char* item : {"c", "d", "e"}) {
    EXPECT_EQ(process.Send(Order{item}), SendResult::kQueued);
    Run();
  }
  EXPECT_EQ(notes_, (Notes{"a", "c", "d", "e"}));
}

TEST_F(ProcessTest, AnExpiredAskMakesRoom) {
  auto process =
      system_.Spawn({.capacity = 1, .when_full = WhenFull::kFail}, Answers, absl::Seconds(2));
  system_.Spawn<Asker>(process, absl::Seconds(1), notes_).Send(Go{});
  Run();
  EXPECT_EQ(process.Send(Go{}), SendResult::kFull);
  Advance(absl::Seconds(2));
  EXPECT_EQ(process.Send(Go{}), SendResult::kQueued);
}

TEST_F(ProcessTest, DropOldestDropsWhatItHasNotLookedAtAndElseTheNewest) {
  auto process =
      system_.Spawn({.capacity = 2, .when_full = WhenFull::kDropOldest}, WaitsForGo, &notes_);
  Deliver(process, Order{"looked at"});
  process.Send(Order{"oldest in the mailbox"});
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kQueued);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 1u);
  Run();
  EXPECT_EQ(process.Send(Order{"c"}), SendResult::kDropped);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedNewest), 1u);
}

TEST_F(ProcessTest, WhoBlocksAtAFullProcessGoesOnWhenItReceives) {
  auto process = system_.Spawn(
      {.capacity = 1, .when_full = WhenFull::kBlock},
      [](Process<Order>& self, Notes* notes) -> Task<> {
        co_await Sleep(absl::Seconds(1));
        for (;;) notes->push_back((co_await self.Receive()).message.item);
      },
      &notes_);
  process.Send(Order{"a"});
  Run();
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kQueued);  // turns the loop until there is room
  Run();
  EXPECT_EQ(notes_, (Notes{"a", "b"}));
}

TEST_F(ProcessTest, ADownAndAnAnswerNeedNoRoom) {
  auto seven = system_.Spawn([](Question, Context& self) {
    self.Stop();
    return 7;
  });
  auto process = system_.Spawn(
      {.capacity = 1, .when_full = WhenFull::kFail},
      [](Process<Order, Down>& self, ActorRef<internal::FunctionActor<int, Go>>, AnyRef who,
         Recipient<Question> whom, Notes* notes) -> Task<> {
        self.context().Watch(who);
        notes->push_back(std::to_string((co_await whom.Ask(Question{})).value_or(-1)));
        (void)co_await self.Receive<Down>();
        notes->push_back("down");
        notes->push_back((co_await self.Receive<Order>()).message.item);
      },
      ActorRef<internal::FunctionActor<int, Go>>(), seven, seven, &notes_);
  process.Send(Order{"a"});
  Run();
  EXPECT_EQ(notes_, (Notes{"7", "down", "a"}));
  EXPECT_EQ(process.Send(Order{"b"}), SendResult::kClosed);
}

// ---- as an actor among others

TEST_F(ProcessTest, HandlersSpawnProcessesAsChildren) {
  struct Parent {
    Notes& notes;
    void On(Go, Context& self) {
      ActorRef<Process<Order, Ack>> child = self.Spawn(NotesOrders, &notes);
      child.Send(Order{"a"});
      self.Spawn({.name = "second", .capacity = 1}, NotesOrders, &notes).Send(Order{"b"});
    }
  };
  auto parent = system_.Spawn(Parent{notes_});
  Deliver(parent, Go{});
  EXPECT_EQ(notes_, (Notes{"a of somebody", "b of somebody"}));
  const auto live = [&] { return system_.actors().size(); };
  EXPECT_EQ(live(), 3u);
  parent.Stop();
  Run();
  EXPECT_EQ(live(), 0u);
}

TEST_F(ProcessTest, ARefCanBeHadAgainFromTheProcessAndByItsType) {
  auto process = system_.Spawn(
      [](Process<Go>& self, Notes* notes) -> Task<> {
        const AnyRef ref = self.ref();
        notes->push_back(ref.As<Process<Go>>() == self.ref() ? "same" : "other");
        (void)co_await self.Receive();
      },
      &notes_);
  Run();
  EXPECT_EQ(notes_, (Notes{"same"}));
  EXPECT_FALSE(AnyRef(process).As<Process<Order>>().has_value());
}

}  // namespace
}  // namespace troupe
