// What is too much: full windows, full mailboxes on the way, and frames that are too long.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Deposit {
  int64_t cents;
};
struct Stall {
  using Reply = int64_t;
};
struct Print {
  using Reply = std::string;
  uint32_t length;
};
struct Document {
  using Reply = int64_t;
  std::string text;
};

class FlowTest : public testing::Test {
 protected:
  FlowTest(NodeOptions bank, NodeOptions client)
      : bank_(bank_system_, std::move(bank)), client_(client_system_, std::move(client)) {}

  Peer Connect() {
    auto [here, there] = MakeMemoryLink();
    bank_.Serve(std::move(there));
    absl::StatusOr<Peer> peer = client_.Attach(std::move(here), kLong).Wait();
    EXPECT_TRUE(peer.ok()) << peer.status();
    return *std::move(peer);
  }

  System bank_system_;
  System client_system_;
  Node bank_;
  Node client_;
};

class SmallWindowTest : public FlowTest {
 protected:
  SmallWindowTest()
      : FlowTest({.max_frame = 4096, .window = 1000},
                 {.capacity = 4, .when_full = WhenFull::kFail}) {}
};

TEST_F(SmallWindowTest, ASlowReceiverHoldsUpTheSenderWhoLearnsIt) {
  std::promise<void> go;
  std::shared_future<void> may_go = go.get_future().share();
  std::atomic<int64_t> handled = 0;
  const auto slow = bank_system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                       [&handled, may_go](Deposit) {
                                         may_go.wait();
                                         handled.fetch_add(1);
                                       });
  ASSERT_TRUE(bank_.Publish<Deposit>("slow", slow).ok());
  const auto to = Connect().Find<Deposit>("slow", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  // It fills half of the window (1,000 bytes, some 11 messages), then four wait here, and then it is full.
  int64_t sent = 0;
  while (to->Send(Deposit{1}) == SendResult::kQueued) ++sent;
  EXPECT_GE(sent, 4);
  EXPECT_LE(sent, 1000);
  go.set_value();
  while (handled.load() < sent) std::this_thread::yield();
  // And then it goes on.
  while (to->Send(Deposit{1}) != SendResult::kQueued) std::this_thread::yield();
  while (handled.load() < sent + 1) std::this_thread::yield();
}

uint64_t MostQueued(const System& system) {
  uint64_t most = 0;
  for (const ActorStats& actor : system.actors()) most = std::max(most, actor.queued);
  return most;
}

class LittleRoomTest : public FlowTest {
 protected:
  LittleRoomTest() : FlowTest({.window = 1000}, {.capacity = 4}) {}
};

// Sends one after the other, each when the one before has found room, and no thread waits.
struct Teller {
  Recipient<Deposit> to;
  int64_t left;
  std::atomic<int64_t>& sent;
  std::promise<absl::Status>& all;

  void On(Deposit, Context& self) { Next(self); }
  void Next(Context& self) {
    if (left-- == 0) return all.set_value(absl::OkStatus());
    to.Enqueue(Deposit{left}).Then(self, [this](const absl::Status& status, Context& now) {
      if (!status.ok()) return all.set_value(status);
      sent.fetch_add(1);
      Next(now);
    });
  }
};

TEST_F(LittleRoomTest, ASenderAwaitsRoomTowardsAnotherNodeWithoutAThread) {
  constexpr int64_t kAll = 200;
  std::promise<void> go;
  std::vector<int64_t> handled;
  std::promise<void> last;
  const auto slow = bank_system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                       [&, may_go = go.get_future().share()](Deposit deposit) {
                                         may_go.wait();
                                         handled.push_back(deposit.cents);
                                         if (handled.size() == kAll) last.set_value();
                                       });
  ASSERT_TRUE(bank_.Publish<Deposit>("slow", slow).ok());
  const auto to = Connect().Find<Deposit>("slow", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  std::atomic<int64_t> sent = 0;
  std::promise<absl::Status> all;
  auto done = all.get_future();
  client_system_.Spawn<Teller>(*to, kAll, sent, all).Send(Deposit{});
  // As many as half of the window (1,000 bytes), one hand and the mailbox take.
  EXPECT_TRUE(Eventually([&] { return MostQueued(client_system_) == 4; }));
  EXPECT_GE(sent.load(), 4);
  EXPECT_LT(sent.load(), 40);
  go.set_value();
  EXPECT_EQ(done.get(), absl::OkStatus());
  last.get_future().wait();
  for (int64_t i = 0; i < kAll; ++i) EXPECT_EQ(handled[i], kAll - 1 - i);
}

