#include "troupe/core/mailbox_queue.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

struct alignas(64) Node : MailboxNode {
  int producer = 0;
  int number = 0;
};

std::vector<MailboxNode*> NodesOf(const MailboxQueue::List& list) {
  std::vector<MailboxNode*> nodes;
  for (MailboxNode* node = list.first; node != nullptr; node = node->next) nodes.push_back(node);
  EXPECT_EQ(nodes.size(), list.count);
  EXPECT_EQ(nodes.empty() ? nullptr : nodes.back(), list.last);
  return nodes;
}

using Nodes = std::vector<MailboxNode*>;

TEST(MailboxQueueTest, ZeroBytesReadAsAClosedQueue) {
  alignas(MailboxQueue) std::array<unsigned char, sizeof(MailboxQueue)> memory{};
  auto& queue = *reinterpret_cast<MailboxQueue*>(memory.data());
  Node node;
  EXPECT_TRUE(queue.closed());
  EXPECT_EQ(queue.Push(node), PushResult::kClosed);
  EXPECT_FALSE(queue.Wake());
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(memory, decltype(memory){}) << "M4: nobody writes to a closed queue";
}

TEST(MailboxQueueTest, FirstPushToAnIdleQueueAsksTheSenderToSchedule) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kIdle);
  Node a, b;
  EXPECT_EQ(queue.Push(a), PushResult::kMustSchedule);
  EXPECT_EQ(queue.Push(b), PushResult::kQueued);
  EXPECT_EQ(queue.size(), 2u);
}

TEST(MailboxQueueTest, PushToARunningReceiverJustQueues) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  Node a;
  EXPECT_EQ(queue.Push(a), PushResult::kQueued);
  EXPECT_EQ(NodesOf(queue.TakeAll()), Nodes{&a});
}

TEST(MailboxQueueTest, TakeAllReturnsTheOldestFirst) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  Node a, b, c;
  for (Node* node : {&a, &b, &c}) EXPECT_EQ(queue.Push(*node), PushResult::kQueued);
  EXPECT_EQ(NodesOf(queue.TakeAll()), (Nodes{&a, &b, &c}));
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_TRUE(queue.TakeAll().empty());
}

TEST(MailboxQueueTest, FinishBatchParksOnlyIfNothingCameSinceTakeAll) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  Node a;
  ASSERT_EQ(queue.Push(a), PushResult::kQueued);
  EXPECT_EQ(queue.FinishBatch(), BatchEnd::kReschedule);
  EXPECT_EQ(queue.TakeAll().first, &a);
  EXPECT_EQ(queue.FinishBatch(), BatchEnd::kPark);
  EXPECT_EQ(queue.Push(a), PushResult::kMustSchedule);
}

TEST(MailboxQueueTest, WakingAnIdleReceiverObligesToScheduleIt) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kIdle);
  EXPECT_TRUE(queue.Wake());
  Node a;
  EXPECT_EQ(queue.Push(a), PushResult::kQueued) << "M1: the right to run is taken";
}

TEST(MailboxQueueTest, AWakeDuringABatchIsNotSleptThrough) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  EXPECT_FALSE(queue.Wake());
  EXPECT_FALSE(queue.Wake());
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.FinishBatch(), BatchEnd::kReschedule);
  EXPECT_TRUE(queue.TakeAll().empty());
  EXPECT_EQ(queue.FinishBatch(), BatchEnd::kPark);
}

TEST(MailboxQueueTest, AWakeLeavesWaitingNodesAlone) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  Node a, b;
  EXPECT_FALSE(queue.Wake());
  ASSERT_EQ(queue.Push(a), PushResult::kQueued);
  EXPECT_FALSE(queue.Wake());
  ASSERT_EQ(queue.Push(b), PushResult::kQueued);
  EXPECT_EQ(NodesOf(queue.TakeAll()), (Nodes{&a, &b}));
}

TEST(MailboxQueueTest, CloseReturnsWhatWasLeftAndRefusesTheRest) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  Node a, b, c;
  ASSERT_EQ(queue.Push(a), PushResult::kQueued);
  ASSERT_EQ(queue.Push(b), PushResult::kQueued);
  EXPECT_EQ(NodesOf(queue.Close()), (Nodes{&a, &b}));
  EXPECT_EQ(queue.Push(c), PushResult::kClosed);
  EXPECT_FALSE(queue.Wake());
}

TEST(MailboxQueueTest, AClosedQueueCanBeOpenedAgain) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  EXPECT_FALSE(queue.Wake());
  EXPECT_TRUE(queue.Close().empty());
  queue.Open(MailboxQueue::OpenAs::kIdle);
  Node a;
  EXPECT_EQ(queue.Push(a), PushResult::kMustSchedule);
}

