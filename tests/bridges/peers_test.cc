// Which nodes are connected: one connection for each pair, and who is told that they come and go.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Echo {
  using Reply = int;
  int value;
};

// Notes "+" and "-", and the name of the node.
class Subscriber {
 public:
  explicit Subscriber(Log& log) : log_(log) {}
  void On(const PeerUp& up) { log_.Add("+" + up.peer.name()); }
  void On(const PeerDown& down) { log_.Add("-" + down.name); }

 private:
  Log& log_;
};

// A node in a system of its own, with an actor that answers.
struct Site {
  explicit Site(std::string name, NodeOptions options = {})
      : node(system, (options.name = std::move(name), options)) {
    EXPECT_TRUE(node.Publish<Echo>(
                        "echo", system.Spawn([](Echo e, Reply<int> reply) { reply.Send(e.value); }))
                    .ok());
  }
  System system;
  Node node;
};

// Whether the other side of `peer` answers.
::testing::AssertionResult Answers(const Peer& peer) {
  const auto echo = peer.Find<Echo>("echo", kLong).Wait();
  if (!echo.ok()) return ::testing::AssertionFailure() << echo.status();
  const absl::StatusOr<int> answer = echo->Ask(Echo{7}, kLong).Wait();
  if (!answer.ok()) return ::testing::AssertionFailure() << answer.status();
  return ::testing::AssertionSuccess();
}

// `from` dials `to`; the answer comes later.
std::future<absl::StatusOr<Peer>> DialFrom(Node& from, Node& to, size_t capacity) {
  return std::async(std::launch::async, [&from, &to, capacity] {
    auto [here, there] = MakeMemoryLink(capacity);
    to.Serve(std::move(there));
    return from.Attach(std::move(here), kLong).Wait();
  });
}

TEST(PeersTest, TwoNodesThatDialEachOtherAtOnceHaveOneConnection) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Site a("a"), b("b");
    std::vector<std::future<absl::StatusOr<Peer>>> from_a, from_b;
    for (int i = 0; i < 2; ++i) {
      if (random() % 2 == 0) from_a.push_back(DialFrom(a.node, b.node, 1 + random() % 200));
      from_b.push_back(DialFrom(b.node, a.node, 1 + random() % 200));
      if (from_a.empty()) from_a.push_back(DialFrom(a.node, b.node, 1 + random() % 200));
    }
    std::optional<Peer> peer_of_a, peer_of_b;
    for (auto& dialled : from_a) {
      const absl::StatusOr<Peer> peer = dialled.get();
      ASSERT_TRUE(peer.ok()) << peer.status();
      EXPECT_EQ(*peer, peer_of_a.value_or(*peer));
      peer_of_a = *peer;
    }
    for (auto& dialled : from_b) {
      const absl::StatusOr<Peer> peer = dialled.get();
      ASSERT_TRUE(peer.ok()) << peer.status();
      EXPECT_EQ(*peer, peer_of_b.value_or(*peer));
      peer_of_b = *peer;
    }
    EXPECT_EQ(peer_of_a->id(), b.node.id());
    EXPECT_TRUE(Answers(*peer_of_a));
    EXPECT_TRUE(Answers(*peer_of_b));
    EXPECT_TRUE(Eventually(
        [&] { return a.node.stats().connections == 1 && b.node.stats().connections == 1; }));
    peer_of_a->Disconnect();  // and it is the same one
    EXPECT_TRUE(b.system.Join(peer_of_b->ref(), kLong).ok());
    EXPECT_EQ(a.node.stats().refused + b.node.stats().refused, 0);
  }
}

TEST(PeersTest, WhoIsConnectedAlreadyIsGivenThatConnection) {
  Site a("a"), b("b");
  const absl::StatusOr<Peer> first = DialFrom(a.node, b.node, 1000).get();
  ASSERT_TRUE(first.ok()) << first.status();
  for (int i = 0; i < 10; ++i) {
    const absl::StatusOr<Peer> again = DialFrom(a.node, b.node, 1000).get();
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*again, *first);
    const absl::StatusOr<Peer> back = DialFrom(b.node, a.node, 1000).get();
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->id(), a.node.id());
  }
  EXPECT_TRUE(Answers(*first));
}

