// Nodes in an asio::io_context of the host's: served by whoever runs it, and gone when they are, whoever does
// or does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Double {
  using Reply = int;
  int n;
};
struct WhoServes {
  using Reply = bool;  // a thread of the host's
};

thread_local bool is_hosts = false;

struct Doubler {
  int On(Double m) const { return 2 * m.n; }
  bool On(WhoServes) const { return is_hosts; }
};
using Found = Recipient<Double, WhoServes>;

void Run(asio::io_context& context) {
  is_hosts = true;
  context.run();
}

// A host: a context, and threads that run it until they are told to stop.
class Host {
 public:
  explicit Host(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(context_); });
  }
  ~Host() { Stop(); }
  void Stop() {
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  asio::io_context& context() { return context_; }

 private:
  asio::io_context context_;
  const asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::vector<std::thread> threads_;
};

// Whatever is left in it is not Troupe's: run() returns.
bool HasNothingToDo(asio::io_context& context) {
  context.restart();
  context.run_for(std::chrono::minutes(1));
  return context.stopped();
}

class HostContextTest : public testing::Test {
 protected:
  // A server of its own thread, at an address.
  HostContextTest() {
    EXPECT_TRUE((server_.Publish<Double, WhoServes>("doubler", doubler_)).ok());
    address_ = *server_.Listen("tcp://127.0.0.1:0");
  }
  static Found Find(const Node& from, const std::string& address) {
    const absl::StatusOr<Peer> peer = from.Connect(address, kLong).Wait();
    EXPECT_TRUE(peer.ok()) << peer.status();
    if (!peer.ok()) return {};
    const auto found = peer->Find<Double, WhoServes>("doubler", kLong).Wait();
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(Found());
  }

  System system_;
  System server_system_;
  Recipient<Double, WhoServes> doubler_ = server_system_.Spawn<Doubler>();
  Node server_{server_system_};
  std::string address_;
};

TEST_F(HostContextTest, ItIsServedByTheThreadsThatRunTheContextAndItsActorsByTheSystem) {
  for (const int threads : {1, 4}) {
    Host host(threads);
    bool asked_on_hosts_thread = false;
    Node node(system_, {.io_context = &host.context()});
    const Found there = Find(node, address_);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(*there.Ask(Double{i}, kLong).Wait(), 2 * i);

    // And as the one that is dialled.
    ASSERT_TRUE((node.Publish<Double, WhoServes>("doubler", system_.Spawn<Doubler>(),
                                                 {.allow =
                                                      [&](const PeerIdentity&) {
                                                        asked_on_hosts_thread = is_hosts;
                                                        return true;
                                                      }}))
                    .ok());
    const absl::StatusOr<std::string> at = node.Listen("tcp://127.0.0.1:0");
    ASSERT_TRUE(at.ok()) << at.status();
    System other_system;
    const Node other(other_system);
    const Found here = Find(other, *at);
    EXPECT_TRUE(asked_on_hosts_thread);
    EXPECT_EQ(*here.Ask(Double{4}, kLong).Wait(), 8);
    EXPECT_FALSE(*here.Ask(WhoServes{}, kLong).Wait());
  }
}

