// What one actor sends another comes in the order of sending, whatever happens to the two: the sender
// moves from worker to worker, in long handlers and in Blocking, while the receiver waits in
// some worker's slot (core/next_slot.h, N4), in a queue, or runs elsewhere.
#include <cstdint>
#include <latch>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Go {};
struct Number {
  int sender;
  uint64_t n;
  Recipient<Go> then;  // whom to tell that it has come, if anybody
};

// The numbers of each sender count up from 0.
class Checker {
 public:
  explicit Checker(int senders) : expected_(senders) {}
  void On(const Number& m) {
    EXPECT_EQ(m.n, expected_[m.sender]) << "order of sender " << m.sender;
    expected_[m.sender] = m.n + 1;
    if (m.then) m.then.Send(Go{});
  }

 private:
  std::vector<uint64_t> expected_;
};

using Checkers = std::vector<ActorRef<Checker>>;

class Counting {
 public:
  Counting(int me, const Checkers& checkers, int rounds, std::latch& done)
      : me_(me),
        checkers_(checkers),
        next_(checkers.size()),
        rounds_(rounds),
        random_(static_cast<unsigned>(me + 1)),
        done_(done) {}

  void On(Go, Context& self) {
    if (rounds_-- == 0) return done_.count_down();
    switch (random_() % 32) {
      case 0:  // a long turn, in which thieves come for who is in the slot
        for (int i = 0; i < 3000; ++i) Send(0);
        break;
      case 1:  // the worker's place, and what is in its slot, goes to another thread
        Send(0);
        Send(1);
        self.Blocking([this] { Send(1); });
        Send(0);
        break;
      case 2:
        self.Blocking([] { std::this_thread::yield(); });
        [[fallthrough]];
      default:
        for (int i = random_() % 6; i > 0; --i) Send(random_() % checkers_.size());
    }
    Send(random_() % checkers_.size(), self.ref(this));
  }

 private:
  void Send(size_t to, Recipient<Go> then = {}) {
    checkers_[to].Send(Number{me_, next_[to]++, then});
  }

  const int me_;
  const Checkers& checkers_;
  std::vector<uint64_t> next_;
  int rounds_;
  std::minstd_rand random_;
  std::latch& done_;
};

class OrderTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, OrderTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

TEST_P(OrderTest, WhatOneActorSendsAnotherComesInOrderWhereverTheTwoRun) {
  constexpr int kCheckers = 6, kCounting = 24, kThreads = 2, kRounds = 400, kFromOutside = 10'000;
  std::latch done(kCounting);
  Checkers checkers;
  System system({.workers = GetParam(), .messages_per_turn = 16, .max_blocking_threads = 4});
  for (int i = 0; i < kCheckers; ++i) {
    checkers.push_back(system.Spawn<Checker>(kCounting + kThreads));
  }
  for (int i = 0; i < kCounting; ++i) {
    system.Spawn<Counting>(i, checkers, kRounds, done).Send(Go{});
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, me = kCounting + t] {
      for (int n = 0; n < kFromOutside; ++n) {
        for (const ActorRef<Checker>& checker : checkers)
          checker.Send(Number{me, static_cast<uint64_t>(n), {}});
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.wait();
}

}  // namespace
}  // namespace troupe
