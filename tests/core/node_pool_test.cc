#include "troupe/core/node_pool.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/core/mailbox_queue.h"

namespace troupe {
namespace {

// Every test ends with as many blocks as it began with: nothing has leaked.
class NodePoolTest : public testing::Test {
 protected:
  NodePoolTest() : before_(LiveBlocks()) {}
  ~NodePoolTest() override { EXPECT_EQ(LiveBlocks(), before_); }

  static int64_t LiveBlocks() {
    FlushThreadNodes();
    TrimNodePool();
    return OutstandingNodeBlocks();
  }

 private:
  const int64_t before_;
};

constexpr size_t kSizes[] = {0, 1, 48, 64, 65, 128, 129, 192, 200, 256, 257, 1000, 100'000};

TEST_F(NodePoolTest, BlocksAreAlignedAndAsLargeAsAskedFor) {
  std::vector<std::pair<void*, size_t>> blocks;
  for (int round = 0; round < 200; ++round) {
    for (size_t bytes : kSizes) {
      void* const block = AllocateNode(bytes);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
      std::memset(block, static_cast<int>(blocks.size() % 251), bytes);
      blocks.emplace_back(block, bytes);
    }
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto [block, bytes] = blocks[i];
    const auto* data = static_cast<const unsigned char*>(block);
    for (size_t b = 0; b < bytes; b += 16) ASSERT_EQ(data[b], i % 251);
    FreeNode(block, bytes);
  }
}

TEST_F(NodePoolTest, ObjectsAreAlignedAndAsLargeAsAskedFor) {
  std::vector<std::pair<unsigned char*, size_t>> objects;
  for (int round = 0; round < 200; ++round) {
    for (size_t bytes : {0, 1, 8, 16, 17, 32, 33, 48, 49, 64, 65, 256, 257, 1000}) {
      auto* const object = static_cast<unsigned char*>(AllocateObject(bytes));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(object) % (bytes <= 48 ? 16 : 64), 0u);
      std::memset(object, static_cast<int>(objects.size() % 251), bytes);
      objects.emplace_back(object, bytes);
    }
  }
  for (size_t i = 0; i < objects.size(); ++i) {
    const auto [object, bytes] = objects[i];
    for (size_t b = 0; b < bytes; ++b) ASSERT_EQ(object[b], i % 251);
    FreeObject(object, bytes);
  }
}

TEST_F(NodePoolTest, SmallObjectsOfAThreadThatHasEndedAreGivenOutAgainAndGoBack) {
  const int64_t before = LiveBlocks();
  std::vector<void*> objects(1'000);
  std::thread([&] {
    for (void*& object : objects) object = AllocateObject(24);
  }).join();
  for (void* object : objects) FreeObject(object, 24);
  std::thread([&] {
    for (void*& object : objects) object = AllocateObject(32);
    for (void* object : objects) FreeObject(object, 32);
  }).join();
  EXPECT_EQ(LiveBlocks(), before);
}

TEST_F(NodePoolTest, AThreadKeepsABoundedStockOfSmallObjects) {
  std::vector<void*> objects(200'000);
  for (void*& object : objects) object = AllocateObject(16);
  const int64_t in_use = OutstandingNodeBlocks();
  for (void* object : objects) FreeObject(object, 16);
  EXPECT_LE(OutstandingNodeBlocks(), in_use - 200'000 + 65'536 + 128);
}

TEST_F(NodePoolTest, BlocksInUseAreCounted) {
  const int64_t before = LiveBlocks();
  void* const a = AllocateNode(64);
  void* const b = AllocateNode(1'000);
  EXPECT_EQ(LiveBlocks(), before + 2);
  FreeNode(a, 64);
  FreeNode(b, 1'000);
  EXPECT_EQ(LiveBlocks(), before);
}

TEST_F(NodePoolTest, AThreadKeepsABoundedStock) {
  std::vector<void*> blocks(200'000);
  for (void*& block : blocks) block = AllocateNode(64);
  const int64_t in_use = OutstandingNodeBlocks();
  for (void* block : blocks) FreeNode(block, 64);
  // 4 MiB in the centre and two batches here.
  EXPECT_LE(OutstandingNodeBlocks(), in_use - 200'000 + 65'536 + 128);
}

TEST_F(NodePoolTest, AThreadThatEndsGivesItsStockBack) {
  const int64_t before = LiveBlocks();
  std::thread([] {
    std::vector<void*> blocks(100);
    for (void*& block : blocks) block = AllocateNode(128);
    for (void* block : blocks) FreeNode(block, 128);
  }).join();
  EXPECT_EQ(LiveBlocks(), before);
}

// The pool sets up its own exit hook at the first use: what was constructed earlier is destroyed
// later.
struct FreesAtThreadExit {
  void* block = nullptr;
  ~FreesAtThreadExit() {
    if (block == nullptr) return;
    FreeNode(block, 64);
    FreeNode(AllocateNode(64), 64);
  }
};

TEST_F(NodePoolTest, BlocksMayComeAndGoAfterTheThreadsStockIsGone) {
  const int64_t before = LiveBlocks();
  std::thread([] {
    static thread_local FreesAtThreadExit late;
    late.block = nullptr;
    late.block = AllocateNode(64);
    FreeNode(AllocateNode(64), 64);
  }).join();
  EXPECT_EQ(LiveBlocks(), before);
}

TEST_F(NodePoolTest, AnyOrderOfOperationsAtTheBatchEdgesLosesNothing) {
  std::mt19937 random(1);
  std::vector<std::pair<uint64_t*, uint64_t>> blocks;
  for (uint64_t step = 0; step < 200'000; ++step) {
    if (random() % 1'000 == 0) FlushThreadNodes();
    const size_t target = step / 100 % 200;  // wanders across several batches
    if (blocks.size() <= target || blocks.empty()) {
      auto* const block = static_cast<uint64_t*>(AllocateNode(64));
      block[0] = block[7] = step;
      blocks.emplace_back(block, step);
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      const auto [block, mark] = blocks.back();
      ASSERT_EQ(block[0], mark) << "handed out twice";
      ASSERT_EQ(block[7], mark) << "handed out twice";
      FreeNode(block, 64);
      blocks.pop_back();
    }
  }
  for (const auto& [block, mark] : blocks) FreeNode(block, 64);
}

struct Message : MailboxNode {
  explicit Message(int n) : number(n) {}
  int number;
};

TEST_F(NodePoolTest, BlocksTravelFromThreadsThatSendToThreadsThatReceive) {
  constexpr int kPairs = 2, kMessages = 100'000;
  std::vector<std::thread> threads;
  std::vector<MailboxQueue> queues(kPairs);
  for (MailboxQueue& queue : queues) {
    queue.Open(MailboxQueue::OpenAs::kActive);
    threads.emplace_back([&queue] {
      for (int n = 0; n < kMessages; ++n) {
        auto* const message = ::new (AllocateNode(sizeof(Message))) Message(n);
        ASSERT_EQ(queue.Push(*message), PushResult::kQueued);
      }
    });
    threads.emplace_back([&queue] {
      for (int n = 0; n < kMessages;) {
        MailboxNode* node = queue.TakeAll().first;
        if (node == nullptr) std::this_thread::yield();
        while (node != nullptr) {
          auto* const message = static_cast<Message*>(std::exchange(node, node->next));
          ASSERT_EQ(message->number, n++);
          FreeNode(message, sizeof(Message));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace troupe
