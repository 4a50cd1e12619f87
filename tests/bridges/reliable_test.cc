// A channel that survives what lies between its ends: never twice, never out of order, never lost without
// a report.
#include "troupe/runtime/bridges/reliable.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using ::troupe::testing::TestSystem;

constexpr absl::Duration kLong = absl::Seconds(60);  // a guard against hanging

struct Order {
  int64_t number;
};
struct Text {
  std::string text;
};

std::vector<int64_t> UpTo(int64_t n) {
  std::vector<int64_t> all;
  for (int64_t i = 1; i <= n; ++i) all.push_back(i);
  return all;
}

template <class M>
void PassOn(const ReliablePort& to, M m, Reply<uint64_t> reply, Context& self) {
  auto shared = std::make_shared<Reply<uint64_t>>(std::move(reply));
  to.Ask(std::move(m), absl::InfiniteDuration())
      .Then(self, [shared](absl::StatusOr<uint64_t> next) { shared->Send(std::move(next)); });
}

// ---- without nodes: what lies between is an actor that loses, doubles and delays, from a seed

class BadWay {
 public:
  BadWay(const ReliablePort& to, uint64_t seed) : to_(to), random_(seed) {}

  void On(ReliableResume m, Reply<uint64_t> reply, Context& self) {
    Treat(std::move(m), std::move(reply), self);
  }
  void On(ReliableSegment m, Reply<uint64_t> reply, Context& self) {
    Treat(std::move(m), std::move(reply), self);
  }
  void On(ReliableEnd m) { to_.Send(m); }

 private:
  template <class M>
  void Treat(M m, Reply<uint64_t> reply, Context& self) {
    switch (random_() % 8) {
      case 0:  // lost: whoever asked is told
        return;
      case 1:  // twice
        to_.Send(M(m));
        return Ask(std::move(m), std::move(reply), self);
      case 2:  // there, but not the answer
        to_.Send(std::move(m));
        return;
      case 3:  // again, much later
        late_.push_back([this, copy = m] { to_.Send(M(copy)); });
        return Ask(std::move(m), std::move(reply), self);
      case 4:
        if (!late_.empty()) {
          const size_t which = random_() % late_.size();
          late_[which]();
          late_.erase(late_.begin() + static_cast<ptrdiff_t>(which));
        }
        return Ask(std::move(m), std::move(reply), self);
      default:
        return Ask(std::move(m), std::move(reply), self);
    }
  }
  template <class M>
  void Ask(M m, Reply<uint64_t> reply, Context& self) {
    PassOn(to_, std::move(m), std::move(reply), self);
  }

  const ReliablePort to_;
  std::mt19937_64 random_;
  std::deque<std::function<void()>> late_;
};

// To whoever is there now, as a late-bound name.
struct Switch {
  ReliablePort& now;
  void On(ReliableResume m, Reply<uint64_t> reply, Context& self) {
    PassOn(now, m, std::move(reply), self);
  }
  void On(ReliableSegment m, Reply<uint64_t> reply, Context& self) {
    PassOn(now, std::move(m), std::move(reply), self);
  }
  void On(ReliableEnd m) { now.Send(m); }
};

// Lets a channel begin, and then says nothing.
struct Silent {
  std::vector<Reply<uint64_t>>& kept;
  uint64_t On(ReliableResume) { return 1; }
  void On(ReliableSegment, Reply<uint64_t> reply) { kept.push_back(std::move(reply)); }
  void On(ReliableEnd) {}
};

class ReliableTest : public ::testing::Test {
 protected:
  ReliablePort Receiver(size_t max_channels = 1024) {
    return system_.Spawn<ReliableReceiver<Order>>(store_, max_channels);
  }
  // What a sender has said that it has lost.
  std::string LossOf(const AnyRef& sender) {
    system_.RunUntilIdle();
    const auto end = ends_.find(sender);
    if (end == ends_.end()) return "it lives";
    EXPECT_EQ(end->second.code(), absl::StatusCode::kDataLoss) << end->second;
    return std::string(end->second.message());
  }

  ReliableTest() {
    system_.events().Subscribe<ActorEnded>(
        system_.Spawn([this](const ActorEnded& end) { ends_[end.who] = end.status; }));
    system_.RunUntilIdle();
  }

  std::map<AnyRef, absl::Status> ends_;
  TestSystem system_;
  std::vector<int64_t> stored_;
  Recipient<Order> store_ = system_.Spawn([this](Order o) { stored_.push_back(o.number); });
};

