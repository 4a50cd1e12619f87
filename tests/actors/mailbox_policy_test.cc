// What a bounded mailbox does when it is full. The blocking policy also on real threads.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/internal/bounded_queue.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using MailboxPolicyTest = Simulated;

struct Item {
  int n;
};

class Collector {
 public:
  explicit Collector(std::vector<int>& items) : items_(items) {}
  void On(Item m) { items_.push_back(m.n); }

 private:
  std::vector<int>& items_;
};

std::vector<int> Range(int begin, int end) {
  std::vector<int> range;
  for (int i = begin; i < end; ++i) range.push_back(i);
  return range;
}

TEST_F(MailboxPolicyTest, TheCapacityIsExact) {
  for (uint32_t capacity : {1u, 2u, 3u, 64u, 1000u}) {
    auto& items = Keep<std::vector<int>>();
    auto collector =
        system_.Spawn<Collector>({.capacity = capacity, .when_full = WhenFull::kFail}, items);
    const int n = static_cast<int>(capacity);
    for (int i = 0; i < n; ++i) EXPECT_EQ(collector.Send(Item{i}), SendResult::kQueued);
    for (int i = n; i < n + 3; ++i) EXPECT_EQ(collector.Send(Item{i}), SendResult::kFull);
    Run();
    EXPECT_EQ(items, Range(0, n));
  }
}

TEST_F(MailboxPolicyTest, WhatIsHandledMakesRoom) {
  auto& items = Keep<std::vector<int>>();
  auto collector = system_.Spawn<Collector>({.capacity = 2, .when_full = WhenFull::kFail}, items);
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(collector.Send(Item{round}), SendResult::kQueued);
    EXPECT_EQ(collector.Send(Item{round}), SendResult::kQueued);
    EXPECT_EQ(collector.Send(Item{round}), SendResult::kFull);
    Run();
  }
  EXPECT_EQ(items.size(), 20u);
}

TEST_F(MailboxPolicyTest, TheMessageBeingHandledTakesNoRoom) {
  auto& results = Keep<std::vector<SendResult>>();
  class Inward {
   public:
    explicit Inward(std::vector<SendResult>& results) : results_(results) {}
    void On(Item m, Context& self) {
      if (m.n != 0) return;
      results_.push_back(self.ref(this).Send(Item{1}));
      results_.push_back(self.ref(this).Send(Item{2}));
    }

   private:
    std::vector<SendResult>& results_;
  };
  system_.Spawn<Inward>({.capacity = 1, .when_full = WhenFull::kFail}, results).Send(Item{0});
  Run();
  EXPECT_EQ(results, (std::vector<SendResult>{SendResult::kQueued, SendResult::kFull}));
}

TEST_F(MailboxPolicyTest, AnUnboundedMailboxTakesEverything) {
  auto& items = Keep<std::vector<int>>();
  auto collector = system_.Spawn<Collector>(items);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(collector.Send(Item{i}), SendResult::kQueued);
  Run();
  EXPECT_EQ(items, Range(0, 100'000));
}

TEST_F(MailboxPolicyTest, DropNewestRefusesWhatComesLast) {
  auto& items = Keep<std::vector<int>>();
  auto collector =
      system_.Spawn<Collector>({.capacity = 3, .when_full = WhenFull::kDropNewest}, items);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(collector.Send(Item{i}), SendResult::kQueued);
  EXPECT_EQ(collector.Send(Item{3}), SendResult::kDropped);
  EXPECT_EQ(collector.TrySend(Item{4}), SendResult::kDropped);
  Run();
  EXPECT_EQ(items, Range(0, 3));
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedNewest), 2u);
}

TEST_F(MailboxPolicyTest, DropOldestDropsExactlyTheOnesThatHaveWaitedLongest) {
  auto& items = Keep<std::vector<int>>();
  auto collector =
      system_.Spawn<Collector>({.capacity = 3, .when_full = WhenFull::kDropOldest}, items);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(collector.Send(Item{i}), SendResult::kQueued);
  EXPECT_EQ(collector.TrySend(Item{10}), SendResult::kQueued);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 8u);
  Run();
  EXPECT_EQ(items, Range(8, 11));
}