TEST(MailboxQueueTest, TheCountSticksAtItsMaximumAndTheAddressSurvives) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  Node a;
  // The same node over and over is no list, but it is a count.
  for (size_t i = 0; i < MailboxQueue::kMaxCount + 5; ++i) {
    ASSERT_EQ(queue.Push(a), PushResult::kQueued);
  }
  EXPECT_EQ(queue.size(), MailboxQueue::kMaxCount);
  Node b;
  ASSERT_EQ(queue.Push(b), PushResult::kQueued);
  EXPECT_EQ(b.next, &a);
  EXPECT_EQ(queue.size(), MailboxQueue::kMaxCount);
}

// ---- PushUnlessIdle

TEST(MailboxQueueTest, AnIdleQueueGivesTheNodeBackTogetherWithTheRightToRun) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kIdle);
  Node a, b;
  EXPECT_EQ(queue.PushUnlessIdle(a), PushResult::kMustSchedule);
  EXPECT_EQ(a.next, nullptr) << "the first and so far the last to be handled";
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_FALSE(queue.HasNodes());
  EXPECT_TRUE(queue.TakeAll().empty());
  EXPECT_FALSE(queue.Wake()) << "M1: the right to run is taken";
  EXPECT_EQ(queue.PushUnlessIdle(b), PushResult::kQueued);
  EXPECT_EQ(NodesOf(queue.TakeAll()), Nodes{&b});
}

TEST(MailboxQueueTest, AfterANodeThatWasGivenBackTheReceiverParksAndTheNextIsGivenBackAgain) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kIdle);
  Node a;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(queue.PushUnlessIdle(a), PushResult::kMustSchedule);
    EXPECT_EQ(queue.FinishBatch(), BatchEnd::kPark);
  }
}

TEST(MailboxQueueTest, WhereSomebodyHasTheRightToRunBothPushesQueueInOneOrder) {
  MailboxQueue queue;
  queue.Open(MailboxQueue::OpenAs::kActive);
  Node a, b, c, d;
  EXPECT_EQ(queue.PushUnlessIdle(a), PushResult::kQueued) << "active";
  EXPECT_EQ(queue.FinishBatch(), BatchEnd::kReschedule);
  EXPECT_EQ(NodesOf(queue.TakeAll()), Nodes{&a});
  EXPECT_FALSE(queue.Wake());
  EXPECT_EQ(queue.PushUnlessIdle(a), PushResult::kQueued) << "notified";
  EXPECT_EQ(queue.Push(b), PushResult::kQueued);
  EXPECT_EQ(queue.PushUnlessIdle(c), PushResult::kQueued) << "nodes";
  EXPECT_EQ(queue.PushUnlessIdle(d), PushResult::kQueued);
  EXPECT_EQ(queue.size(), 4u);
  EXPECT_EQ(NodesOf(queue.TakeAll()), (Nodes{&a, &b, &c, &d}));
}

TEST(MailboxQueueTest, AClosedQueueRefusesEitherPushAndStaysAsItIs) {
  alignas(MailboxQueue) std::array<unsigned char, sizeof(MailboxQueue)> memory{};
  auto& queue = *reinterpret_cast<MailboxQueue*>(memory.data());
  Node node;
  EXPECT_EQ(queue.PushUnlessIdle(node), PushResult::kClosed);
  EXPECT_EQ(memory, decltype(memory){}) << "M4: nobody writes to a closed queue";
  queue.Open(MailboxQueue::OpenAs::kActive);
  EXPECT_EQ(queue.PushUnlessIdle(node), PushResult::kQueued);
  EXPECT_EQ(NodesOf(queue.Close()), Nodes{&node});
  EXPECT_EQ(queue.PushUnlessIdle(node), PushResult::kClosed);
  EXPECT_TRUE(queue.closed());
}

// Links them as PushAll wants them.
PushResult PushAll(MailboxQueue& queue, std::span<Node> nodes) {
  for (size_t i = 1; i < nodes.size(); ++i) nodes[i].next = &nodes[i - 1];
  return queue.PushAll(nodes.back(), nodes.front(), nodes.size());
}

TEST(MailboxQueueTest, SeveralNodesComeInAtOnceOrNotAtAll) {
  MailboxQueue queue;
  std::array<Node, 3> nodes;
  EXPECT_EQ(PushAll(queue, nodes), PushResult::kClosed);
  queue.Open(MailboxQueue::OpenAs::kIdle);
  EXPECT_EQ(PushAll(queue, nodes), PushResult::kMustSchedule);
  std::array<Node, 2> more;
  EXPECT_EQ(PushAll(queue, more), PushResult::kQueued);
  EXPECT_EQ(queue.size(), 5u);
  EXPECT_EQ(NodesOf(queue.TakeAll()), (Nodes{&nodes[0], &nodes[1], &nodes[2], &more[0], &more[1]}));
}

