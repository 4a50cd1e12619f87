// Two systems in one process that know each other through nodes alone: messages, asks, refs, ends.
#include "troupe/runtime/bridges/node.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Deposit {
  int64_t cents;
};
struct Balance {
  using Reply = int64_t;
};
struct Overdraw {
  using Reply = int64_t;
};
struct Stall {
  using Reply = int64_t;
};
struct Crash {};
struct Deadline {
  using Reply = absl::Duration;
};
struct TellMe {
  Recipient<Deposit> whom;
};
struct WhoIs {
  using Reply = Recipient<Deposit>;
  Recipient<Deposit> whom;
};

class Account {
 public:
  void On(Deposit d) { cents_ += d.cents; }
  int64_t On(Balance) { return cents_; }
  absl::StatusOr<int64_t> On(Overdraw) { return absl::OutOfRangeError("no such credit"); }
  void On(Stall, Reply<int64_t> reply) { stalled_.push_back(std::move(reply)); }
  void On(Crash) { throw std::runtime_error("crashed as told"); }
  absl::Duration On(Deadline, Context& self) { return self.deadline() - self.Now(); }
  void On(TellMe m) { m.whom.Send(Deposit{cents_}); }
  Recipient<Deposit> On(WhoIs m) { return m.whom; }

 private:
  int64_t cents_ = 0;
  std::vector<Reply<int64_t>> stalled_;
};
using Alice = Recipient<Deposit, Balance, Overdraw, Stall, Crash, Deadline, TellMe, WhoIs>;

// Short: the path of a Unix socket has 107 bytes at most, and a test's own folder may have more.
std::string SocketPath() {
  static std::atomic<int> number = 0;
  return absl::StrCat("unix:///tmp/troupe-node-test-", ::getpid(), "-", number++);
}

// A bank and a client, in two systems.
class NodeTest : public testing::Test {
 protected:
  explicit NodeTest(NodeOptions bank = {.name = "bank"}, NodeOptions client = {})
      : bank_(bank_system_, std::move(bank)), client_(client_system_, std::move(client)) {}

  Peer Connect() {
    absl::StatusOr<std::string> at = bank_.Listen(SocketPath());
    EXPECT_TRUE(at.ok()) << at.status();
    absl::StatusOr<Peer> peer = client_.Connect(*at, kLong).Wait();
    EXPECT_TRUE(peer.ok()) << peer.status();
    return *std::move(peer);
  }
  ActorRef<Account> PublishAlice() {
    const auto account = bank_system_.Spawn<Account>();
    EXPECT_TRUE((bank_.Publish<Deposit, Balance, Overdraw, Stall, Crash, Deadline, TellMe, WhoIs>(
                     "alice", account))
                    .ok());
    return account;
  }
  Alice FindAlice(const Peer& peer) {
    auto found =
        peer.Find<Deposit, Balance, Overdraw, Stall, Crash, Deadline, TellMe, WhoIs>("alice", kLong)
            .Wait();
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(Alice());
  }

  System bank_system_;
  System client_system_;
  Node bank_;
  Node client_;
  std::deque<Node> others_;
};

// Whatever the address, a link decides: both nodes are in this process.
TEST_F(NodeTest, P5_ARecipientTellsWhereItsActorIsAndIsUsedAlikeEverywhere) {
  const auto account = PublishAlice();
  const Alice own = account;
  auto [to_bank, to_client] = MakeMemoryLink();
  bank_.Serve(std::move(to_client));
  const auto dial = [this](std::string_view address) {
    auto at = bank_.Listen(address);
    EXPECT_TRUE(at.ok()) << at.status();
    Node& other = others_.emplace_back(client_system_);
    return FindAlice(other.Connect(at.value_or(""), kLong).Wait().value());
  };
  const std::vector<std::pair<Alice, Place>> alices{
      {own, Place::kThisProcess},
      {FindAlice(client_.Attach(std::move(to_bank), kLong).Wait().value()), Place::kThisProcess},
      {dial(SocketPath()), Place::kThisComputer},
      {dial("tcp://127.0.0.1:0"), Place::kOtherComputer}};
  int64_t cents = 0;
  for (const auto& [alice, place] : alices) {
    EXPECT_EQ(alice.place(), place) << PlaceName(place);
    EXPECT_EQ(AnyRef(alice).place(), place);
    EXPECT_EQ(alice.Send(Deposit{7}), SendResult::kQueued);
    EXPECT_EQ(alice.Ask(Balance{}, kLong).Wait().value_or(-1), cents += 7);
  }
  EXPECT_EQ(Alice().place(), Place::kNowhere);
  account.Stop();
  EXPECT_TRUE(bank_system_.Join(account).ok());
  // Watchers are told of the end a moment before refs show it.
  EXPECT_TRUE(Eventually([&] { return own.place() == Place::kNowhere; }));
}