TEST_F(ReliableTest, WhatIsSentArrivesAndAFlushSaysSo) {
  const auto sender = system_.Spawn<ReliableSender<Order>>(Receiver());
  for (int64_t i = 1; i <= 1000; ++i) sender.Send(Order{i});
  EXPECT_TRUE(sender.Ask(ReliableFlush{}).Wait().ok());
  EXPECT_EQ(stored_, UpTo(1000));
}

TEST(ReliableSeedsTest, OverAWayThatLosesDoublesAndDelaysEachMessageArrivesOnceAndInOrder) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    TestSystem system({.seed = seed});
    std::vector<int64_t> stored;
    const auto store = system.Spawn([&](Order o) { stored.push_back(o.number); });
    const auto receiver = system.Spawn<ReliableReceiver<Order>>(store);
    const auto way = system.Spawn<BadWay>(receiver, seed);
    const auto sender = system.Spawn<ReliableSender<Order>>(
        way, ReliableOptions{.window = static_cast<uint32_t>(1 + seed % 20)});
    for (int64_t i = 1; i <= 50; ++i) sender.Send(Order{i});
    EXPECT_TRUE(system.RunUntil([&] { return stored.size() == 50; }, absl::Hours(1)));
    EXPECT_TRUE(sender.Ask(ReliableFlush{}, absl::Hours(1)).Wait().ok());
    EXPECT_EQ(stored, UpTo(50));
    system.TakeDeadLetters();  // what this way has lost
  }
}

TEST_F(ReliableTest, AReceiverThatBeginsAnewIsReportedAndGetsNothing) {
  const auto first = system_.Spawn<ReliableReceiver<Order>>(store_);
  ReliablePort now = first;
  const auto sender = system_.Spawn<ReliableSender<Order>>(system_.Spawn(Switch{now}));
  for (int64_t i = 1; i <= 3; ++i) sender.Send(Order{i});
  system_.RunUntilIdle();
  ASSERT_EQ(stored_, UpTo(3));
  first.Stop();
  system_.RunUntilIdle();
  now = system_.Spawn<ReliableReceiver<Order>>(store_);
  sender.Send(Order{4});
  sender.Send(Order{5});
  EXPECT_EQ(LossOf(sender),
            "reliable channel: the receiver does not know this channel: it has begun anew; not "
            "acknowledged: 2 messages, from number 4 on");
  EXPECT_EQ(stored_, UpTo(3));
  EXPECT_TRUE(system_.ExpectDeadLetter<Order>().ok());
  EXPECT_TRUE(system_.ExpectDeadLetter<Order>().ok());
  EXPECT_TRUE(system_.ExpectNoDeadLetters().ok());
}

// The loss is noticed first, and then the new life is found: by a Resume rather than by a segment.
TEST_F(ReliableTest, AReceiverThatBeginsAnewIsReportedAlsoToWhoAsksWhereToGoOn) {
  const auto first = system_.Spawn<ReliableReceiver<Order>>(store_);
  ReliablePort now = first;
  const auto sender = system_.Spawn<ReliableSender<Order>>(system_.Spawn(Switch{now}));
  for (int64_t i = 1; i <= 3; ++i) sender.Send(Order{i});
  system_.RunUntilIdle();
  first.Stop();
  system_.RunUntilIdle();
  sender.Send(Order{4});
  system_.Advance(absl::Seconds(3));
  EXPECT_EQ(LossOf(sender), "it lives");
  now = system_.Spawn<ReliableReceiver<Order>>(store_);
  system_.Advance(absl::Seconds(3));
  EXPECT_NE(LossOf(sender).find("not acknowledged: 1 messages, from number 4 on"),
            std::string::npos);
  EXPECT_EQ(stored_, UpTo(3));
  system_.TakeDeadLetters();
}

TEST_F(ReliableTest, TheEndOfTheReceiverOrOfWhomItPassesOnToIsReported) {
  const auto receiver = system_.Spawn<ReliableReceiver<Order>>(store_);
  const auto sender = system_.Spawn<ReliableSender<Order>>(receiver);
  system_.RunUntilIdle();
  receiver.Stop();
  EXPECT_NE(LossOf(sender).find("the receiver has ended; not acknowledged: 0 messages"),
            std::string::npos);

  const auto leaver = system_.Spawn([](Order, Context& self) { self.Stop(); });
  const auto another =
      system_.Spawn<ReliableSender<Order>>(system_.Spawn<ReliableReceiver<Order>>(leaver));
  another.Send(Order{1});
  EXPECT_NE(LossOf(another).find("reliable channel: "), std::string::npos);
  system_.TakeDeadLetters();
}

