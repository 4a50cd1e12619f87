#include "troupe/core/steal_deque.h"

#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

struct Item : Runnable {
  Item() : Runnable([](Runnable&, const Budget&) { return Outcome::kDone; }) {}
  int taken = 0;  // plain: whoever takes it is the only one
};

// Constants are small, so that full and empty, the rare cases, are the common ones.
template <typename Deque>
class StealDequeTest : public testing::Test {};
using Capacities = testing::Types<StealDeque<2>, StealDeque<4>, StealDeque<256>>;
TYPED_TEST_SUITE(StealDequeTest, Capacities);

TYPED_TEST(StealDequeTest, WhatIsPushedFirstIsPoppedFirst) {
  TypeParam deque;
  Item a, b;
  EXPECT_EQ(deque.PopFront(), nullptr);
  EXPECT_TRUE(deque.PushBack(a));
  EXPECT_TRUE(deque.PushBack(b));
  EXPECT_EQ(deque.size(), 2u);
  EXPECT_EQ(deque.PopFront(), &a);
  EXPECT_EQ(deque.PopFront(), &b);
  EXPECT_EQ(deque.PopFront(), nullptr);
  EXPECT_TRUE(deque.empty());
}

TYPED_TEST(StealDequeTest, AFullDequeSaysSoAndTakeHalfMakesRoom) {
  TypeParam deque;
  std::vector<Item> items(TypeParam::capacity() + 1);
  for (size_t i = 0; i < TypeParam::capacity(); ++i) ASSERT_TRUE(deque.PushBack(items[i]));
  EXPECT_FALSE(deque.PushBack(items.back()));
  typename TypeParam::Half half;
  ASSERT_EQ(deque.TakeHalf(half), TypeParam::capacity() / 2);
  for (size_t i = 0; i < half.size(); ++i) EXPECT_EQ(half[i], &items[i]) << "the older half";
  EXPECT_TRUE(deque.PushBack(items.back()));
  EXPECT_EQ(deque.PopFront(), &items[half.size()]);
}

TYPED_TEST(StealDequeTest, AThiefGetsTheOlderHalfAndRunsTheOldest) {
  TypeParam victim, thief;
  std::vector<Item> items(TypeParam::capacity());
  for (Item& item : items) ASSERT_TRUE(victim.PushBack(item));
  EXPECT_EQ(victim.StealHalfInto(thief), &items[0]);
  for (size_t i = 1; i < items.size() / 2; ++i) EXPECT_EQ(thief.PopFront(), &items[i]);
  EXPECT_EQ(thief.PopFront(), nullptr);
  EXPECT_EQ(victim.PopFront(), &items[items.size() / 2]);
}

TYPED_TEST(StealDequeTest, ASingleRunnableCanBeStolen) {
  TypeParam victim, thief;
  Item a;
  EXPECT_EQ(victim.StealHalfInto(thief), nullptr);
  ASSERT_TRUE(victim.PushBack(a));
  EXPECT_EQ(victim.StealHalfInto(thief), &a);
  EXPECT_TRUE(victim.empty());
  EXPECT_TRUE(thief.empty());
}

TYPED_TEST(StealDequeTest, AThiefWithoutRoomGetsOneToRun) {
  TypeParam victim, thief;
  std::vector<Item> items(2 * TypeParam::capacity());
  for (size_t i = 0; i < TypeParam::capacity(); ++i) {
    ASSERT_TRUE(victim.PushBack(items[2 * i]));
    ASSERT_TRUE(thief.PushBack(items[2 * i + 1]));
  }
  EXPECT_EQ(victim.StealHalfInto(thief), &items[0]);
  EXPECT_EQ(victim.size(), TypeParam::capacity() - 1);
  EXPECT_EQ(thief.size(), TypeParam::capacity());
  EXPECT_EQ(thief.PopFront(), &items[1]);
}