// Letters of any size, and what of them has come in which order.
struct Letter {
  int number;
  std::string text;
};
struct Numbers {
  using Reply = std::vector<int>;
};
struct Copy {
  using Reply = std::string;
  std::string text;
};
class Reader {
 public:
  void On(const Letter& letter) {
    numbers_.push_back(letter.text == std::string(letter.text.size(), 'x') ? letter.number : -1);
  }
  std::vector<int> On(Numbers) { return numbers_; }
  std::string On(Copy m) { return std::move(m.text); }

 private:
  std::vector<int> numbers_;
};

TEST_F(NodeTest, LettersOfAllSizesArriveWholeAndInOrderAndSoDoLargeAnswers) {
  const Peer peer = Connect();
  ASSERT_TRUE((bank_.Publish<Letter, Numbers, Copy>("reader", bank_system_.Spawn<Reader>())).ok());
  const auto reader = peer.Find<Letter, Numbers, Copy>("reader", kLong).Wait();
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<int> sent;
  for (int i = 0; i < 60; ++i) {
    const size_t size = i % 7 == 3 ? 700'000 : i % 3 == 0 ? 65'536 : 10;
    reader->Send(Letter{i, std::string(size, 'x')});
    sent.push_back(i);
  }
  const std::string large(3 << 20, 'y');
  EXPECT_EQ(reader->Ask(Copy{large}, kLong).Wait().value_or(""), large);
  EXPECT_EQ(reader->Ask(Numbers{}, kLong).Wait().value_or(std::vector<int>()), sent);
}

TEST_F(NodeTest, ARemoteActorIsSentToAndAskedAsALocalOne) {
  PublishAlice();
  const Alice alice = FindAlice(Connect());
  EXPECT_EQ(alice.Send(Deposit{100}), SendResult::kQueued);
  EXPECT_EQ(alice.Send(Deposit{23}), SendResult::kQueued);
  const absl::StatusOr<int64_t> cents = alice.Ask(Balance{}, kLong).Wait();
  ASSERT_TRUE(cents.ok()) << cents.status();
  EXPECT_EQ(*cents, 123);
}