TEST_F(ReliableTest, WhoGetsNoAnswerForTooLongGivesUpAndReports) {
  std::vector<Reply<uint64_t>> kept;
  const auto silent = system_.Spawn(Silent{kept});
  const auto sender = system_.Spawn<ReliableSender<Order>>(
      silent, ReliableOptions{.give_up_after = absl::Minutes(5)});
  sender.Send(Order{1});
  system_.Advance(absl::Minutes(4));
  kept[0].Send(2);  // that is progress
  sender.Send(Order{2});
  system_.Advance(absl::Minutes(4));
  ASSERT_EQ(kept.size(), 2);
  EXPECT_EQ(LossOf(sender), "it lives");
  system_.Advance(absl::Minutes(2));
  EXPECT_NE(LossOf(sender).find("not acknowledged: 1 messages, from number 2 on"),
            std::string::npos);
  EXPECT_TRUE(system_.ExpectDeadLetter<Order>().ok());
}

TEST_F(ReliableTest, BeyondTheWindowMessagesWaitInTheSendersMailbox) {
  std::vector<Reply<uint64_t>> kept;
  const auto silent = system_.Spawn(Silent{kept});
  const auto sender = system_.Spawn<ReliableSender<Order>>(
      ActorOptions{.capacity = 10, .when_full = WhenFull::kFail}, ReliablePort(silent),
      ReliableOptions{.window = 4});
  int64_t sent = 0;
  for (int i = 0; i < 100; ++i) {
    system_.RunUntilIdle();
    if (sender.Send(Order{sent + 1}) == SendResult::kQueued) ++sent;
  }
  EXPECT_EQ(kept.size(), 4);
  EXPECT_EQ(sent, 15);  // 4 are sent, one has been begun with, 10 wait
  system_.TakeDeadLetters();
  for (uint64_t i = 0; i < 15; ++i) {
    system_.RunUntilIdle();
    ASSERT_GT(kept.size(), i);
    kept[i].Send(i + 2);
  }
  EXPECT_TRUE(sender.Ask(ReliableFlush{}).Wait().ok());
}

TEST_F(ReliableTest, ABoundedReceiverThatRefusesIsAskedAgainUntilItTakesAll) {
  struct Slow {
    std::vector<int64_t>& stored;
    void On(Order o) { stored.push_back(o.number); }
  };
  std::vector<int64_t> stored;
  const auto slow =
      system_.Spawn(ActorOptions{.capacity = 3, .when_full = WhenFull::kFail}, Slow{stored});
  const auto sender =
      system_.Spawn<ReliableSender<Order>>(system_.Spawn<ReliableReceiver<Order>>(slow));
  for (int64_t i = 1; i <= 40; ++i) sender.Send(Order{i});
  EXPECT_TRUE(sender.Ask(ReliableFlush{}, absl::Hours(1)).Wait().ok());
  system_.RunUntilIdle();
  EXPECT_EQ(stored, UpTo(40));
  system_.TakeDeadLetters();
}

// Answers all segments with the same error, until it is told to pass them on.
struct Refusing {
  ReliablePort to;
  const absl::Status& why;
  void On(ReliableResume m, Reply<uint64_t> reply, Context& self) {
    PassOn(to, m, std::move(reply), self);
  }
  void On(ReliableSegment m, Reply<uint64_t> reply, Context& self) {
    why.ok() ? PassOn(to, std::move(m), std::move(reply), self) : reply.Send(why);
  }
  void On(ReliableEnd m) { to.Send(m); }
};