TEST(PeersTest, WhoDisconnectsCanConnectAtOnceWhicheverSideDecides) {
  Site a("a"), b("b");
  const auto reconnect = [](Site& from, Site& to) {
    for (int i = 0; i < 50; ++i) {
      const absl::StatusOr<Peer> peer = DialFrom(from.node, to.node, 500).get();
      ASSERT_TRUE(peer.ok()) << peer.status() << ", " << i;
      ASSERT_TRUE(Answers(*peer)) << i;
      peer->Disconnect();
    }
    ASSERT_TRUE(Eventually(
        [&] { return from.node.stats().connections + to.node.stats().connections == 0; }));
  };
  reconnect(a, b);
  reconnect(b, a);
}

// A link that can be lost without an end: from then on nothing goes over it, and neither side learns that the
// other has closed it.
class LossyLink final : public Link {
 public:
  explicit LossyLink(std::unique_ptr<Link> link) : link_(std::move(link)) {}
  void Lose() { filter_->lost = true; }

  void Start(std::shared_ptr<LinkEvents> events) override {
    filter_->events = std::move(events);
    link_->Start(filter_);
  }
  size_t Write(std::span<const std::string_view> parts) override {
    if (!filter_->lost) return link_->Write(parts);
    size_t bytes = 0;
    for (const std::string_view part : parts) bytes += part.size();
    return bytes;
  }
  void AwaitWritable() override { link_->AwaitWritable(); }
  void Close(absl::Status why) override {
    filter_->closed_here = true;
    if (filter_->other_has_closed) return filter_->TellEnd(why);
    link_->Close(std::move(why));
  }
  std::string peer() const override { return link_->peer(); }

 private:
  struct Filter final : LinkEvents {
    void OnBytes(std::string_view bytes) override {
      if (!lost) events->OnBytes(bytes);
    }
    void OnWritable() override { events->OnWritable(); }
    void OnClosed(const absl::Status& why) override {
      other_has_closed = true;
      if (!lost || closed_here) TellEnd(why);
    }
    void TellEnd(const absl::Status& why) {
      if (told.exchange(true)) return;
      // The last event. The status is that thread's alone (OwnCopy, reply_slot.h, says why).
      std::thread([to = std::move(events), own = absl::Status(why.code(), why.message())] {
        to->OnClosed(own);
      }).detach();
    }
    std::shared_ptr<LinkEvents> events;
    std::atomic<bool> lost = false, closed_here = false, other_has_closed = false, told = false;
  };

  const std::unique_ptr<Link> link_;
  const std::shared_ptr<Filter> filter_ = std::make_shared<Filter>();
};

TEST(PeersTest, ALinkThatIsLostOnOneSideAloneGivesWayToANewOneWhicheverSideDecides) {
  const NodeOptions patient = {.handshake_timeout = absl::Seconds(1),
                               .heartbeat_interval = absl::Hours(1),
                               .heartbeat_timeout = absl::Hours(1)};
  for (const bool a_decides : {false, true}) {
    SCOPED_TRACE(a_decides);
    Log log;
    Site a("a", patient);
    std::optional<Site> b;
    do {
      b.emplace("b", patient);
    } while ((a.node.id() > b->node.id()) != a_decides);
    a.node.Subscribe(a.system.Spawn<Subscriber>(log));
    auto [mine, its] = MakeMemoryLink();
    auto lossy = std::make_unique<LossyLink>(std::move(its));
    LossyLink& link = *lossy;
    a.node.Serve(std::move(lossy));
    const absl::StatusOr<Peer> first = b->node.Attach(std::move(mine), kLong).Wait();
    ASSERT_TRUE(first.ok()) << first.status();
    ASSERT_TRUE(Answers(*first));
    link.Lose();
    first->Disconnect();
    ASSERT_TRUE(b->system.Join(first->ref(), kLong).ok());
    ASSERT_TRUE(Eventually([&] { return log.entries().size() == 1; }));  // a has not noticed
    absl::StatusOr<Peer> second = absl::UnavailableError("not yet");
    ASSERT_TRUE(Eventually([&] {
      second = DialFrom(b->node, a.node, 1000).get();
      return second.ok();
    })) << second.status();
    EXPECT_TRUE(Answers(*second));
    ASSERT_TRUE(Eventually([&] { return log.entries().size() >= 3; }));
    EXPECT_EQ(log.entries()[1], "-b at memory://");
    EXPECT_EQ(log.entries()[2], "+b at memory://");
  }
}

