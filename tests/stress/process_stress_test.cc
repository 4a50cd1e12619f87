// Processes on real threads: messages, deadlines and ends race for a receive.
#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

constexpr int kSenders = 4;
constexpr int kEach = 5'000;

std::atomic<int64_t> items{0};
struct Item {
  explicit Item(int n) : number(n) { items.fetch_add(1); }
  Item(Item&& other) noexcept : number(other.number) { items.fetch_add(1); }
  Item& operator=(Item&& other) noexcept {
    number = other.number;
    return *this;
  }
  ~Item() { items.fetch_sub(1); }
  int number;
};
using Sink = Process<Item>;

struct Begin {
  ActorRef<Sink> to;
};
class Sender {
 public:
  void On(Begin begin) {
    for (int i = 0; i < kEach; ++i) begin.to.Send(Item(i));
  }
};

std::vector<ActorRef<Sender>> SpawnSenders(System& system, const ActorRef<Sink>& sink) {
  std::vector<ActorRef<Sender>> senders;
  for (int i = 0; i < kSenders; ++i) {
    senders.push_back(system.Spawn<Sender>());
    senders.back().Send(Begin{sink});
  }
  return senders;
}

// What a sink has received: from each sender in order, each once.
struct Tally {
  std::map<AnyRef, int> next;
  std::atomic<int64_t> received{0};
  std::atomic<bool> in_order{true};

  void Add(const Received<Item>& item) {
    if (next[item.sender]++ != item.message.number) in_order = false;
    received.fetch_add(1);
  }
};

// Waits now for one of those it has heard of, now for anybody, now for a moment only.
Task<> ReceivesAtRandom(Sink& self, Tally* tally) {
  std::minstd_rand random(7);
  std::vector<AnyRef> known;
  while (tally->received < kSenders * kEach) {
    absl::StatusOr<Received<Item>> item = absl::UnavailableError("");
    if (!known.empty() && random() % 2 == 0) {
      item = co_await self.ReceiveFrom<Item>(known[random() % known.size()],
                                             absl::Microseconds(random() % 50));
    } else if (random() % 2 == 0) {
      item = co_await self.Receive<Item>(absl::Microseconds(random() % 50));
    } else {
      item = co_await self.Receive<Item>();
    }
    if (!item.ok()) continue;
    if (!tally->next.contains(item->sender)) known.push_back(item->sender);
    tally->Add(*item);
  }
}

TEST(ProcessStressTest, EveryMessageIsReceivedOnceAndInOrderWhateverTimesOut) {
  for (uint32_t capacity : {kUnbounded, uint32_t{3}}) {
    Tally tally;
    {
      System system({.workers = 3});
      auto sink = system.Spawn({.capacity = capacity}, ReceivesAtRandom, &tally);
      SpawnSenders(system, sink);
      ASSERT_TRUE(system.Join(sink, absl::Minutes(5)).ok());
    }
    EXPECT_EQ(tally.received.load(), kSenders * kEach);
    EXPECT_TRUE(tally.in_order.load());
    EXPECT_EQ(items.load(), 0);
  }
}

// Takes from one of them only, so that those of the others pile up, until it is stopped or returns.
Task<> TakesFromFirst(Sink& self, Tally* tally, int most) {
  const AnyRef first = (co_await self.Receive<Item>()).sender;
  tally->received.fetch_add(1);
  while (most-- > 0) {
    auto item = co_await self.ReceiveFrom<Item>(first);
    if (!item.ok()) co_return;
    tally->received.fetch_add(1);
  }
}

TEST(ProcessStressTest, WhateverIsNotReceivedWhenAProcessEndsIsADeadLetter) {
  for (int round = 0; round < 30; ++round) {
    Tally tally;
    std::atomic<int64_t> lost{0};
    {
      System system({.workers = 3, .on_dead_letter = [&lost](const DeadLetter& letter) {
                       if (letter.message_type.ends_with("Item")) lost.fetch_add(1);
                     }});
      auto sink = system.Spawn(TakesFromFirst, &tally, round % 2 == 0 ? kEach : 100);
      const auto senders = SpawnSenders(system, sink);
      if (round % 2 == 0) {
        for (int i = 0; i < 10 * round; ++i) std::this_thread::yield();
        sink.Stop();
      }
      ASSERT_TRUE(system.Join(sink, absl::Minutes(5)).ok());
      for (const ActorRef<Sender>& sender : senders) {
        sender.Stop(StopWhen::kDrained);
        ASSERT_TRUE(system.Join(sender, absl::Minutes(5)).ok());
      }
    }
    EXPECT_EQ(tally.received + lost, kSenders * kEach);
    EXPECT_EQ(items.load(), 0);
  }
}

}  // namespace
}  // namespace troupe