TEST_F(ReliableTest, NoWantOfRoomHoweverLongAndNoErrorThatIsNotFinalIsTheEnd) {
  for (const auto code : {absl::StatusCode::kResourceExhausted, absl::StatusCode::kUnavailable,
                          absl::StatusCode::kFailedPrecondition}) {
    SCOPED_TRACE(absl::StatusCodeToString(code));
    stored_.clear();
    absl::Status why(code, "not now");
    const auto sender = system_.Spawn<ReliableSender<Order>>(
        system_.Spawn(Refusing{Receiver(), why}), ReliableOptions{.window = 4});
    for (int64_t i = 1; i <= 10; ++i) sender.Send(Order{i});
    system_.Advance(absl::Minutes(4));
    EXPECT_EQ(LossOf(sender), "it lives");
    why = absl::OkStatus();
    EXPECT_TRUE(sender.Ask(ReliableFlush{}, absl::Hours(1)).Wait().ok());
    EXPECT_EQ(stored_, UpTo(10));
  }
}

TEST_F(ReliableTest, WantOfRoomThatDoesNotPassIsReportedInTheEnd) {
  const absl::Status why = absl::ResourceExhaustedError("never");
  const auto sender =
      system_.Spawn<ReliableSender<Order>>(system_.Spawn(Refusing{Receiver(), why}));
  sender.Send(Order{1});
  system_.Advance(absl::Minutes(6));
  EXPECT_NE(LossOf(sender).find("nothing was acknowledged for"), std::string::npos);
  EXPECT_TRUE(system_.ExpectDeadLetter<Order>().ok());
}

// Those that are unacknowledged, those on their way to them, and those that wait for the window.
TEST(ReliableSeedsTest, AllThatIsLostWithAChannelIsADeadLetterAsWhatItWas) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    TestSystem system({.seed = seed});
    std::vector<Reply<uint64_t>> kept;
    const auto silent = system.Spawn(Silent{kept});
    const auto sender = system.Spawn<ReliableSender<Order>>(silent, ReliableOptions{.window = 8});
    sender.Send(Order{1});
    system.RunUntilIdle();
    ASSERT_EQ(kept.size(), 1);
    for (int64_t i = 2; i <= 20; ++i) sender.Send(Order{i});
    kept[0].Send(absl::NotFoundError("forgotten"));
    system.RunUntilIdle();
    for (int i = 1; i <= 20; ++i) EXPECT_TRUE(system.ExpectDeadLetter<Order>().ok()) << i;
    system.TakeDeadLetters();  // what was asked of the channel
  }
}

TEST_F(ReliableTest, AReceiverOfOtherMessagesIsReported) {
  const auto reader = system_.Spawn([](const Text&) {});
  const auto sender =
      system_.Spawn<ReliableSender<Order>>(system_.Spawn<ReliableReceiver<Text>>(reader));
  sender.Send(Order{1});
  EXPECT_NE(LossOf(sender).find("the receiver is for another message"), std::string::npos);
  EXPECT_TRUE(system_.ExpectDeadLetter<Order>().ok());
}

TEST_F(ReliableTest, AChannelThatHasBeenForgottenForOthersIsReported) {
  const ReliablePort receiver = Receiver(/*max_channels=*/2);
  std::vector<ActorRef<ReliableSender<Order>>> senders;
  for (int64_t i = 1; i <= 3; ++i) {
    senders.push_back(system_.Spawn<ReliableSender<Order>>(receiver));
    senders.back().Send(Order{i});
    system_.RunUntilIdle();
  }
  senders[1].Send(Order{4});
  senders[2].Send(Order{5});
  senders[0].Send(Order{6});
  EXPECT_NE(LossOf(senders[0]).find("does not know this channel"), std::string::npos);
  EXPECT_EQ(stored_, UpTo(5));
  EXPECT_TRUE(system_.ExpectDeadLetter<Order>().ok());
}

TEST_F(ReliableTest, ASenderThatEndsInPeaceIsForgotten) {
  const ReliablePort receiver = Receiver(/*max_channels=*/2);
  const auto first = system_.Spawn<ReliableSender<Order>>(receiver);
  first.Send(Order{1});
  system_.RunUntilIdle();
  for (int64_t i = 2; i <= 5; ++i) {  // there is always room for it
    const auto other = system_.Spawn<ReliableSender<Order>>(receiver);
    other.Send(Order{i});
    system_.RunUntilIdle();
    other.Stop();
    system_.RunUntilIdle();
  }
  first.Send(Order{6});
  EXPECT_TRUE(first.Ask(ReliableFlush{}).Wait().ok());
  EXPECT_EQ(stored_, UpTo(6));
}

// ---- over nodes, whose links are cut