TEST_F(MailboxPolicyTest, DropOldestWithRoomForOneKeepsTheNewest) {
  auto& items = Keep<std::vector<int>>();
  auto collector =
      system_.Spawn<Collector>({.capacity = 1, .when_full = WhenFull::kDropOldest}, items);
  for (int i = 0; i < 10; ++i) collector.Send(Item{i});
  Run();
  EXPECT_EQ(items, std::vector<int>{9});
}

TEST_F(MailboxPolicyTest, TrySendOfAFullBlockingMailboxIsRefused) {
  auto& items = Keep<std::vector<int>>();
  auto collector = system_.Spawn<Collector>({.capacity = 1, .when_full = WhenFull::kBlock}, items);
  EXPECT_EQ(collector.TrySend(Item{1}), SendResult::kQueued);
  EXPECT_EQ(collector.TrySend(Item{2}), SendResult::kFull);
  Run();
  EXPECT_EQ(items, std::vector<int>{1});
}

TEST_F(MailboxPolicyTest, ABlockingSendTurnsTheManualSchedulerUntilThereIsRoom) {
  auto& items = Keep<std::vector<int>>();
  auto collector = system_.Spawn<Collector>({.capacity = 2, .when_full = WhenFull::kBlock}, items);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(collector.Send(Item{i}), SendResult::kQueued);
  EXPECT_GE(items.size(), 98u);
  Run();
  EXPECT_EQ(items, Range(0, 100));
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(MailboxPolicyTest, BlockIsTheDefaultPolicy) {
  EXPECT_EQ(ActorOptions().when_full, WhenFull::kBlock);
  EXPECT_EQ(ActorOptions().capacity, kUnbounded);
}

TEST_F(MailboxPolicyTest, AHandlerMayBlockOnAFullMailboxOfTheManualScheduler) {
  auto& items = Keep<std::vector<int>>();
  auto collector = system_.Spawn<Collector>({.capacity = 2, .when_full = WhenFull::kBlock}, items);
  auto producer = system_.Spawn([collector](Item m) {
    for (int i = 0; i < m.n; ++i) collector.Send(Item{i});
  });
  producer.Send(Item{50});
  Run();
  EXPECT_EQ(items, Range(0, 50));
}

TEST_F(MailboxPolicyTest, WhereNothingCanMakeRoomABlockingSendIsRefused) {
  // Two that fill each other's mailbox from their handlers.
  auto& results = Keep<std::vector<SendResult>>();
  class Stubborn {
   public:
    explicit Stubborn(std::vector<SendResult>& results) : results_(results) {}
    void On(Recipient<Item> peer) { peer_ = peer; }
    void On(Item m) {
      if (m.n == 0) return;
      for (int i = 0; i < 3; ++i) results_.push_back(peer_.Send(Item{m.n - 1}));
    }

   private:
    std::vector<SendResult>& results_;
    Recipient<Item> peer_;
  };
  const ActorOptions options{.capacity = 1, .when_full = WhenFull::kBlock};
  auto one = system_.Spawn<Stubborn>(options, results);
  auto two = system_.Spawn<Stubborn>(options, results);
  one.Send(Recipient<Item>(two));
  two.Send(Recipient<Item>(one));
  Run();
  one.Send(Item{3});
  Run();
  int refused = 0;
  for (SendResult result : results) refused += result == SendResult::kFull;
  EXPECT_GT(refused, 0);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), static_cast<uint64_t>(refused));
}