TEST(PeersTest, ANodeHasNoConnectionWithItself) {
  Site a("a");
  const absl::StatusOr<Peer> self = DialFrom(a.node, a.node, 1000).get();
  EXPECT_EQ(self.status().code(), absl::StatusCode::kFailedPrecondition) << self.status();
}

TEST(PeersTest, ASubscriberLearnsOfEachNodeThatComesAndGoesWhoeverDialled) {
  Log log;  // outlives who writes to it
  Site a("a"), b("b"), c("c");
  const absl::StatusOr<Peer> b_peer = DialFrom(a.node, b.node, 1000).get();
  ASSERT_TRUE(b_peer.ok()) << b_peer.status();
  const auto subscriber = a.system.Spawn<Subscriber>(log);
  a.node.Subscribe(subscriber);
  a.node.Subscribe(subscriber);  // which changes nothing
  const auto has = [&log](std::vector<std::string> wanted) {
    return Eventually([&] { return log.entries() == wanted; });
  };
  ASSERT_TRUE(has({"+b at memory://"})) << log.entries().size();
  const absl::StatusOr<Peer> a_peer = DialFrom(c.node, a.node, 1000).get();
  ASSERT_TRUE(a_peer.ok()) << a_peer.status();
  ASSERT_TRUE(has({"+b at memory://", "+c at memory://"}));
  a_peer->Disconnect();
  ASSERT_TRUE(has({"+b at memory://", "+c at memory://", "-c at memory://"}));
  a.node.Unsubscribe(subscriber);
  b_peer->Disconnect();
  ASSERT_TRUE(Eventually([&] { return a.node.stats().connections == 0; }));
  const auto second = a.system.Spawn<Subscriber>(log);
  a.node.Subscribe(second);
  const absl::StatusOr<Peer> c_again = DialFrom(a.node, c.node, 1000).get();
  ASSERT_TRUE(c_again.ok()) << c_again.status();
  ASSERT_TRUE(has({"+b at memory://", "+c at memory://", "-c at memory://", "+c at memory://"}));
}

TEST(PeersTest, ANodeIsNeverThereTwice) {
  Log log;
  Site a("a"), b("b");
  a.node.Subscribe(a.system.Spawn<Subscriber>(log));
  for (int i = 0; i < 50; ++i) {
    auto one = DialFrom(a.node, b.node, 300);
    auto other = DialFrom(b.node, a.node, 300);
    const absl::StatusOr<Peer> from_a = one.get();
    const absl::StatusOr<Peer> from_b = other.get();
    // One may find the end of the connection before where it looks for a new one.
    if (from_a.ok()) from_a->Disconnect();
    if (from_b.ok()) from_b->Disconnect();
  }
  ASSERT_TRUE(Eventually([&] { return a.node.stats().connections == 0; }));
  ASSERT_TRUE(Eventually([&] { return log.entries().size() % 2 == 0; }));
  const std::vector<std::string> entries = log.entries();
  EXPECT_GE(entries.size(), 2);
  for (size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(entries[i][0], i % 2 == 0 ? '+' : '-');
}

}  // namespace
}  // namespace troupe
