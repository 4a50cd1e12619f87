#include "troupe/actors/process.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/process_fixture.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

// ---- receiving

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

TEST_F(ProcessTest, AnAskInTheBodyInheritsNoDeadlineAndMayBeGivenIt) {
  auto silent =
      system_.Spawn([kept = std::vector<Reply<int>>()](Question, Reply<int> reply) mutable {
        kept.push_back(std::move(reply));
      });
  auto body = [](Process<Question>& self, Recipient<Question> silent, bool inherit,
                 Notes* notes) -> Task<> {
    auto [question, from, reply] = co_await self.Receive<Question>();
    const absl::Time begun = self.context().Now();
    const absl::Duration left = reply.deadline() - begun;
    (void)co_await silent.Ask(Question{},
                              inherit ? std::min(kDefaultAskTimeout, left) : kDefaultAskTimeout);
    notes->push_back(absl::FormatDuration(self.context().Now() - begun));
  };
  for (bool inherit : {false, true}) {
    auto process = system_.Spawn(body, silent, inherit, &notes_);
    system_
        .Spawn([process](Go, Context& self) {
          process.Ask(Question{}, absl::Seconds(1)).Then(self, [](absl::StatusOr<int>) {});
        })
        .Send(Go{});
    Advance(absl::Minutes(1));
  }
  EXPECT_EQ(notes_, (Notes{"5s", "1s"}));
}

}  // namespace
}  // namespace troupe