TEST_F(MailboxPolicyTest, WhereOnlyAWaitingHandlerCouldMakeRoomTimersDoNotKeepTheSendWaiting) {
  auto& result = Keep<SendResult>();
  class Outer {
   public:
    explicit Outer(ManualScheduler& loop) : loop_(loop) {}
    void On(Item) { loop_.RunUntilIdle(); }

   private:
    ManualScheduler& loop_;
  };
  auto outer = system_.Spawn<Outer>({.capacity = 1, .when_full = WhenFull::kBlock}, loop_);
  auto inner = system_.Spawn([outer, &result](Item) { result = outer.Send(Item{3}); });
  system_.SendEvery(absl::Seconds(1), system_.Spawn([](Item) {}), Item{0});
  outer.Send(Item{1});
  auto filler = system_.Spawn([outer, inner](Item) {
    outer.TrySend(Item{2});
    inner.Send(Item{0});
  });
  filler.Send(Item{0});
  Run();
  EXPECT_EQ(result, SendResult::kFull);
}

TEST_F(MailboxPolicyTest, AnActorDoesNotBlockOnItsOwnFullMailbox) {
  auto& results = Keep<std::vector<SendResult>>();
  class Inward {
   public:
    explicit Inward(std::vector<SendResult>& results) : results_(results) {}
    void On(Item m, Context& self) {
      if (m.n != 0) return;
      results_.push_back(self.ref(this).Send(Item{1}));
      results_.push_back(self.ref(this).Send(Item{2}));
    }

   private:
    std::vector<SendResult>& results_;
  };
  system_.Spawn<Inward>({.capacity = 1, .when_full = WhenFull::kBlock}, results).Send(Item{0});
  Run();
  EXPECT_EQ(results, (std::vector<SendResult>{SendResult::kQueued, SendResult::kFull}));
}

TEST_F(MailboxPolicyTest, AFullMailboxOfAnEndedActorIsClosedAndNotFull) {
  for (WhenFull policy :
       {WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest, WhenFull::kDropOldest}) {
    auto& items = Keep<std::vector<int>>();
    auto collector = system_.Spawn<Collector>({.capacity = 1, .when_full = policy}, items);
    collector.Send(Item{1});
    collector.Stop();
    Run();
    EXPECT_EQ(collector.Send(Item{2}), SendResult::kClosed);
    EXPECT_TRUE(items.empty());
  }
}

TEST_F(MailboxPolicyTest, AMailboxIsEmptyForTheNextActorThatUsesIt) {
  for (int round = 0; round < 50; ++round) {
    auto& items = Keep<std::vector<int>>();
    auto collector = system_.Spawn<Collector>({.capacity = 3, .when_full = WhenFull::kFail}, items);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(collector.Send(Item{i}), SendResult::kQueued);
    EXPECT_EQ(collector.Send(Item{3}), SendResult::kFull);
    collector.Stop();
    Run();
    EXPECT_TRUE(items.empty());
  }
}

// ---- real threads

// Handles one item for every permit.
class Gated {
 public:
  Gated(std::counting_semaphore<>& permits, std::vector<int>& items)
      : permits_(permits), items_(items) {}
  void On(Item m) {
    permits_.acquire();
    items_.push_back(m.n);
  }

 private:
  std::counting_semaphore<>& permits_;
  std::vector<int>& items_;
};

TEST(BlockingMailboxTest, APlainThreadSleepsUntilThereIsRoomAndKeepsItsOrder) {
  std::vector<int> items;
  std::counting_semaphore<> permits(0);
  std::atomic<int> queued{0};
  System system({.workers = 1});
  auto gated = system.Spawn<Gated>({.capacity = 2, .when_full = WhenFull::kBlock}, permits, items);
  std::thread sender([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(gated.Send(Item{i}), SendResult::kQueued);
      queued.fetch_add(1);
    }
  });
  // At any time no more is queued than was handled, is being handled, and fits.
  for (int handled = 0; handled < 100; ++handled) {
    EXPECT_LE(queued.load(), handled + 3);
    permits.release();
    while (queued.load() < std::min(100, handled + 1)) std::this_thread::yield();
  }
  sender.join();
  gated.Stop(StopWhen::kDrained);
  EXPECT_TRUE(system.Join(gated).ok());
  EXPECT_EQ(items, Range(0, 100));
}

