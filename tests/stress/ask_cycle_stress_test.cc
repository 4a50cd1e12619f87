// Handlers that await each other in all directions, on real threads: every cycle is told to somebody
// in it, so all asks end long before their deadline; and where there can be no cycle nobody is told
// of one.
#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Count {
  using Reply = int;
  int hops;
};
class Node;
struct Meet {
  std::vector<ActorRef<Node>> others;
};
struct Pass {
  Reply<int> reply;
};
struct Clerk {
  void On(Pass m) { m.reply.Send(1); }
};
// Answered by somebody else, whatever the one who took it waits for.
struct Forward {
  using Reply = int;
};

class Node {
 public:
  Node(ActorRef<Clerk> clerk, unsigned seed) : clerk_(clerk), random_(seed) {}

  void On(Meet m) { others_ = std::move(m.others); }
  Task<absl::StatusOr<int>> On(Count m) {
    if (m.hops == 0 || others_.empty()) co_return 1;
    co_return co_await Other().Ask(Count{m.hops - 1}, absl::Minutes(5));
  }
  Task<> On(Forward, Reply<int> reply) {
    clerk_.Send(Pass{std::move(reply)});
    (void)co_await Other().Ask(Forward(), absl::Minutes(5));
  }

 private:
  ActorRef<Node>& Other() { return others_[random_() % others_.size()]; }

  const ActorRef<Clerk> clerk_;
  std::minstd_rand random_;
  std::vector<ActorRef<Node>> others_;
};

class Ring {
 public:
  Ring(System& system, int size) {
    auto clerk = system.Spawn<Clerk>();
    for (int i = 0; i < size; ++i) nodes.push_back(system.Spawn<Node>(clerk, 7 * i + 1));
  }
  std::vector<ActorRef<Node>> nodes;
};

bool IsCycle(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) && status.message().find("ask cycle") == 0;
}

// All of them begin at once: whoever closes a cycle, alone or with others, is told.
TEST(AskCycleStressTest, CyclesThatCloseAtTheSameTimeAreFound) {
  constexpr int kThreads = 3, kRounds = 2'000;
  System system({.workers = 3});
  const Ring ring(system, 4);
  for (const auto& node : ring.nodes) node.Send(Meet{ring.nodes});
  std::atomic<int> cycles{0}, others{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        const absl::StatusOr<int> got =
            ring.nodes[(i + t) % ring.nodes.size()].Ask(Count{i % 4}, absl::Minutes(5)).Wait();
        if (got.ok()) continue;
        IsCycle(got.status()) ? ++cycles : ++others;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(cycles.load(), 0);
  EXPECT_EQ(others.load(), 0);
}

// Each node asks those behind it only. Their edges come and go under the eyes of those who look.
TEST(AskCycleStressTest, WhereNoneCanBeNobodyIsToldOfOne) {
  constexpr int kThreads = 3, kRounds = 2'000, kNodes = 6;
  System system({.workers = 3});
  const Ring ring(system, kNodes);
  for (int i = 0; i + 1 < kNodes; ++i) {
    ring.nodes[i].Send(Meet{{ring.nodes.begin() + i + 1, ring.nodes.end()}});
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        const absl::StatusOr<int> got =
            ring.nodes[(i + t) % kNodes].Ask(Count{kNodes}, absl::Minutes(5)).Wait();
        ASSERT_TRUE(got.ok()) << got.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// All wait for all; but a clerk answers, so nobody waits for long.
TEST(AskCycleStressTest, AReplyThatIsPassedOnClosesNoCycle) {
  constexpr int kRounds = 300;
  std::atomic<int> failed{0};
  {
    System system({.workers = 3});
    const Ring ring(system, 4);
    // Each asks the next, which the clerk answers, and so on: a chain as long as the random numbers
    // say. It ends where somebody meets nobody.
    for (int i = 0; i + 1 < 4; ++i) ring.nodes[i].Send(Meet{{ring.nodes[i + 1], ring.nodes[3]}});
    auto last = ring.nodes[3];
    last.Send(Meet{{last}});
    last.Stop();
    for (int i = 0; i < kRounds; ++i) {
      if (!ring.nodes[i % 3].Ask(Forward(), absl::Minutes(5)).Wait().ok()) ++failed;
    }
  }
  EXPECT_EQ(failed.load(), 0);
}

}  // namespace
}  // namespace troupe