TEST_F(NodeTest, AnErrorAnswerComesWithCodeAndText) {
  PublishAlice();
  const Alice alice = FindAlice(Connect());
  const absl::Status error = alice.Ask(Overdraw{}, kLong).Wait().status();
  EXPECT_EQ(error.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(error.message(), "no such credit");
  EXPECT_FALSE(IsNodeLost(error));
}

TEST_F(NodeTest, TheDeadlineOfAnAskTravelsWithIt) {
  PublishAlice();
  const Alice alice = FindAlice(Connect());
  const absl::StatusOr<absl::Duration> left = alice.Ask(Deadline{}, absl::Hours(1)).Wait();
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_LE(*left, absl::Minutes(61));
  EXPECT_GT(*left, absl::Minutes(50));
  EXPECT_EQ(alice.Ask(Stall{}, absl::Milliseconds(1)).Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(NodeTest, NobodyIsFoundWhoIsNotPublishedForTheMessage) {
  const auto account = bank_system_.Spawn<Account>();
  ASSERT_TRUE(bank_.Publish<Deposit>("bob", account).ok());
  const Peer peer = Connect();
  EXPECT_EQ(peer.Find<Deposit>("alice", kLong).Wait().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ((peer.Find<Deposit, Balance>("bob", kLong).Wait().status().code()),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(peer.Find<Deposit>("bob", kLong).Wait().ok());
  EXPECT_TRUE(bank_.Unpublish("bob"));
  EXPECT_FALSE(bank_.Unpublish("bob"));
  EXPECT_EQ(peer.Find<Deposit>("bob", kLong).Wait().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(NodeTest, WhoHasEndedIsNotFound) {
  const auto account = PublishAlice();
  const Peer peer = Connect();
  account.Stop();
  EXPECT_TRUE(Eventually(
      [&] { return absl::IsNotFound(peer.Find<Deposit>("alice", kLong).Wait().status()); }));
}

TEST_F(NodeTest, PublishRefusesWhatNobodyCouldFind) {
  const auto account = bank_system_.Spawn<Account>();
  EXPECT_EQ(bank_.Publish<Deposit>("", account).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(bank_.Publish<Deposit>("x", Recipient<Deposit>()).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(NodeTest, MessagesOfOneSenderArriveInOrder) {
  std::promise<std::vector<int64_t>> done;
  constexpr int64_t kMessages = 20000;
  const auto recorder =
      bank_system_.Spawn([&done, seen = std::vector<int64_t>()](Deposit d) mutable {
        seen.push_back(d.cents);
        if (seen.size() == kMessages) done.set_value(std::move(seen));
      });
  ASSERT_TRUE(bank_.Publish<Deposit>("recorder", recorder).ok());
  const auto to = Connect().Find<Deposit>("recorder", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  for (int64_t i = 0; i < kMessages; ++i) ASSERT_EQ(to->Send(Deposit{i}), SendResult::kQueued);
  const std::vector<int64_t> seen = done.get_future().get();
  for (int64_t i = 0; i < kMessages; ++i) ASSERT_EQ(seen[i], i);
}

TEST_F(NodeTest, ARecipientInAMessageGivesTheRightToSendToIt) {
  PublishAlice();
  const Alice alice = FindAlice(Connect());
  std::promise<int64_t> told;
  const auto me = client_system_.Spawn([&told](Deposit d) { told.set_value(d.cents); });
  alice.Send(Deposit{7});
  alice.Send(TellMe{me});
  EXPECT_EQ(told.get_future().get(), 7);
}

TEST_F(NodeTest, ARefThatComesHomeIsTheActorsOwn) {
  PublishAlice();
  const Alice alice = FindAlice(Connect());
  const auto me = client_system_.Spawn([](Deposit) {});
  const auto back = alice.Ask(WhoIs{me}, kLong).Wait();
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(AnyRef(*back), AnyRef(me));
  const auto nobody = alice.Ask(WhoIs{{}}, kLong).Wait();
  ASSERT_TRUE(nobody.ok()) << nobody.status();
  EXPECT_FALSE(*nobody);
}

TEST_F(NodeTest, AnActorFoundTwiceIsTheSame) {
  PublishAlice();
  const Peer peer = Connect();
  EXPECT_EQ(AnyRef(FindAlice(peer)), AnyRef(FindAlice(peer)));
}

TEST_F(NodeTest, AWatcherLearnsHowARemoteActorEnded) {
  PublishAlice();
  const Peer peer = Connect();
  const Alice alice = FindAlice(peer);
  alice.Send(Crash{});
  const absl::StatusOr<Down> down = client_system_.Join(alice, kLong);
  ASSERT_TRUE(down.ok()) << down.status();
  // Or it had ended before Join, or the bank's session, began to watch it.
  if (down->reason == ExitReason::kFailed && !absl::IsNotFound(down->status)) {
    EXPECT_NE(down->status.message().find("crashed as told"), absl::string_view::npos);
    EXPECT_FALSE(IsNodeLost(down->status));
  }
  EXPECT_EQ(alice.Send(Deposit{1}), SendResult::kClosed);
  EXPECT_EQ(alice.Ask(Balance{}, kLong).Wait().status().code(), absl::StatusCode::kUnavailable);
  const auto again = peer.Find<Deposit>("alice", kLong).Wait();  // a dead actor, or nobody
  if (again.ok()) {
    EXPECT_TRUE(client_system_.Join(*again, kLong).ok());
  }
}

TEST_F(NodeTest, AsksFailAndRefsDieAtOnceWhenTheConnectionBreaks) {
  PublishAlice();
  const Peer peer = Connect();
  const Alice alice = FindAlice(peer);
  std::promise<absl::Status> answer;
  std::promise<void> asked;
  const auto asker = client_system_.Spawn([&](Deposit, Context& self) {
    alice.Ask(Stall{}, absl::InfiniteDuration()).Then(self, [&](absl::StatusOr<int64_t> cents) {
      answer.set_value(cents.status());
    });
    asked.set_value();
  });
  asker.Send(Deposit{});
  asked.get_future().wait();
  ASSERT_TRUE(alice.Ask(Balance{}, kLong).Wait().ok());
  peer.Disconnect();
  EXPECT_TRUE(IsNodeLost(answer.get_future().get()));
  ASSERT_TRUE(client_system_.Join(alice, kLong).ok());
  ASSERT_TRUE(client_system_.Join(peer.ref(), kLong).ok());
  EXPECT_EQ(alice.Send(Deposit{1}), SendResult::kClosed);
  EXPECT_EQ(peer.Find<Deposit>("alice", kLong).Wait().status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(NodeTest, ANodeMadeAnewIsAnother) {
  System system;
  NodeId first;
  const std::string path = SocketPath();
  {
    Node node(system);
    first = node.id();
    ASSERT_TRUE(node.Listen(path).ok());
    const absl::StatusOr<Peer> peer = client_.Connect(path, kLong).Wait();
    ASSERT_TRUE(peer.ok()) << peer.status();
    EXPECT_EQ(peer->id(), first);
  }
  Node node(system);
  ASSERT_TRUE(node.Listen(path).ok());
  const absl::StatusOr<Peer> peer = client_.Connect(path, kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_NE(peer->id(), first);
  EXPECT_EQ(peer->id().ToString(), node.id().ToString());
}

TEST_F(NodeTest, MessagePassing_R14_TcpAndAHostsOwnLinkServeAlike) {
  PublishAlice();
  const absl::StatusOr<std::string> at = bank_.Listen("tcp://127.0.0.1:0");
  ASSERT_TRUE(at.ok()) << at.status();
  const absl::StatusOr<Peer> over_tcp = client_.Connect(*at, kLong).Wait();
  ASSERT_TRUE(over_tcp.ok()) << over_tcp.status();
  FindAlice(*over_tcp).Send(Deposit{5});
  EXPECT_EQ(FindAlice(*over_tcp).Ask(Balance{}, kLong).Wait().value_or(-1), 5);

  auto [here, there] = MakeMemoryLink(/*capacity=*/7);
  bank_.Serve(std::move(there));
  Node another(client_system_);
  const absl::StatusOr<Peer> over_memory = another.Attach(std::move(here), kLong).Wait();
  ASSERT_TRUE(over_memory.ok()) << over_memory.status();
  EXPECT_EQ(FindAlice(*over_memory).Ask(Balance{}, kLong).Wait().value_or(-1), 5);
  EXPECT_EQ(over_memory->name(), "bank at memory://");
}

// The other side's Hello may be there before this side has come to say its own.
TEST_F(NodeTest, WhoeverIsFirstHelloComesBeforeAllElse) {
  PublishAlice();
  for (int i = 0; i < 200; ++i) {
    auto [here, there] = MakeMemoryLink(/*capacity=*/1000);
    bank_.Serve(std::move(there));
    const absl::StatusOr<Peer> peer = client_.Attach(std::move(here), kLong).Wait();
    ASSERT_TRUE(peer.ok()) << peer.status();
    const auto alice = peer->Find<Deposit>("alice", kLong).Wait();
    ASSERT_TRUE(alice.ok()) << alice.status() << ", " << bank_.stats().last_refusal;
    peer->Disconnect();
  }
}

TEST_F(NodeTest, TheEndOfASystemIsTheEndOfItsConnections) {
  auto system = std::make_unique<System>();
  Node node(*system);
  const std::string path = SocketPath();
  ASSERT_TRUE(node.Listen(path).ok());
  const absl::StatusOr<Peer> peer = client_.Connect(path, kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  system->Shutdown(kLong);
  EXPECT_TRUE(client_system_.Join(peer->ref(), kLong).ok());
}

// ---- a graceful end

TEST_F(NodeTest, ADrainedNodeHasSentWhatWaitedAndGotItsAnswers) {
  constexpr int64_t kMessages = 5000;
  std::promise<int64_t> last;
  const auto recorder =
      bank_system_.Spawn([&last, seen = std::vector<int64_t>()](Deposit d) mutable {
        seen.push_back(d.cents);
        if (d.cents == kMessages) last.set_value(static_cast<int64_t>(seen.size()));
      });
  ASSERT_TRUE(bank_.Publish<Deposit>("recorder", recorder).ok());
  PublishAlice();
  const Peer peer = Connect();
  const Alice alice = FindAlice(peer);
  const auto to = peer.Find<Deposit>("recorder", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  std::promise<void> asked;
  std::promise<absl::StatusOr<int64_t>> answer;
  const auto asker = client_system_.Spawn([&](Deposit, Context& self) {
    alice.Ask(Balance{}, kLong).Then(self, [&](absl::StatusOr<int64_t> cents) {
      answer.set_value(std::move(cents));
    });
    asked.set_value();
  });
  for (int64_t i = 1; i <= kMessages; ++i) ASSERT_EQ(to->Send(Deposit{i}), SendResult::kQueued);
  alice.Send(Deposit{7});
  asker.Send(Deposit{});
  asked.get_future().get();
  const absl::Status drained = client_.Drain(kLong);
  EXPECT_TRUE(drained.ok()) << drained;
  EXPECT_EQ(last.get_future().get(), kMessages);
  EXPECT_EQ(answer.get_future().get().value_or(-1), 7);
  EXPECT_EQ(to->Send(Deposit{1}), SendResult::kClosed);
  EXPECT_EQ(client_.stats().connections, 0);
  EXPECT_FALSE(client_.Connect("unix:///nobody/listens/here", kLong).Wait().ok());
}

TEST_F(NodeTest, ANodeThatDrainsLetsNobodyInAndAnswersWhoHasAsked) {
  std::promise<Reply<int64_t>> asked;
  const auto account = bank_system_.Spawn(
      [&asked](Balance, Reply<int64_t> reply) { asked.set_value(std::move(reply)); });
  ASSERT_TRUE(bank_.Publish<Balance>("alice", account).ok());
  const std::string at = bank_.Listen(SocketPath()).value();
  const auto peer = client_.Connect(at, kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  const auto alice = peer->Find<Balance>("alice", kLong).Wait();
  ASSERT_TRUE(alice.ok()) << alice.status();
  auto answer = std::async(std::launch::async, [&] { return alice->Ask(Balance{}, kLong).Wait(); });
  Reply<int64_t> reply = asked.get_future().get();
  auto drained = std::async(std::launch::async, [&] { return bank_.Drain(kLong); });
  System system;
  Node another(system);
  while (another.Connect(at, kLong).Wait().ok()) std::this_thread::yield();
  reply.Send(5);
  EXPECT_EQ(answer.get().value_or(-1), 5);
  const absl::Status status = drained.get();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(client_system_.Join(peer->ref(), kLong).ok());
}

TEST_F(NodeTest, WhatIsLeftAtTheDeadlineOfADrainIsCutOffAndThatIsSaid) {
  std::promise<Reply<int64_t>> asked;
  const auto account = bank_system_.Spawn(
      [&asked](Balance, Reply<int64_t> reply) { asked.set_value(std::move(reply)); });
  ASSERT_TRUE(bank_.Publish<Balance>("alice", account).ok());
  const auto alice = Connect().Find<Balance>("alice", kLong).Wait();
  ASSERT_TRUE(alice.ok()) << alice.status();
  auto answer = std::async(std::launch::async, [&] { return alice->Ask(Balance{}, kLong).Wait(); });
  const Reply<int64_t> unanswered = asked.get_future().get();
  const absl::Status drained = bank_.Drain(absl::Milliseconds(1));
  EXPECT_EQ(drained.code(), absl::StatusCode::kDeadlineExceeded) << drained;
  EXPECT_TRUE(IsNodeLost(answer.get().status()));
}

TEST(NodeMadeTooLateTest, OfASystemThatIsShuttingDownReachesNobody) {
  System system({.workers = 1});
  EXPECT_TRUE(system.Shutdown(kLong).complete);
  Node node(system, {.name = "late"});
  EXPECT_FALSE(node.Connect("unix:///nobody/listens").Wait().ok());
}

}  // namespace
}  // namespace troupe