class LittleRoomThereTest : public FlowTest {
 protected:
  LittleRoomThereTest() : FlowTest({.window = 1000}, {}) {}
};

TEST_F(LittleRoomThereTest, AsksThatHaveWaitedForRoomLearnThatTheNodeIsLost) {
  constexpr int kAsks = 100;  // there is room for 12, and the rest waits
  std::promise<void> go, asked;
  const auto slow = bank_system_.Spawn(
      ActorOptions{.placement = Placement::kDedicatedThread},
      [may_go = go.get_future().share()](Stall, Reply<int64_t>) { may_go.wait(); });
  ASSERT_TRUE(bank_.Publish<Stall>("slow", slow).ok());
  const Peer peer = Connect();
  const auto to = peer.Find<Stall>("slow", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  std::atomic<int> lost = 0, answered = 0;
  const auto asker = client_system_.Spawn([&](Deposit, Context& self) {
    for (int i = 0; i < kAsks; ++i) {
      to->Ask(Stall{}, absl::InfiniteDuration())
          .Then(self, [&](const absl::StatusOr<int64_t>& cents) {
            lost += IsNodeLost(cents.status());
            ++answered;
          });
    }
    asked.set_value();
  });
  asker.Send(Deposit{});
  asked.get_future().wait();
  EXPECT_TRUE(Eventually([&] {  // until they wait, and one is in hand
    const std::vector<ActorStats> all = client_system_.actors();
    return std::any_of(all.begin(), all.end(), [](const ActorStats& actor) {
      return absl::StartsWith(actor.name, "number ") && actor.queued > 0 && actor.queued < 90;
    });
  }));
  peer.Disconnect();
  EXPECT_TRUE(Eventually([&] { return answered == kAsks; }));
  EXPECT_EQ(lost, kAsks);
  go.set_value();
}

// With kBlock, which is what NodeOptions says if one says nothing.
// Also the one that the proxy has in hand, whose frame waits for credit.
TEST(LostNodeTest, AllThatWaitedForRoomIsADeadLetter) {
  constexpr uint64_t kSent = 100, kWindow = 1000, kFrame = 46;
  constexpr uint64_t kCross = (kWindow / 2 - 1) / kFrame + 1;
  std::promise<void> go;
  std::atomic<uint64_t> handled = 0, lost = 0;
  System bank_system;
  System client_system({.on_dead_letter = [&lost](const DeadLetter& letter) {
    lost += absl::StrContains(std::string(letter.message_type), "Deposit");
  }});
  Node bank(bank_system, {.window = kWindow});
  Node client(client_system);
  const auto slow = bank_system.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                      [&handled, may_go = go.get_future().share()](Deposit) {
                                        may_go.wait();
                                        ++handled;
                                      });
  ASSERT_TRUE(bank.Publish<Deposit>("slow", slow).ok());
  auto [here, there] = MakeMemoryLink();
  bank.Serve(std::move(there));
  const absl::StatusOr<Peer> peer = client.Attach(std::move(here), kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  const auto to = peer->Find<Deposit>("slow", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();

  for (uint64_t i = 0; i < kSent; ++i) ASSERT_EQ(to->Send(Deposit{1}), SendResult::kQueued);
  // The handler there has the first, and the proxy here the one behind those that have crossed.
  ASSERT_TRUE(Eventually([&] { return MostQueued(bank_system) == kCross - 1; }));
  ASSERT_TRUE(Eventually([&] { return MostQueued(client_system) == kSent - kCross - 1; }));
  peer->Disconnect();
  EXPECT_TRUE(Eventually([&] { return lost == kSent - kCross; })) << lost;
  go.set_value();
  EXPECT_TRUE(Eventually([&] { return handled == kCross; })) << handled;
  EXPECT_EQ(lost, kSent - kCross);
}

TEST_F(LittleRoomThereTest, ATrySendToARemoteActorNeverWaits) {
  std::promise<void> go;
  std::atomic<int64_t> handled = 0;
  const auto slow = bank_system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                       [&handled, may_go = go.get_future().share()](Deposit) {
                                         may_go.wait();
                                         ++handled;
                                       });
  ASSERT_TRUE(bank_.Publish<Deposit>("slow", slow).ok());
  const auto to = Connect().Find<Deposit>("slow", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  int64_t sent = 0;
  while (to->TrySend(Deposit{1}) == SendResult::kQueued) ++sent;
  EXPECT_GE(sent, 1024);  // NodeOptions::capacity
  go.set_value();
  EXPECT_EQ(to->Send(Deposit{1}), SendResult::kQueued);  // which waits
  EXPECT_TRUE(Eventually([&] { return handled == sent + 1; }));
}

class SmallWindowOnThisSideTest : public FlowTest {
 protected:
  SmallWindowOnThisSideTest() : FlowTest({}, {.max_frame = 4096, .window = 1000}) {}
};

TEST_F(SmallWindowOnThisSideTest, APeerWithALargerWindowGivesCreditByItsOwn) {
  std::promise<void> all;
  const auto account = bank_system_.Spawn([&all, cents = int64_t{0}](Deposit d) mutable {
    if ((cents += d.cents) == 10'000) all.set_value();
  });
  ASSERT_TRUE(bank_.Publish<Deposit>("account", account).ok());
  const Peer peer = Connect();
  const auto to = peer.Find<Deposit>("account", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  for (int i = 0; i < 10'000; ++i) {  // half of the bank's window: it gives credit by quarters
    ASSERT_EQ(to->Send(Deposit{1}), SendResult::kQueued);
  }
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_TRUE(peer.Find<Deposit>("account", kLong).Wait().ok());  // it is still there
}

class SmallFrameTest : public FlowTest {
 protected:
  SmallFrameTest() : FlowTest({}, {.max_frame = 4096}) {}
};

TEST_F(SmallFrameTest, AnAnswerLongerThanTheAskerTakesIsAnErrorAndNotTheEnd) {
  const auto printer = bank_system_.Spawn(
      [](Print p, Reply<std::string> reply) { reply.Send(std::string(p.length, 'x')); });
  ASSERT_TRUE(bank_.Publish<Print>("printer", printer).ok());
  const auto to = Connect().Find<Print>("printer", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  EXPECT_EQ(to->Ask(Print{5000}, kLong).Wait().status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(to->Ask(Print{3000}, kLong).Wait().value_or("").size(), 3000u);
}

TEST_F(SmallWindowTest, AMessageLongerThanThePeerTakesIsRefusedHere) {
  const auto reader = bank_system_.Spawn([](const Document& d, Reply<int64_t> reply) {
    reply.Send(static_cast<int64_t>(d.text.size()));
  });
  ASSERT_TRUE(bank_.Publish<Document>("reader", reader).ok());
  const auto to = Connect().Find<Document>("reader", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  EXPECT_EQ(to->Ask(Document{std::string(5000, 'x')}, kLong).Wait().status().code(),
            absl::StatusCode::kInvalidArgument);
  const uint64_t before = client_system_.stats().dead_letters_total();
  to->Send(Document{std::string(5000, 'x')});
  EXPECT_EQ(to->Ask(Document{std::string(3000, 'x')}, kLong).Wait().value_or(-1), 3000);
  EXPECT_EQ(client_system_.stats().dead_letters_total(), before + 1);
}

}  // namespace
}  // namespace troupe