// What the word does, written down the obvious way.
struct Model {
  bool open = false, active = false, notified = false;
  std::deque<MailboxNode*> nodes;

  PushResult Push(MailboxNode* node) {
    if (!open) return PushResult::kClosed;
    nodes.push_back(node);
    return std::exchange(active, true) ? PushResult::kQueued : PushResult::kMustSchedule;
  }
  PushResult PushUnlessIdle(MailboxNode* node) {
    if (active || !open) return Push(node);
    active = true;
    return PushResult::kMustSchedule;
  }
  bool Wake() {
    if (!open) return false;
    if (active) notified = true;
    return !std::exchange(active, true);
  }
  Nodes Take() {
    notified = false;
    Nodes taken(nodes.begin(), nodes.end());
    nodes.clear();
    return taken;
  }
  BatchEnd FinishBatch() {
    if (notified || !nodes.empty()) return BatchEnd::kReschedule;
    active = false;
    return BatchEnd::kPark;
  }
};

TEST(MailboxQueueTest, AnySequenceOfOperationsDoesWhatTheModelDoes) {
  std::mt19937 random(1);
  std::vector<Node> storage(20'000);
  size_t used = 0;
  MailboxQueue queue;
  Model model;
  while (used < storage.size()) {
    switch (random() % 9) {
      case 8: {
        const auto nodes = std::span(storage).subspan(
            used, std::min<size_t>(1 + random() % 4, storage.size() - used));
        used += nodes.size();
        PushResult expected = model.Push(&nodes.front());
        for (Node& node : nodes.subspan(1)) std::ignore = model.Push(&node);
        ASSERT_EQ(PushAll(queue, nodes), expected);
        break;
      }
      case 0:
      case 1: {
        Node& node = storage[used++];
        ASSERT_EQ(queue.Push(node), model.Push(&node));
        break;
      }
      case 2: {
        Node& node = storage[used++];
        ASSERT_EQ(queue.PushUnlessIdle(node), model.PushUnlessIdle(&node));
        break;
      }
      case 3:
        ASSERT_EQ(queue.Wake(), model.Wake());
        break;
      case 4:
      case 5:
        if (!model.active) break;
        ASSERT_EQ(NodesOf(queue.TakeAll()), model.Take());
        break;
      case 6:
        if (!model.active) break;
        ASSERT_EQ(queue.FinishBatch(), model.FinishBatch());
        break;
      case 7:
        if (model.open && model.active && random() % 4 == 0) {
          ASSERT_EQ(NodesOf(queue.Close()), model.Take());
          model.open = model.active = false;
        } else if (!model.open) {
          model.open = true;
          model.active = random() % 2 == 0;
          queue.Open(model.active ? MailboxQueue::OpenAs::kActive : MailboxQueue::OpenAs::kIdle);
        }
        break;
    }
    ASSERT_EQ(queue.closed(), !model.open);
    ASSERT_EQ(queue.size(), model.nodes.size());
  }
}

// ---- threads ----------------------------------------------------------------------------------

// Passes the right to run one receiver from those who schedule it to the threads that run it.
class Activations {
 public:
  void Schedule() {
    std::lock_guard lock(mutex_);
    ++waiting_;
    EXPECT_EQ(waiting_, 1) << "M1: scheduled twice";
    changed_.notify_one();
  }

  bool Await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0 || ended_; });
    if (waiting_ == 0) return false;
    --waiting_;
    return true;
  }

  void End() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool ended_ = false;
};

// All its fields are plain: ThreadSanitizer then tests M1 and the visibility contract.
struct Receiver {
  MailboxQueue queue;
  Activations activations;
  std::atomic<int> requests{0};  // what Wake tells of

  MailboxNode* first = nullptr;  // came with the right to run
  std::vector<int> next_number;
  int received = 0;
  int requests_seen = 0;

  void Send(Node& node) {
    if (queue.Push(node) == PushResult::kMustSchedule) activations.Schedule();
  }

  void SendAll(std::span<Node> nodes) {
    if (PushAll(queue, nodes) == PushResult::kMustSchedule) activations.Schedule();
  }

  void SendUnlessIdle(Node& node) {
    if (queue.PushUnlessIdle(node) != PushResult::kMustSchedule) return;
    EXPECT_EQ(std::exchange(first, &node), nullptr) << "M3: the one before was never handled";
    activations.Schedule();
  }