// Takes so many bytes, and then breaks.
class CutLink final : public Link {
 public:
  CutLink(std::unique_ptr<Link> link, size_t bytes) : link_(std::move(link)), left_(bytes) {}
  void Start(std::shared_ptr<LinkEvents> events) override { link_->Start(std::move(events)); }
  size_t Write(std::span<const std::string_view> parts) override {
    size_t taken = 0;
    for (const std::string_view part : parts) {
      const std::array<std::string_view, 1> piece{part.substr(0, left_)};
      const size_t written = link_->Write(piece);
      taken += written;
      left_ -= written;
      if (written < part.size()) break;
    }
    if (left_ == 0) link_->Close(absl::UnavailableError("cut"));
    return taken;
  }
  void AwaitWritable() override { link_->AwaitWritable(); }
  void Close(absl::Status why) override { link_->Close(std::move(why)); }
  std::string peer() const override { return link_->peer(); }

 private:
  const std::unique_ptr<Link> link_;
  size_t left_;  // who has to flush writes, one at a time
};

TEST(ReliableNodesTest, LinksCutAtAnyByteLoseAndDoubleNothing) {
  constexpr int64_t kOrders = 100;
  size_t cuts = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    System there_system, here_system;
    Node there(there_system), here(here_system);
    std::promise<std::vector<int64_t>> done;
    auto stored = std::make_shared<std::vector<int64_t>>();
    const auto store = there_system.Spawn([&done, stored](Order o) {
      stored->push_back(o.number);
      if (stored->size() == kOrders) done.set_value(*stored);
    });
    ASSERT_TRUE(
        PublishReliable(there, "orders", there_system.Spawn<ReliableReceiver<Order>>(store)).ok());
    size_t links = 0;  // of the actor that dials
    const auto connection = here.Maintain(
        [&]() -> absl::StatusOr<std::unique_ptr<Link>> {
          ++links;
          auto [mine, its] = MakeMemoryLink(1 + random() % 1000);
          const bool cut_here = random() % 2 == 0;
          const size_t after = 300 + random() % 3000;
          const size_t never = size_t{1} << 40;
          there.Serve(std::make_unique<CutLink>(std::move(its), cut_here ? never : after));
          return std::make_unique<CutLink>(std::move(mine), cut_here ? after : never);
        },
        {.backoff = {.min = absl::Milliseconds(1), .max = absl::Milliseconds(2)}});
    ASSERT_TRUE(connection.ok()) << connection.status();
    const auto sender = here_system.Spawn<ReliableSender<Order>>(
        FindReliable(*connection, "orders"), ReliableOptions{.window = 16});
    for (int64_t i = 1; i <= kOrders; ++i) sender.Send(Order{i});
    const absl::Status flushed = sender.Ask(ReliableFlush{}, kLong).Wait();
    ASSERT_TRUE(flushed.ok()) << flushed;
    EXPECT_EQ(done.get_future().get(), UpTo(kOrders));
    connection->Stop();
    ASSERT_TRUE(here_system.Join(connection->ref(), kLong).ok());
    cuts += links - 1;
  }
  EXPECT_GT(cuts, 40);  // or it has tried nothing
}

TEST(ReliableNodesTest, AMessageThatIsTooLongForTheOtherNodeIsReported) {
  System there_system, here_system;
  Node there(there_system, {.max_frame = 4096}), here(here_system);
  const auto reader = there_system.Spawn([](const Text&) {});
  ASSERT_TRUE(
      PublishReliable(there, "texts", there_system.Spawn<ReliableReceiver<Text>>(reader)).ok());
  const auto connection = here.Maintain([&]() -> absl::StatusOr<std::unique_ptr<Link>> {
    auto [mine, its] = MakeMemoryLink();
    there.Serve(std::move(its));
    return std::move(mine);
  });
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto sender = here_system.Spawn<ReliableSender<Text>>(FindReliable(*connection, "texts"));
  sender.Send(Text{"short"});
  EXPECT_TRUE(sender.Ask(ReliableFlush{}, kLong).Wait().ok());
  std::promise<absl::Status> end;
  here_system.events().Subscribe<ActorEnded>(
      here_system.Spawn([&end, who = AnyRef(sender)](const ActorEnded& e) {
        if (e.who == who) end.set_value(e.status);
      }));
  sender.Send(Text{std::string(5000, 'x')});
  const absl::Status loss = end.get_future().get();
  EXPECT_EQ(loss.code(), absl::StatusCode::kDataLoss) << loss;
}

}  // namespace
}  // namespace troupe
