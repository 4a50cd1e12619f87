#include "troupe/core/next_slot.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/core/asymmetric_fence.h"
#include "troupe/core/runnable.h"

namespace troupe {
namespace {

class Item : public Runnable {
 public:
  Item() : Runnable([](Runnable&, const Budget&) { return Outcome::kDone; }) {}
};

bool Always() { return true; }

// ---- the owner alone

TEST(NextSlotTest, WhatWasPutIsTakenOnce) {
  NextSlot slot;
  Item item;
  EXPECT_TRUE(slot.empty());
  EXPECT_EQ(slot.Take(), nullptr);
  EXPECT_EQ(slot.Put(item), nullptr);
  EXPECT_EQ(slot.Peek(), &item);
  EXPECT_EQ(slot.Take(), &item);
  EXPECT_EQ(slot.Take(), nullptr);
}

TEST(NextSlotTest, WhoWasThereBeforeIsReturned) {
  NextSlot slot;
  Item one, two;
  EXPECT_EQ(slot.Put(one), nullptr);
  EXPECT_EQ(slot.Put(two), &one);
  EXPECT_EQ(slot.Take(), &two);
}

TEST(NextSlotTest, AnAppendIsForWhoIsInTheSlotOnly) {
  NextSlot slot;
  Item there, elsewhere;
  int appended = 0;
  const auto append = [&appended](bool, void*&) {
    ++appended;
    return true;
  };
  EXPECT_FALSE(slot.Append(there, append)) << "not yet";
  (void)slot.Put(there);
  EXPECT_FALSE(slot.Append(elsewhere, append));
  EXPECT_EQ(appended, 0);
  EXPECT_TRUE(slot.Append(there, append));
  EXPECT_TRUE(slot.Append(there, append));
  EXPECT_EQ(appended, 2);
  (void)slot.Take();
  EXPECT_FALSE(slot.Append(there, append)) << "not any more";
  EXPECT_EQ(appended, 2);
}

TEST(NextSlotTest, AnAppendMaySayNo) {
  NextSlot slot;
  Item item;
  (void)slot.Put(item);
  EXPECT_FALSE(slot.Append(item, [](bool, void*&) { return false; }));
  EXPECT_EQ(slot.Take(), &item);
}

TEST(NextSlotTest, TheTailIsKeptFromAppendToAppendAndBeginsAnewWithEachPut) {
  NextSlot slot;
  Item item;
  int end;
  const auto tail_before = [&slot, &item, &end] {
    void* before = &slot;
    EXPECT_TRUE(slot.Append(item, [&](bool, void*& tail) {
      before = tail;
      tail = &end;
      return true;
    }));
    return before;
  };
  (void)slot.Put(item);
  EXPECT_EQ(tail_before(), nullptr);
  EXPECT_EQ(tail_before(), &end);
  slot.NewTurn();
  EXPECT_EQ(tail_before(), &end) << "the same list, whoever adds to it";
  (void)slot.Take();
  (void)slot.Put(item);
  EXPECT_EQ(tail_before(), nullptr);
}

// What an appender is told: that nothing of this turn's sender can be in the queue of `item`.
bool SinceThisTurn(NextSlot& slot, const Runnable& item) {
  bool since = false;
  EXPECT_TRUE(slot.Append(item, [&since](bool since_this_turn, void*&) {
    since = since_this_turn;
    return true;
  }));
  return since;
}

TEST(NextSlotTest, AnAppenderIsToldWhetherTheRunnableWasPutThereInThisTurn) {
  NextSlot slot;
  Item item;
  (void)slot.Put(item);
  EXPECT_TRUE(SinceThisTurn(slot, item));
  EXPECT_TRUE(SinceThisTurn(slot, item));
  slot.NewTurn();
  EXPECT_FALSE(SinceThisTurn(slot, item));
  (void)slot.Take();
  (void)slot.Put(item);
  EXPECT_TRUE(SinceThisTurn(slot, item));
}

TEST(NextSlotTest, EachThreadKnowsTheSlotThatIsItsOwn) {
  NextSlot one, two;
  EXPECT_EQ(NextSlot::Mine(), nullptr);
  NextSlot::SetMine(&one);
  std::thread([&two] {
    EXPECT_EQ(NextSlot::Mine(), nullptr);
    NextSlot::SetMine(&two);
    EXPECT_EQ(NextSlot::Mine(), &two);
  }).join();
  EXPECT_EQ(NextSlot::Mine(), &one);
  NextSlot::SetMine(nullptr);
  EXPECT_EQ(NextSlot::Mine(), nullptr);
}

// ---- with a thief at the slot: its predicate is called while it is inside

TEST(NextSlotTest, AThiefThatIsToldNoLeavesTheSlotAsItIs) {
  NextSlot slot;
  Item item, other;
  (void)slot.Put(item);
  EXPECT_EQ(slot.Steal(&item, [] { return false; }), nullptr);
  EXPECT_EQ(slot.Steal(&other, Always), nullptr);
  EXPECT_EQ(slot.Take(), &item);
}

TEST(NextSlotTest, WhileAThiefIsThereWhatThePutterBringsGoesToTheQueueAndNothingIsAppended) {
  NextSlot slot;
  Item item, another;
  (void)slot.Put(item);
  EXPECT_EQ(slot.Steal(&item,
                       [&] {
                         EXPECT_EQ(slot.Put(another), &another);
                         EXPECT_FALSE(slot.Append(item, [](bool, void*&) { return true; }));
                         return true;
                       }),
            &item);
  EXPECT_EQ(slot.Take(), nullptr);
}

TEST(NextSlotTest, WhileAThiefIsThereAnotherGivesUp) {
  NextSlot slot;
  Item item;
  (void)slot.Put(item);
  EXPECT_EQ(slot.Steal(&item,
                       [&] {
                         EXPECT_EQ(slot.Steal(&item, Always), nullptr);
                         return true;
                       }),
            &item);
}

TEST(NextSlotTest, WhileTheOwnerAppendsAThiefGivesUp) {
  NextSlot slot;
  Item item;
  (void)slot.Put(item);
  EXPECT_TRUE(slot.Append(item, [&](bool, void*&) {
    EXPECT_EQ(slot.Steal(&item, Always), nullptr);
    return true;
  }));
  EXPECT_EQ(slot.Take(), &item);
}

// ---- threads

TEST(NextSlotStressTest, WhatTheOwnerPutsIsTakenOnceByHimOrByAThief) {  // N1
  constexpr int kRounds = 20'000;
  PrepareAsymmetricFences();
  NextSlot slot;
  std::vector<Item> items(kRounds);
  std::vector<std::atomic<int>> taken(kRounds);
  const auto take = [&](Runnable* r) { taken[static_cast<Item*>(r) - items.data()].fetch_add(1); };
  std::atomic<bool> done{false};
  std::thread thief([&] {
    while (!done.load()) {
      Runnable* const seen = slot.Peek();
      if (seen == nullptr) continue;
      if (Runnable* r = slot.Steal(seen, Always)) take(r);
    }
  });
  for (Item& item : items) {
    if (Runnable* displaced = slot.Put(item)) take(displaced);
    if ((&item - items.data()) % 3 != 0) continue;
    if (Runnable* r = slot.Take()) take(r);
  }
  done.store(true);
  thief.join();
  if (Runnable* r = slot.Take()) take(r);
  for (const auto& count : taken) ASSERT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace troupe