  void Request() {
    requests.fetch_add(1, std::memory_order_relaxed);
    if (queue.Wake()) activations.Schedule();
  }

  void Receive(MailboxNode* node) {
    for (; node != nullptr; node = node->next) {
      const Node& message = *static_cast<Node*>(node);
      EXPECT_EQ(message.number, next_number[message.producer]++) << "order of one sender";
      ++received;
    }
  }

  void Run() {
    do {
      Receive(std::exchange(first, nullptr));
      Receive(queue.TakeAll().first);
      requests_seen = requests.load(std::memory_order_relaxed);
    } while (queue.FinishBatch() == BatchEnd::kReschedule);
  }
};

TEST(MailboxQueueStressTest, NothingIsLostOrSleptThroughAndEachSendersOrderIsKept) {
  constexpr int kProducers = 3, kMessages = 30'000, kRequests = 10'000;
  Receiver receiver;
  receiver.next_number.resize(kProducers);
  receiver.queue.Open(MailboxQueue::OpenAs::kIdle);

  std::vector<std::thread> senders, runners;
  for (int i = 0; i < 2; ++i) {
    runners.emplace_back([&] {
      while (receiver.activations.Await()) receiver.Run();
    });
  }
  std::vector<std::vector<Node>> nodes(kProducers);
  for (int p = 0; p < kProducers; ++p) {
    nodes[p] = std::vector<Node>(kMessages);
    senders.emplace_back([&, p] {
      std::minstd_rand random(static_cast<unsigned>(p + 1));
      for (int n = 0; n < kMessages; ++n) {
        nodes[p][n].producer = p;
        nodes[p][n].number = n;
      }
      for (int n = 0; n < kMessages; ++n) {
        switch (random() % 3) {
          case 0:
            receiver.Send(nodes[p][n]);
            break;
          case 1:
            receiver.SendUnlessIdle(nodes[p][n]);
            break;
          case 2: {
            const auto some = std::span(nodes[p]).subspan(n, std::min(5, kMessages - n));
            receiver.SendAll(some);
            n += static_cast<int>(some.size()) - 1;
            break;
          }
        }
      }
    });
  }
  senders.emplace_back([&] {
    for (int n = 0; n < kRequests; ++n) receiver.Request();
  });
  for (std::thread& thread : senders) thread.join();
  receiver.activations.End();
  for (std::thread& thread : runners) thread.join();

  EXPECT_EQ(receiver.received, kProducers * kMessages);
  EXPECT_EQ(receiver.requests_seen, kRequests) << "M2: a wake was slept through";
  EXPECT_EQ(receiver.queue.size(), 0u);
}

TEST(MailboxQueueStressTest, EveryNodeIsEitherRefusedOrComesOutOnceWhileTheQueueIsClosedAndReused) {
  constexpr int kProducers = 3, kMessages = 30'000;
  MailboxQueue queue;
  Activations activations;
  queue.Open(MailboxQueue::OpenAs::kIdle);

  int taken = 0;                   // the running thread's
  MailboxQueue::List handed_over;  // of one node or none: it came with the right to run
  auto count = [&taken](const MailboxQueue::List& list) {
    for (auto* n = static_cast<Node*>(list.first); n; n = static_cast<Node*>(n->next)) {
      EXPECT_EQ(n->number++, 0) << "M3: came out twice";
      ++taken;
    }
  };
  std::thread runner([&] {
    int batches = 0;
    while (activations.Await()) {
      count(std::exchange(handed_over, {}));
      do {
        count(queue.TakeAll());
        if (++batches % 5 == 0) {
          count(queue.Close());
          queue.Open(MailboxQueue::OpenAs::kActive);
        }
      } while (queue.FinishBatch() == BatchEnd::kReschedule);
    }
  });
  std::atomic<int> accepted{0};
  std::vector<std::thread> senders;
  std::vector<std::vector<Node>> nodes(kProducers);
  for (int p = 0; p < kProducers; ++p) {
    nodes[p] = std::vector<Node>(kMessages);
    senders.emplace_back([&, p] {
      for (int n = 0; n < kMessages; ++n) {
        Node& node = nodes[p][n];
        const bool unless_idle = n % 2 == 0;
        const PushResult result = unless_idle ? queue.PushUnlessIdle(node) : queue.Push(node);
        if (result == PushResult::kMustSchedule) {
          if (unless_idle) handed_over = {.first = &node, .last = &node, .count = 1};
          activations.Schedule();
        }
        if (result != PushResult::kClosed) ++accepted;
      }
    });
  }
  for (std::thread& thread : senders) thread.join();
  activations.End();
  runner.join();
  EXPECT_EQ(taken, accepted.load());
}

}  // namespace
}  // namespace troupe