TEST(BlockingMailboxTest, AHandlerLendsItsWorkersPlaceWhileItWaitsForRoom) {
  // One worker: without a stand-in the receiver could never make room.
  std::vector<int> items;
  std::latch done(1);
  System system({.workers = 1});
  auto collector = system.Spawn({.capacity = 1, .when_full = WhenFull::kBlock}, [&](Item m) {
    items.push_back(m.n);
    if (m.n == 199) done.count_down();
  });
  auto producer = system.Spawn([collector](Item m) {
    for (int i = 0; i < m.n; ++i) EXPECT_EQ(collector.Send(Item{i}), SendResult::kQueued);
  });
  producer.Send(Item{200});
  done.wait();
  EXPECT_EQ(items, Range(0, 200));
}

TEST(BlockingMailboxTest, WhenTheReceiverEndsWhoeverWaitsIsToldThatItIsClosed) {
  std::counting_semaphore<> permits(0);
  std::vector<int> items;
  std::atomic<uint64_t> closed{0};
  {
    System system({.workers = 1});
    auto gated =
        system.Spawn<Gated>({.capacity = 1, .when_full = WhenFull::kBlock}, permits, items);
    std::vector<std::thread> senders;
    for (int t = 0; t < 4; ++t) {
      senders.emplace_back([&] {
        while (gated.Send(Item{0}) == SendResult::kQueued) {
        }
        closed.fetch_add(1);
      });
    }
    gated.Stop();
    permits.release(1000);
    for (std::thread& sender : senders) sender.join();
  }
  EXPECT_EQ(closed.load(), 4u);
}

TEST(BlockingMailboxTest, ManySendersToOneSmallMailboxLoseNothing) {
  constexpr int kSenders = 4;
  constexpr int kEach = 500;
  std::atomic<int> sum{0};
  std::latch all(kSenders * kEach);
  System system({.workers = 2});
  auto sink = system.Spawn({.capacity = 3, .when_full = WhenFull::kBlock}, [&](Item m) {
    sum.fetch_add(m.n);
    all.count_down();
  });
  std::vector<std::thread> senders;
  for (int t = 0; t < kSenders; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) EXPECT_EQ(sink.Send(Item{1}), SendResult::kQueued);
    });
  }
  for (std::thread& sender : senders) sender.join();
  all.wait();
  EXPECT_EQ(sum.load(), kSenders * kEach);
  EXPECT_EQ(system.stats().dead_letters_total(), 0u);
}

// The sender that found the mailbox full has to get in while far less than half of the room is free,
// since the handler that runs then waits for that, by Context::Blocking or by its own means.
TEST(BlockingMailboxTest, AReceiverMayWaitForTheSenderThatWaitsForIt) {
  for (const bool lends_its_place : {true, false}) {
    for (int round = 0; round < 10; ++round) {
      std::latch full(1), in(1);
      System system({.workers = 1});
      auto host = system.Spawn({.capacity = 8, .when_full = WhenFull::kBlock},
                               [&, lends_its_place](Item m, Context& self) {
                                 if (m.n > 1) return;
                                 std::latch& until = m.n == 0 ? full : in;
                                 if (!lends_its_place) return until.wait();
                                 self.Blocking([&until] {
                                   until.wait();
                                   return 0;
                                 });
                               });
      for (int i = 0; i < 9; ++i) EXPECT_EQ(host.Send(Item{i}), SendResult::kQueued);
      full.count_down();
      EXPECT_EQ(host.Send(Item{9}), SendResult::kQueued);
      in.count_down();
      host.Stop(StopWhen::kDrained);
      EXPECT_TRUE(system.Join(host).ok());
    }
  }
}

