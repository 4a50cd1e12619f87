// A. Messages of a fixed size: FixedMailbox.
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"

// What this thread has allocated.
static thread_local int64_t allocations = 0;
#ifndef TROUPE_SANITIZER  // which has an operator new of its own
void* operator new(size_t bytes) {
  ++allocations;
  if (void* const block = std::malloc(bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
#endif

namespace troupe {
namespace {

struct Tick {
  enum class Side : uint8_t { kBid, kAsk };
  int64_t number;
  double price;
  Side side = Side::kBid;
  bool last = false;
};
struct Point {
  constexpr explicit Point(int x) : x(x) {}
  int x;
};
struct Named {
  int number;
  struct {
    const char* name;
  } inner;
};
struct Viewed {
  std::string_view text;
};
union Either {
  int number;
  float price;
};

TEST_F(MessagePassing, R10_AFixedSizeIsBytesWithoutPointers) {
  static_assert(FixedSize<Tick> && FixedSize<Point> && FixedSize<int> &&
                FixedSize<Tick[2]> == false);
  static_assert(!FixedSize<std::string> && !FixedSize<int*>);
  static_assert(!FixedSize<Named> && !FixedSize<Viewed> && !FixedSize<Either>);
  static_assert(!FixedSize<ActorRef<Party>>, "it means nothing in another process");
  static_assert(std::is_standard_layout_v<FixedMailbox<Tick, 4>>);
  FixedMailbox<Point, 1> points;  // no default constructor is needed
  points.Send(Point(7));
  EXPECT_EQ(points.TryReceive()->x, 7);
}

TEST_F(MessagePassing, R10_SendingAndReceivingAllocateNothing) {
  FixedMailbox<Tick, 8> ticks;
  const int64_t before = allocations;
  int64_t sum = 0;
  for (int64_t i = 0; i < 1'000; ++i) {
    ticks.Send({.number = i, .price = 1.5});
    ticks.TrySend({.number = i, .price = 2.5});
    sum += ticks.Receive()->number;
    sum += ticks.TryReceive()->number;
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(sum, 999'000);
#ifndef TROUPE_SANITIZER
  ::operator delete(::operator new(1));
  EXPECT_EQ(allocations - before, 1) << "or else this test sees nothing";
#endif
}

TEST_F(MessagePassing, R10_TheBoundIsExactAndTheOrderKept) {
  FixedMailbox<int, 4> box;
  int sent = 0;
  int received = 0;
  for (int round = 0; round < 10; ++round) {  // round the ring, from each of its slots
    while (box.TrySend(sent) == SendResult::kQueued) ++sent;
    EXPECT_EQ(box.depth(), box.capacity());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(box.TryReceive(), received++);
  }
  while (std::optional<int> next = box.TryReceive()) EXPECT_EQ(*next, received++);
  EXPECT_EQ(received, sent);
}

TEST_F(MessagePassing, R10_BothEndsWaitForEachOther) {
  constexpr int kCount = 20'000;
  FixedMailbox<int, 2> box;
  std::thread sender([&box] {
    for (int i = 0; i < kCount; ++i) EXPECT_EQ(box.Send(i), SendResult::kQueued);
    box.Close();
  });
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(box.Receive().value_or(-1), i);
  EXPECT_EQ(box.Receive().status().code(), StatusCode::kUnavailable);
  sender.join();
}

TEST_F(MessagePassing, R10_ClosingWakesWhoWaitsAndWhatIsThereCanBeReceived) {
  FixedMailbox<int, 1> empty;
  FixedMailbox<int, 1> full;
  full.Send(1);
  std::thread receiver(
      [&empty] { EXPECT_EQ(empty.Receive().status().code(), StatusCode::kUnavailable); });
  std::thread sender([&full] { EXPECT_EQ(full.Send(2), SendResult::kClosed); });
  empty.Close();
  full.Close();
  receiver.join();
  sender.join();
  EXPECT_EQ(full.Receive().value_or(-1), 1);
  EXPECT_EQ(full.Receive().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(full.TrySend(3), SendResult::kClosed);
}

TEST_F(MessagePassing, R10_InSharedMemoryItLeadsFromOneProcessToAnother) {
  using Ring = FixedMailbox<Tick, 8>;
  void* const page =
      mmap(nullptr, sizeof(Ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  Ring& ring = *new (page) Ring;
  constexpr int64_t kCount = 10'000;
  const pid_t sender = fork();
  ASSERT_GE(sender, 0);
  if (sender == 0) {
    for (int64_t i = 0; i < kCount; ++i) {
      while (ring.TrySend({.number = i, .price = i * 0.5}) == SendResult::kFull) sched_yield();
    }
    ring.Close();
    _exit(0);
  }
  bool ended = false;
  for (int64_t i = 0; i < kCount;) {
    if (const std::optional<Tick> tick = ring.TryReceive()) {
      ASSERT_EQ(tick->number, i);
      ASSERT_EQ(tick->price, i * 0.5);
      ++i;
      continue;
    }
    ASSERT_FALSE(ended) << "and has not sent all";
    ended = waitpid(sender, nullptr, WNOHANG) == sender;
    sched_yield();
  }
  if (!ended) waitpid(sender, nullptr, 0);
  EXPECT_EQ(ring.TrySend({}), SendResult::kClosed) << "by the other";
  munmap(page, sizeof(Ring));
}

TEST_F(MessagePassing, R10_AReceiveEndsAtItsDeadline) {
  FixedMailbox<int, 1> box;
  EXPECT_EQ(box.Receive(absl::Milliseconds(1)).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(box.Receive(absl::ZeroDuration()).status().code(), StatusCode::kDeadlineExceeded);
  box.Send(1);
  EXPECT_EQ(box.Receive(absl::ZeroDuration()).value_or(-1), 1);
}

TEST_F(MessagePassing, R10_AHandlerDoesNotWait) {
  FixedMailbox<int, 1> box;
  std::optional<StatusCode> empty;
  std::optional<SendResult> full;
  system_.Spawn<Party>().Send(Do{[&](Context&) {
    empty = box.Receive().status().code();
    box.Send(1);
    full = box.Send(2);
  }});
  Run();
  EXPECT_EQ(empty, StatusCode::kFailedPrecondition);
  EXPECT_EQ(full, SendResult::kFull);
  EXPECT_EQ(box.TryReceive(), 1);
}

}  // namespace
}  // namespace troupe