TEST_F(HostContextTest, TheHostDoesItsOwnBetween) {
  asio::io_context context;
  const Node node(system_, {.io_context = &context});
  std::future<int> answer = std::async(std::launch::async, [&] {
    const Found there = Find(node, address_);
    int sum = 0;
    for (int i = 0; i < 100; ++i) sum += *there.Ask(Double{i}, kLong).Wait();
    return sum;
  });
  int turns = 0;
  asio::steady_timer timer(context);
  std::function<void()> tick = [&] {
    ++turns;
    timer.expires_after(std::chrono::microseconds(100));
    timer.async_wait([&](const std::error_code&) {
      if (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return tick();
      context.stop();
    });
  };
  tick();
  context.run();
  EXPECT_EQ(answer.get(), 9900);
  EXPECT_GT(turns, 1);
}

TEST_F(HostContextTest, ItMayBeDestroyedByAHandlerOfTheOnlyThread) {
  Host host(1);
  auto node = std::make_unique<Node>(system_, NodeOptions{.io_context = &host.context()});
  ASSERT_TRUE(node->Listen("tcp://127.0.0.1:0").ok());
  const Found there = Find(*node, address_);
  EXPECT_EQ(*there.Ask(Double{2}, kLong).Wait(), 4);
  std::promise<void> destroyed;
  asio::post(host.context(), [&] {
    node.reset();
    destroyed.set_value();
  });
  destroyed.get_future().wait();
  EXPECT_FALSE(there.Ask(Double{2}, kLong).Wait().ok());
  EXPECT_TRUE(Eventually([&] { return server_.stats().connections == 0; }));
}

TEST_F(HostContextTest, WhoseContextNobodyRunsItEndsWhatItHasBegun) {
  asio::io_context context;
  std::string address;
  {
    auto node =
        std::make_unique<Node>(system_, NodeOptions{.name = "node", .io_context = &context});
    address = *node->Listen("tcp://127.0.0.1:0");
    const auto dial = [&node = *node](const std::string& to) {
      return std::async(std::launch::async, [&node, to] { return node.Connect(to, kLong).Wait(); });
    };
    auto by_address = dial(address_);
    auto by_name = dial("tcp://localhost:1");
    ASSERT_TRUE(node->Maintain(address_).ok());
    ASSERT_TRUE(Eventually([&] {  // have been begun
      const std::vector<ActorStats> all = system_.actors();
      return std::any_of(all.begin(), all.end(),
                         [](const ActorStats& a) { return a.name == "node" && a.handled == 3; });
    }));
    node.reset();
    EXPECT_EQ(by_address.get().status().code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(by_name.get().status().code(), absl::StatusCode::kCancelled);
  }
  // Nobody listens there any more, though the context has not been told yet.
  EXPECT_EQ(server_.Connect(address, kLong).Wait().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(HasNothingToDo(context));
}

// Of several addresses the first may refuse, and the next is tried while the node goes.
TEST_F(HostContextTest, DialsThatAreUnderWayEndWithItWhoeverServesIt) {
  Host host(2);
  const std::string by_name = "tcp://localhost" + address_.substr(address_.rfind(':'));
  for (asio::io_context* const context :
       {static_cast<asio::io_context*>(nullptr), &host.context()}) {
    for (int i = 0; i < 50; ++i) {
      auto node = std::make_unique<Node>(system_, NodeOptions{.io_context = context});
      ASSERT_TRUE(node->Maintain(by_name).ok());
      ASSERT_TRUE(node->Maintain(address_).ok());
      for (int k = 0; k < i % 7; ++k) (void)node->stats();  // a little later each time
      node.reset();
    }
  }
  EXPECT_TRUE(Eventually([&] { return server_.stats().connections == 0; }));
}

TEST_F(HostContextTest, ItsConnectionsEndWithItThoughTheContextHasStopped) {
  Host host(2);
  {
    const Node node(system_, {.io_context = &host.context()});
    const Found there = Find(node, address_);
    EXPECT_EQ(*there.Ask(Double{1}, kLong).Wait(), 2);
    host.Stop();
    EXPECT_EQ(server_.stats().connections, 1u);
  }
  EXPECT_TRUE(Eventually([&] { return server_.stats().connections == 0; }));
  EXPECT_TRUE(system_.Shutdown(kLong).complete);
}

TEST_F(HostContextTest, AfterItTheContextMayGoOrGoOn) {
  // Goes, with what asio still keeps of the node's.
  {
    asio::io_context context;
    Node(system_, {.io_context = &context}).Listen("tcp://127.0.0.1:0").IgnoreError();
  }
  // Goes on, with another node.
  Host host(1);
  for (int i = 0; i < 3; ++i) {
    const Node node(system_, {.io_context = &host.context()});
    EXPECT_EQ(*Find(node, address_).Ask(Double{i}, kLong).Wait(), 2 * i);
  }
}

TEST_F(HostContextTest, RunReturnsWhenTheLastNodeHasGone) {
  asio::io_context context;
  auto node = std::make_unique<Node>(system_, NodeOptions{.io_context = &context});
  std::thread user([&] {
    EXPECT_EQ(*Find(*node, address_).Ask(Double{3}, kLong).Wait(), 6);
    node.reset();
  });
  context.run();  // with heartbeats and handshakes that it need not wait for any more
  user.join();
}

TEST_F(HostContextTest, NodesThatComeAndGoOnSeveralThreadsLoseNothingAndEnd) {
  Host host(3);
  std::atomic<int> right = 0;
  const auto use = [&] {
    System system;
    for (int i = 0; i < 20; ++i) {
      const Node node(system, {.io_context = &host.context()});
      const Found there = Find(node, address_);
      for (int k = 0; k < 20; ++k) right += *there.Ask(Double{k}, kLong).Wait() == 2 * k;
      for (int k = 0; k < 20; ++k) there.Send(Double{k});  // on their way when it goes
    }
  };
  std::array<std::thread, 3> users{std::thread(use), std::thread(use), std::thread(use)};
  for (std::thread& user : users) user.join();
  EXPECT_EQ(right, 3 * 20 * 20);
  EXPECT_TRUE(Eventually([&] { return server_.stats().connections == 0; }));
}

}  // namespace
}  // namespace troupe