// Messages that nobody handles, and a sender that never looks by itself: it has to be woken.
class WakeTest : public testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kNever = std::chrono::hours(24 * 365);

  void Fill(internal::BoundedQueue& queue) {
    queue.Open(kOwner, 8, WhenFull::kBlock);
    for (internal::Envelope& e : messages_) {
      e.address = kOwner;
      EXPECT_EQ(queue.Offer(e).result, SendResult::kQueued);
    }
  }
  static void Pop(internal::BoundedQueue& queue, int n) {
    for (int i = 0; i < n; ++i) EXPECT_NE(queue.Pop(), nullptr);
  }
  static std::thread Sender(internal::BoundedQueue& queue) {
    return std::thread([&queue] { queue.WaitForRoom(kOwner); });
  }

  static constexpr uint64_t kOwner = 8;
  internal::BoundedQueue queue_{{.long_since_full = kNever, .first_look = kNever}};
  std::vector<internal::Envelope> messages_{8, internal::Envelope(nullptr, {})};
};

TEST_F(WakeTest, SendersAreWokenTogetherWhenHalfOfTheRoomIsFree) {
  Fill(queue_);
  std::thread one = Sender(queue_), other = Sender(queue_);
  Pop(queue_, 4);
  one.join();
  other.join();
  EXPECT_FALSE(queue_.WakeSenders());  // the fourth did
}

TEST_F(WakeTest, BeforeThatTheyAreWokenByAReceiverThatParksOrWaits) {
  Fill(queue_);
  std::thread sender = Sender(queue_);
  Pop(queue_, 3);
  EXPECT_TRUE(queue_.WakeSenders());
  sender.join();
  EXPECT_FALSE(queue_.WakeSenders());  // once
  Pop(queue_, 5);
  EXPECT_FALSE(queue_.WakeSenders());  // it was not full since
}

TEST_F(WakeTest, OfOneThatHasNotBeenFullForLongTheyAreWokenAtOnce) {
  internal::BoundedQueue queue(
      {.long_since_full = std::chrono::milliseconds(0), .first_look = kNever});
  Fill(queue);
  std::thread sender = Sender(queue);
  Pop(queue, 1);
  sender.join();
  EXPECT_FALSE(queue.WakeSenders());
}

TEST_F(WakeTest, WhatAProcessHasPassedOverIsNotWaitedFor) {
  Fill(queue_);
  queue_.HoldRoom();
  std::thread sender = Sender(queue_);
  Pop(queue_, 8);
  EXPECT_FALSE(queue_.WakeSenders());  // all are held: there is no room
  queue_.MakeRoom();                   // nothing else is there to be handled
  sender.join();
  EXPECT_FALSE(queue_.WakeSenders());
}

TEST(BlockingMailboxTest, ShutdownEndsEveryWaitForRoom) {
  class Stuck {
   public:
    Stuck(std::latch& entered, std::latch& release, std::latch& gone)
        : entered_(entered), release_(release), gone_(gone) {}
    ~Stuck() { gone_.count_down(); }
    void On(Item) {
      entered_.count_down();
      release_.wait();
    }

   private:
    std::latch& entered_;
    std::latch& release_;
    std::latch& gone_;
  };
  std::latch entered(1), release(1), gone(1);
  System system({.workers = 1});
  auto stuck =
      system.Spawn<Stuck>({.capacity = 1, .when_full = WhenFull::kBlock}, entered, release, gone);
  std::atomic<SendResult> last{SendResult::kQueued};
  std::thread sender([&] {
    SendResult result;
    while ((result = stuck.Send(Item{0})) == SendResult::kQueued) {
    }
    last = result;
  });
  entered.wait();
  // The receiver stays in its handler, so only the shutdown can end the wait.
  EXPECT_FALSE(system.Shutdown(absl::Milliseconds(1)).complete);
  sender.join();
  EXPECT_NE(last.load(), SendResult::kQueued);
  release.count_down();
  gone.wait();
}

}  // namespace
}  // namespace troupe
