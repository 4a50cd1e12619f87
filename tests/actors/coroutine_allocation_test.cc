// What an await allocates. A binary of its own, for its operator new.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/core/node_pool.h"
#include "troupe/troupe.h"

// What this thread has taken from operator new; and from its aligned form, from which the node pool
// has each block under a sanitizer, and where nothing else is asked for.
static thread_local int64_t objects = 0;
static thread_local int64_t aligned = 0;
#ifndef TROUPE_SANITIZER  // which has an operator new of its own
void* operator new(size_t bytes) {
  ++objects;
  if (void* const block = std::malloc(bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
#endif
void* operator new(size_t bytes, std::align_val_t alignment) {
  ++aligned;
  void* block = nullptr;
  if (posix_memalign(&block, static_cast<size_t>(alignment), bytes) == 0) return block;
  throw std::bad_alloc();
}
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { std::free(block); }

namespace troupe {
namespace {

constexpr int64_t kToWarmUp = 10;
constexpr int64_t kAwaits = 1'000;
#ifdef TROUPE_SANITIZER
constexpr bool kCountsNodes = true;
#else
constexpr bool kCountsNodes = false;
#endif

struct Get {
  using Reply = int64_t;
};
struct Taken {
  int64_t objects;
  int64_t aligned;
  int64_t outstanding;  // blocks that the node pool has and has not given back
};
struct Measure {
  using Reply = Taken;
  Recipient<Get> from;
};

Taken Now() { return {objects, aligned, OutstandingNodeBlocks()}; }

struct Asker {
  Task<Taken> On(Measure m) {
    Taken before{};
    int64_t sum = 0;
    for (int64_t i = 0; i < kToWarmUp + kAwaits; ++i) {
      if (i == kToWarmUp) before = Now();  // what is made once has been
      sum += (co_await m.from.Ask(Get{}, absl::Hours(1))).value_or(0);
    }
    const Taken after = Now();
    EXPECT_EQ(sum, kToWarmUp + kAwaits);
    co_return Taken{after.objects - before.objects, after.aligned - before.aligned,
                    after.outstanding - before.outstanding};
  }
};

// On the one worker there is, where the answerer runs, too.
Taken TakenByAsking(auto answerer) {
  System system({.workers = 1});
  auto asker = system.Spawn<Asker>();
  return asker.Ask(Measure{system.Spawn(answerer)}, absl::Hours(1)).Wait().value();
}

TEST(CoroutineAllocationTest, AnAwaitTakesTheEnvelopesOfQuestionAndAnswerFromTheNodePoolAndNoMore) {
  const Taken taken = TakenByAsking([](Get) { return int64_t{1}; });
  EXPECT_EQ(taken.objects, 0);
  EXPECT_EQ(taken.outstanding, 0);
  EXPECT_EQ(taken.aligned, kCountsNodes ? 2 * kAwaits : 0);
}

TEST(CoroutineAllocationTest, AnAnswererThatIsACoroutineAlsoTakesARunAndAFrame) {
  const Taken taken = TakenByAsking([](Get) -> Task<int64_t> { co_return 1; });
  EXPECT_EQ(taken.objects, 0);
  EXPECT_EQ(taken.outstanding, 0);
  EXPECT_EQ(taken.aligned, kCountsNodes ? 4 * kAwaits : 0);
}

// Or else these tests see nothing.
TEST(CoroutineAllocationTest, AllocationsAreSeen) {
  const Taken before = Now();
  FreeNode(AllocateNode(64), 64);
  EXPECT_EQ(aligned - before.aligned, kCountsNodes ? 1 : 0);
#ifndef TROUPE_SANITIZER
  ::operator delete(::operator new(1));
  EXPECT_EQ(objects - before.objects, 1);
  constexpr std::align_val_t kAlignment{64};
  ::operator delete(::operator new(1, kAlignment), kAlignment);
  EXPECT_EQ(aligned - before.aligned, 1);
#endif
}

}  // namespace
}  // namespace troupe
