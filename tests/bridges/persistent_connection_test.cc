// Connections that come back, and names that are found again then.
#include "troupe/runtime/bridges/persistent_connection.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

constexpr MaintainOptions kAtOnce = {.backoff = {.min = absl::Milliseconds(1)}};

struct Deposit {
  int64_t cents;
};
struct Balance {
  using Reply = int64_t;
};
struct Leave {};

class Account {
 public:
  void On(Deposit d) { cents_ += d.cents; }
  int64_t On(Balance) { return cents_; }
  void On(Leave, Context& self) { self.Stop(); }

 private:
  int64_t cents_ = 0;
};
using Alice = Recipient<Deposit, Balance, Leave>;

class Subscriber {
 public:
  explicit Subscriber(Log& log) : log_(log) {}
  void On(const PeerUp& up) { log_.Add("+" + up.peer.id().ToString()); }
  void On(const PeerDown& down) { log_.Add("-" + down.id.ToString()); }

 private:
  Log& log_;
};

// A client and a bank, which is opened, closed and opened again.
class PersistentConnectionTest : public ::testing::Test {
 protected:
  ActorRef<Account> OpenBank() {
    auto made = std::make_unique<Node>(bank_system_, NodeOptions{.name = "bank"});
    const auto account = bank_system_.Spawn<Account>();
    EXPECT_TRUE((made->Publish<Deposit, Balance, Leave>("alice", account)).ok());
    const MutexLock lock(mutex_);
    bank_ = std::move(made);
    return account;
  }
  void CloseBank() {
    std::unique_ptr<Node> closing;
    {
      const MutexLock lock(mutex_);
      closing = std::move(bank_);
    }
  }
  Node::DialLink Dialling() {
    return [this]() -> absl::StatusOr<std::unique_ptr<Link>> {
      ++tries_;
      const MutexLock lock(mutex_);
      if (bank_ == nullptr) return absl::UnavailableError("it is closed");
      auto [here, there] = MakeMemoryLink(1000);
      bank_->Serve(std::move(there));
      return std::move(here);
    };
  }
  PersistentConnection Maintain(const MaintainOptions& options = kAtOnce) {
    absl::StatusOr<PersistentConnection> connection = client_.Maintain(Dialling(), options);
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *connection;
  }

  Log log_;
  std::atomic<int> tries_ = 0;
  System bank_system_;
  System system_;
  Mutex mutex_;
  std::unique_ptr<Node> bank_ ABSL_GUARDED_BY(mutex_);
  Node client_{system_};
};

TEST_F(PersistentConnectionTest, ALostConnectionComesBackAndSubscribersAreTold) {
  OpenBank();
  const PersistentConnection bank = Maintain();
  bank.Subscribe(system_.Spawn<Subscriber>(log_));
  for (size_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(Eventually([&] { return log_.entries().size() == 2 * i - 1; }));
    const absl::StatusOr<Peer> peer = bank.Connected(kLong).Wait();
    ASSERT_TRUE(peer.ok()) << peer.status();
    EXPECT_EQ(log_.entries().back(), "+" + peer->id().ToString());
    peer->Disconnect();
    ASSERT_TRUE(Eventually([&] { return log_.entries().size() >= 2 * i; }));
    EXPECT_EQ(log_.entries()[2 * i - 1], "-" + peer->id().ToString());
  }
}

