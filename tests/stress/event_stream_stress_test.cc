// Actors come and go on all threads while others subscribe and unsubscribe: who has subscribed all
// along is told of each, its start first.
#include <atomic>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct End {};
struct Mortal {
  void On(End, Context& self) { self.Stop(); }
};

struct Seen {
  using Reply = int;
};
class Monitor {
 public:
  void On(const ActorStarted& e) {
    if (e.type != TypeName<Mortal>()) return;
    const bool is_new = lives_.try_emplace(e.who, true).second;
    wrong_ |= !is_new;
  }
  void On(const ActorEnded& e) {
    if (e.type != TypeName<Mortal>()) return;
    const auto life = lives_.find(e.who);
    wrong_ |= life == lives_.end() || !life->second;
    if (life == lives_.end()) return;
    life->second = false;
    ++ended_;
  }
  int On(Seen) { return wrong_ ? -1 : ended_; }

 private:
  std::unordered_map<AnyRef, bool> lives_;
  int ended_ = 0;
  bool wrong_ = false;
};

TEST(EventStreamStressTest, WhoeverComesAndGoesIsToldOfInOrder) {
  constexpr int kThreads = 3, kActors = 1'000;
  System system({.workers = 3});
  auto monitor = system.Spawn<Monitor>();
  system.events().Subscribe<ActorStarted>(monitor);
  system.events().Subscribe<ActorEnded>(monitor);
  std::atomic<bool> done{false};
  std::thread fickle([&] {
    while (!done.load()) {
      auto other = system.Spawn<Monitor>();
      system.events().Subscribe<ActorStarted>(other);
      system.events().Subscribe<ActorEnded>(other);
      std::this_thread::yield();
      system.events().Unsubscribe<ActorStarted>(other);
      other.Stop();
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kActors; ++i) system.Spawn<Mortal>().Send(End{});
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  fickle.join();
  int seen = 0;
  while (seen >= 0 && seen < kThreads * kActors) {  // all of them end
    seen = monitor.Ask(Seen{}, absl::Minutes(5)).Wait().value_or(-1);
  }
  EXPECT_EQ(seen, kThreads * kActors);
}

}  // namespace
}  // namespace troupe