TYPED_TEST(StealDequeTest, AnySequenceOfOperationsDoesWhatTheModelDoes) {
  std::mt19937 random(1);
  TypeParam deque, other;
  std::deque<Runnable*> model, other_model;
  std::vector<Item> items(64);
  auto pop_model = [](std::deque<Runnable*>& m) -> Runnable* {
    if (m.empty()) return nullptr;
    Runnable* const r = m.front();
    m.pop_front();
    return r;
  };
  for (int step = 0; step < 50'000; ++step) {
    switch (random() % 6) {
      case 0:
      case 1:
      case 2: {
        Item& item = items[random() % items.size()];
        ASSERT_EQ(deque.PushBack(item), model.size() < TypeParam::capacity());
        if (model.size() < TypeParam::capacity()) model.push_back(&item);
        break;
      }
      case 3:
        ASSERT_EQ(deque.PopFront(), pop_model(model));
        ASSERT_EQ(other.PopFront(), pop_model(other_model));
        break;
      case 4: {
        typename TypeParam::Half half;
        const size_t n = deque.TakeHalf(half);
        ASSERT_EQ(n, model.size() / 2);
        for (size_t i = 0; i < n; ++i) ASSERT_EQ(half[i], pop_model(model));
        break;
      }
      case 5: {
        size_t n = std::min(model.size() - model.size() / 2,
                            TypeParam::capacity() - other_model.size() + 1);
        ASSERT_EQ(deque.StealHalfInto(other), pop_model(model));
        for (; n > 1; --n) other_model.push_back(pop_model(model));
        break;
      }
    }
    ASSERT_EQ(deque.size(), model.size());
    ASSERT_EQ(other.size(), other_model.size());
  }
}

TYPED_TEST(StealDequeTest, ManyThievesTakeEveryRunnableExactlyOnce) {
  constexpr int kItems = 40'000, kThieves = 3;
  std::vector<Item> items(kItems);
  std::vector<TypeParam> deques(kThieves + 1);  // the last one is the owner's
  TypeParam& own = deques.back();
  std::atomic<int> left{kItems};
  auto take = [&left](Runnable* r) {
    ++static_cast<Item*>(r)->taken;
    left.fetch_sub(1, std::memory_order_relaxed);
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThieves; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      while (left.load(std::memory_order_relaxed) > 0) {
        while (Runnable* r = deques[t].PopFront()) take(r);
        const size_t victim = random() % deques.size();  // thieves rob each other, too
        if (victim == static_cast<size_t>(t)) continue;
        if (Runnable* r = deques[victim].StealHalfInto(deques[t])) take(r);
        std::this_thread::yield();
      }
    });
  }
  std::mt19937 random(99);
  for (Item& item : items) {
    while (!own.PushBack(item)) {
      typename TypeParam::Half half;
      const size_t n = own.TakeHalf(half);
      for (size_t i = 0; i < n; ++i) take(half[i]);
    }
    if (random() % 4 == 0) {
      if (Runnable* r = own.PopFront()) take(r);
    }
  }
  while (Runnable* r = own.PopFront()) take(r);
  for (std::thread& thread : threads) thread.join();
  for (const Item& item : items) ASSERT_EQ(item.taken, 1);
}

// A thief's own FIFO order: what one deque receives from one victim stays in the victim's order.
TYPED_TEST(StealDequeTest, StolenRunnablesKeepTheirOrder) {
  constexpr int kItems = 20'000;
  std::vector<Item> items(kItems);
  TypeParam victim, mine;
  std::atomic<bool> done{false};
  std::thread thief([&] {
    const Runnable* previous = nullptr;
    auto check = [&previous](const Runnable* r) {
      // In one array, so pointers tell the order they were pushed in.
      ASSERT_LT(static_cast<const void*>(previous), static_cast<const void*>(r));
      previous = r;
    };
    for (bool last = false; !last;) {
      last = done.load(std::memory_order_acquire);
      while (Runnable* r = victim.StealHalfInto(mine)) {
        check(r);
        while (Runnable* next = mine.PopFront()) check(next);
      }
      std::this_thread::yield();
    }
  });
  for (Item& item : items) {
    while (!victim.PushBack(item)) std::this_thread::yield();
  }
  done.store(true, std::memory_order_release);
  thief.join();
  EXPECT_TRUE(victim.empty());
}

}  // namespace
}  // namespace troupe
