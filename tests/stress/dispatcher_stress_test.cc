// Messages between dispatchers of all kinds: each is handled once, the order of each sender holds,
// and what a handler did is visible to the next one, on whatever thread.

#include <array>
#include <atomic>
#include <cstdint>
#include <latch>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

constexpr int kDispatchers = 4;
const std::array<const char*, kDispatchers> kNames = {"", "pool", "other", "disk"};

Options WithDispatchers() {
  return {.workers = 2,
          .max_blocking_threads = 8,
          .dispatchers = {{.name = "pool", .workers = 2},
                          {.name = "other", .workers = 1},
                          {.name = "disk", .kind = DispatcherKind::kBlocking, .workers = 3}}};
}

struct Token {
  int from;
  uint64_t n;
  int hops;
};
class Node;
struct Meet {
  std::vector<ActorRef<Node>> others;
};
struct Start {
  int hops;
};

// Sends each token that has hops left on to somebody anywhere, some of them to itself.
class Node {
 public:
  Node(int number, std::latch& done) : number_(number), random_(number + 1), done_(done) {}
  void On(Meet m) {
    others_ = m.others;
    sent_.assign(others_.size(), 0);
    next_.assign(others_.size(), 0);
  }
  void On(Start m) { Send(m.hops); }
  void On(Token m, Context& self) {
    EXPECT_EQ(m.n, next_[m.from]++) << "of " << m.from << " at " << number_;
    if (m.hops == 0) return done_.count_down();
    if (random_() % 512 == 0) self.Blocking([] {});
    Send(m.hops - 1);
  }

 private:
  void Send(int hops) {
    const size_t to = random_() % others_.size();
    others_[to].Send(Token{number_, sent_[to]++, hops});
  }
  const int number_;
  std::minstd_rand random_;
  std::latch& done_;
  std::vector<ActorRef<Node>> others_;
  std::vector<uint64_t> sent_, next_;  // not atomic: the handlers of an actor follow each other
};

TEST(DispatcherStressTest, TokensCrossBetweenAllOfThemInOrder) {
  constexpr int kNodes = 24, kTokens = 16, kHops = 5000;
  std::latch done(kTokens);
  System system(WithDispatchers());
  std::vector<ActorRef<Node>> nodes;
  for (int i = 0; i < kNodes; ++i) {
    const bool bounded = i % 5 == 4;  // with room for all there is
    nodes.push_back(system.Spawn<Node>({.capacity = bounded ? uint32_t{kTokens + 2} : kUnbounded,
                                        .dispatcher = kNames[i % kDispatchers]},
                                       int{i}, done));
  }
  for (const auto& node : nodes) node.Send(Meet{nodes});
  for (int i = 0; i < kTokens; ++i) nodes[i].Send(Start{kHops});
  done.wait();
  EXPECT_EQ(system.stats().dead_letters_total(), 0u);
  EXPECT_TRUE(system.Shutdown(absl::Minutes(5)).complete);
}

// Cells are used again by actors of other dispatchers, while stale refs are still being sent to.
struct Job {
  using Reply = int;
  int n;
};
TEST(DispatcherStressTest, ActorsComeAndGoOnAllOfThem) {
  System system(WithDispatchers());
  std::atomic<int> answers{0};
  constexpr int kSpawners = 4, kChildren = 2000;
  std::latch done(kSpawners);
  for (int s = 0; s < kSpawners; ++s) {
    struct Next {};
    class Spawner {
     public:
      Spawner(int first, std::atomic<int>& answers, std::latch& done)
          : left_(kChildren), place_(first), answers_(answers), done_(done) {}
      void On(Next, Context& self) {
        stale_.Send(Job{0});
        if (left_-- == 0) return done_.count_down();
        auto child = self.Spawn({.dispatcher = kNames[place_++ % kDispatchers]},
                                [](Job job) { return job.n; });
        child.Ask(Job{left_}, absl::Minutes(5))
            .Then(self, [=, this](absl::StatusOr<int> n, Context& self) {
              answers_.fetch_add(n.ok() && *n == left_);
              child.Stop();
              stale_ = child;
              self.ref(this).Send(Next{});
            });
      }

     private:
      int left_, place_;
      std::atomic<int>& answers_;
      std::latch& done_;
      Recipient<Job> stale_;
    };
    system.Spawn<Spawner>({.dispatcher = kNames[s % kDispatchers]}, int{s}, answers, done)
        .Send(Next{});
  }
  done.wait();
  EXPECT_EQ(answers.load(), kSpawners * kChildren);
  EXPECT_TRUE(system.Shutdown(absl::Minutes(5)).complete);
}

}  // namespace
}  // namespace troupe