TEST_F(PersistentConnectionTest, WhoIsNotThereIsDialledUntilHeIs) {
  const PersistentConnection bank = Maintain();
  EXPECT_EQ(bank.Connected(absl::Milliseconds(1)).Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(Eventually([&] { return tries_ >= 3; }));
  OpenBank();
  const absl::StatusOr<Peer> peer = bank.Connected(kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->name(), "bank at memory://");
}

TEST_F(PersistentConnectionTest, ItDialsUntilItIsTold) {
  const PersistentConnection bank = Maintain();
  ASSERT_TRUE(Eventually([&] { return tries_ >= 2; }));
  bank.Stop();
  ASSERT_TRUE(system_.Join(bank.ref(), kLong).ok());
  EXPECT_FALSE(bank.Connected(kLong).Wait().ok());
}

TEST_F(PersistentConnectionTest, ItEndsWithItsNode) {
  auto node = std::make_unique<Node>(system_);
  const auto connection = node->Maintain(Dialling(), kAtOnce);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const Alice late = connection->FindLate<Deposit, Balance, Leave>("alice");
  node.reset();
  EXPECT_TRUE(system_.Join(connection->ref(), kLong).ok());
  EXPECT_TRUE(system_.Join(late, kLong).ok());
}

TEST_F(PersistentConnectionTest, NothingIsDialledAnyMoreWhenItsNodeHasGone) {
  auto node = std::make_unique<Node>(system_);
  std::atomic<bool> gone = false, dialling = false, dialled_late = false;
  const auto connection = node->Maintain(
      [&]() -> absl::StatusOr<std::unique_ptr<Link>> {
        dialling = true;
        const absl::Time end = absl::Now() + absl::Milliseconds(50);  // the node is to wait so long
        while (!gone && absl::Now() < end) std::this_thread::yield();
        if (gone) dialled_late = true;
        return absl::UnavailableError("it is closed");
      },
      kAtOnce);
  ASSERT_TRUE(connection.ok()) << connection.status();
  ASSERT_TRUE(Eventually([&] { return dialling.load(); }));
  node.reset();
  gone = true;
  ASSERT_TRUE(system_.Join(connection->ref(), kLong).ok());
  EXPECT_FALSE(dialled_late);
}

TEST_F(PersistentConnectionTest, ANodeThatHasDrainedMaintainsNothing) {
  ASSERT_TRUE(client_.Drain(kLong).ok());
  EXPECT_EQ(client_.Maintain(Dialling(), kAtOnce).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(PersistentConnectionTest, WhatCannotBeIsRefusedWithASentence) {
  EXPECT_EQ(client_.Maintain("bank").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      client_.Maintain(Dialling(), {.backoff = {.min = absl::ZeroDuration()}}).status().code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      client_
          .Maintain(Dialling(),
                    {.backoff = {.min = absl::Seconds(1), .max = absl::Seconds(1), .jitter = 2}})
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(PersistentConnectionTest, AnAddressMayBeMaintainedBeforeAnybodyListensThere) {
  const std::string address = absl::StrCat("unix:///tmp/troupe-persistent-test-", ::getpid());
  const auto bank = client_.Maintain(address, kAtOnce);
  ASSERT_TRUE(bank.ok()) << bank.status();
  System system;
  Node node(system);
  ASSERT_TRUE(node.Listen(address).ok());
  const absl::StatusOr<Peer> peer = bank->Connected(kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->id(), node.id());
}

TEST_F(PersistentConnectionTest, BothSidesMayMaintainOne) {
  OpenBank();
  const PersistentConnection bank = Maintain();
  Node* const there = [this] {
    const MutexLock lock(mutex_);
    return bank_.get();
  }();
  const auto client = there->Maintain(
      [this]() -> absl::StatusOr<std::unique_ptr<Link>> {
        auto [here, there] = MakeMemoryLink(1000);
        client_.Serve(std::move(there));
        return std::move(here);
      },
      kAtOnce);
  ASSERT_TRUE(client.ok()) << client.status();
  for (int i = 0; i < 20; ++i) {
    const absl::StatusOr<Peer> peer = bank.Connected(kLong).Wait();
    const absl::StatusOr<Peer> back = client->Connected(kLong).Wait();
    ASSERT_TRUE(peer.ok() && back.ok()) << peer.status() << back.status();
    EXPECT_EQ(peer->id(), there->id());
    EXPECT_EQ(back->id(), client_.id());
    (i % 2 == 0 ? *peer : *back).Disconnect();
  }
  bank.Stop();
  client->Stop();
  ASSERT_TRUE(bank_system_.Join(client->ref(), kLong).ok());
}

// Virtual time: the tries of two minutes.
TEST(RedialTest, TriesComeFartherApartUpToALimitAndCloserAfterALongConnection) {
  testing::TestSystem system;
  Node node(system);
  System other_system;
  Node other(other_system);
  std::vector<absl::Time> tries;
  bool reachable = false;
  const auto connection = node.Maintain(
      [&]() -> absl::StatusOr<std::unique_ptr<Link>> {
        tries.push_back(system.Now());
        if (!reachable) return absl::UnavailableError("not yet");
        auto [here, there] = MakeMemoryLink(1000);
        other.Serve(std::move(there));
        return std::move(here);
      },
      {.backoff = {.min = absl::Seconds(1), .max = absl::Seconds(16), .jitter = 0.5},
       .dial_timeout = absl::InfiniteDuration(),
       .seed = 1});
  ASSERT_TRUE(connection.ok()) << connection.status();
  system.RunUntilIdle();
  system.Advance(absl::Minutes(2));
  ASSERT_GE(tries.size(), 9);
  absl::Duration most = absl::Seconds(1);
  for (size_t i = 1; i < tries.size(); ++i) {
    const absl::Duration gap = tries[i] - tries[i - 1];
    EXPECT_GE(gap, most / 2) << i;
    EXPECT_LE(gap, most) << i;
    most = std::min(most * 2, absl::Seconds(16));
  }
  reachable = true;
  system.Advance(absl::Seconds(17));
  std::optional<Peer> peer;
  const auto asker = system.Spawn([&](Leave, Context& self) {
    connection->Connected(absl::InfiniteDuration())
        .Then(self, [&](const absl::StatusOr<Peer>& found) {
          if (found.ok()) peer = *found;
        });
  });
  asker.Send(Leave{});
  ASSERT_TRUE(Eventually([&] {
    system.RunUntilIdle();
    return peer.has_value();
  }));
  const size_t before = tries.size();
  system.Advance(absl::Seconds(11));
  EXPECT_EQ(tries.size(), before);
  reachable = false;
  peer->Disconnect();
  ASSERT_TRUE(Eventually([&] {
    system.Advance(absl::Milliseconds(1));
    return tries.size() > before;
  }));
  system.Advance(absl::Seconds(2));  // two more: it has begun anew
  EXPECT_GE(tries.size(), before + 2);
}

// ---- names

TEST_F(PersistentConnectionTest, WhatIsSentToALateBoundNameWaitsUntilSomebodyIsThere) {
  const PersistentConnection bank = Maintain();
  const Alice alice = bank.FindLate<Deposit, Balance, Leave>("alice");
  for (int i = 1; i <= 100; ++i) ASSERT_EQ(alice.Send(Deposit{i}), SendResult::kQueued);
  OpenBank();
  const absl::StatusOr<int64_t> cents = alice.Ask(Balance{}, kLong).Wait();
  ASSERT_TRUE(cents.ok()) << cents.status();
  EXPECT_EQ(*cents, 5050);
}

TEST_F(PersistentConnectionTest, ALateBoundNameIsFoundAgainInANodeMadeAnewAndAnEarlierRefIsNot) {
  OpenBank();
  const PersistentConnection bank = Maintain();
  const Alice late = bank.FindLate<Deposit, Balance, Leave>("alice");
  for (int i = 0; i < 5; ++i) {
    const absl::StatusOr<Peer> peer = bank.Connected(kLong).Wait();
    ASSERT_TRUE(peer.ok()) << peer.status();
    const auto found = peer->Find<Deposit, Balance, Leave>("alice", kLong).Wait();
    ASSERT_TRUE(found.ok()) << found.status();
    late.Send(Deposit{1});
    EXPECT_EQ(late.Ask(Balance{}, kLong).Wait().value_or(-1), 1);
    CloseBank();
    ASSERT_TRUE(system_.Join(*found, kLong).ok());
    ASSERT_TRUE(system_.Join(peer->ref(), kLong).ok());
    OpenBank();  // with nothing in the account
    EXPECT_EQ(found->Ask(Balance{}, kLong).Wait().status().code(), absl::StatusCode::kUnavailable);
    ASSERT_TRUE(Eventually([&] { return bank.Connected(kLong).Wait()->id() != peer->id(); }));
    // What is sent while the loss is being found out is lost, and that is told.
    ASSERT_TRUE(Eventually([&] { return late.Ask(Balance{}, kLong).Wait().ok(); }));
  }
}

TEST_F(PersistentConnectionTest, ANameThatIsToFailDoesSoAtOnceAndNotInSecret) {
  const PersistentConnection bank = Maintain();
  const auto alice = bank.FindLate<Deposit, Balance>("alice", {.when_absent = WhenAbsent::kFail});
  EXPECT_EQ(alice.Ask(Balance{}, absl::InfiniteDuration()).Wait().status().code(),
            absl::StatusCode::kUnavailable);
  const uint64_t before = system_.stats().dead_letters_total();
  alice.Send(Deposit{1});
  EXPECT_TRUE(Eventually([&] { return system_.stats().dead_letters_total() == before + 1; }));
  OpenBank();
  EXPECT_TRUE(Eventually([&] { return alice.Ask(Balance{}, kLong).Wait().ok(); }));
}

TEST_F(PersistentConnectionTest, WhatWaitsForANameHasALimitADeadlineAndAnEnd) {
  const PersistentConnection bank = Maintain();
  const auto alice = bank.FindLate<Deposit, Balance>("alice", {.capacity = 10});
  EXPECT_EQ(alice.Ask(Balance{}, absl::Milliseconds(1)).Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  int sent = 0;
  while (alice.Send(Deposit{1}) == SendResult::kQueued) ++sent;
  EXPECT_GE(sent, 9);  // and the ask
  EXPECT_LE(sent, 12);
  const uint64_t before = system_.stats().dead_letters_total();
  bank.Stop();
  ASSERT_TRUE(system_.Join(alice, kLong).ok());
  EXPECT_GE(system_.stats().dead_letters_total(), before + sent);
}

TEST_F(PersistentConnectionTest, WhoHasEndedIsFoundAgainWhenAnotherHasTheName) {
  OpenBank();
  const PersistentConnection bank = Maintain();
  const Alice late = bank.FindLate<Deposit, Balance, Leave>("alice");
  late.Send(Deposit{5});
  EXPECT_EQ(late.Ask(Balance{}, kLong).Wait().value_or(-1), 5);
  late.Send(Leave{});
  {
    const auto another = bank_system_.Spawn<Account>();
    const MutexLock lock(mutex_);
    ASSERT_TRUE((bank_->Publish<Deposit, Balance, Leave>("alice", another)).ok());
  }
  EXPECT_TRUE(Eventually([&] { return late.Ask(Balance{}, kLong).Wait().value_or(-1) == 0; }));
}

// A bank that takes nothing until it is told to, and a client with little room on the way there.
class FullWayTest : public ::testing::Test {
 protected:
  FullWayTest() {
    const auto slow = bank_system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                         [this, go = go_.get_future().share()](Deposit d) {
                                           go.wait();
                                           const MutexLock lock(mutex_);
                                           seen_.push_back(d.cents);
                                         });
    EXPECT_TRUE(bank_.Publish<Deposit>("slow", slow).ok());
    const auto connection = client_.Maintain(
        [this]() -> absl::StatusOr<std::unique_ptr<Link>> {
          auto [here, there] = MakeMemoryLink();
          bank_.Serve(std::move(there));
          return std::move(here);
        },
        kAtOnce);
    EXPECT_TRUE(connection.ok()) << connection.status();
    connection_ = *connection;
    late_ = connection_.FindLate<Deposit>("slow", {.capacity = 8, .when_full = WhenFull::kFail});
    // There is room for some 22 in the bank, 5 on the way to the connection, and 9 on the way there.
    EXPECT_TRUE(Eventually([&] {
      if (late_.Send(Deposit{sent_}) == SendResult::kQueued) ++sent_;
      return sent_ == 32;
    }));
  }

  std::promise<void> go_;
  Mutex mutex_;
  std::vector<int64_t> seen_ ABSL_GUARDED_BY(mutex_);
  int64_t sent_ = 0;
  System bank_system_, system_;
  Node bank_{bank_system_, {.window = 2000}};  // half for one
  Node client_{system_, {.capacity = 4}};      // kBlock
  PersistentConnection connection_;
  Recipient<Deposit> late_;
};

TEST_F(FullWayTest, WhatWasTakenForANameArrivesInOrder) {
  go_.set_value();
  EXPECT_TRUE(Eventually([&] {
    const MutexLock lock(mutex_);
    return seen_.size() == static_cast<size_t>(sent_);
  }));
  const MutexLock lock(mutex_);
  for (size_t i = 0; i < seen_.size(); ++i) ASSERT_EQ(seen_[i], static_cast<int64_t>(i));
}

TEST_F(FullWayTest, ANameDoesNotWaitForRoomInASend) {
  connection_.Stop();
  EXPECT_TRUE(system_.Join(late_, kLong).ok());
  go_.set_value();
}

TEST_F(PersistentConnectionTest, AnErrorOfAPeerThatIsThereIsNotItsLoss) {
  OpenBank();
  const PersistentConnection bank = Maintain();
  const auto account = system_.Spawn<Account>();
  int asked = 0;
  const auto find = [&](const Peer&, Context& self, const internal::LateBinding::Then& then) {
    if (++asked == 1) return then(absl::UnavailableError("not now"), self);
    then(internal::LateBinding::Target{account, {internal::ThunkFor<Account, Balance>()}}, self);
  };
  const AnyRef binding =
      internal::SpawnLateBinding(*bank.ref().As<internal::Redial>(), find, true, {});
  const auto late = internal::RecipientOfLateBinding<Balance>(binding, std::index_sequence<0>());
  EXPECT_TRUE(late.Ask(Balance{}, kLong).Wait().ok());
}

TEST_F(PersistentConnectionTest, WhatWaitsForANameIsNotLostToWhoHasHadItAndEnded) {
  const auto first = OpenBank();
  const Recipient<Balance> open = bank_system_.Spawn<Account>();
  first.Stop();
  const PersistentConnection bank = Maintain();
  const auto published = [&](auto act) {
    const MutexLock lock(mutex_);
    return act(*bank_);
  };
  const absl::StatusOr<Peer> peer = bank.Connected(kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  ASSERT_TRUE(Eventually([&] { return !peer->Find<Leave>("alice", kLong).Wait().ok(); }));
  const Alice late = bank.FindLate<Deposit, Balance, Leave>("alice");
  for (int i = 1; i <= 10; ++i) ASSERT_EQ(late.Send(Deposit{i}), SendResult::kQueued);
  // A name that is looked for later is found: so the first one has been looked for.
  ASSERT_TRUE(published([&](Node& node) { return node.Publish<Balance>("open", open); }).ok());
  ASSERT_TRUE(bank.FindLate<Balance>("open").Ask(Balance{}, kLong).Wait().ok());
  const auto second = bank_system_.Spawn<Account>();
  ASSERT_TRUE(published([&](Node& node) {
                return node.Publish<Deposit, Balance, Leave>("alice", second);
              }).ok());
  EXPECT_EQ(late.Ask(Balance{}, kLong).Wait().value_or(-1), 55);
}

}  // namespace
}  // namespace troupe
