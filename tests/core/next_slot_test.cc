#include "troupe/core/next_slot.h"

#include <atomic>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/core/asymmetric_fence.h"
#include "troupe/core/mailbox_queue.h"
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

TEST(NextSlotTest, WhatWasNotAppendedBecauseOfAThiefIsNotOvertakenByWhatIs) {
  NextSlot slot;
  Item item;
  (void)slot.Put(item);
  EXPECT_EQ(slot.Steal(&item,
                       [&] {
                         EXPECT_FALSE(slot.Append(item, [](bool, void*&) { return true; }));
                         return false;
                       }),
            nullptr);
  EXPECT_FALSE(SinceThisTurn(slot, item)) << "the sender has put something into the queue since";
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

struct alignas(64) Letter : MailboxNode {
  int number = 0;
};

// A receiver as an actor is one. All but its queue is plain: ThreadSanitizer then tests N3 and N4.
class Receiver : public Item {
 public:
  Receiver() { queue_.Open(MailboxQueue::OpenAs::kIdle); }

  // By the owner of `slot`. True: it is in nobody's slot, and the caller's to run.
  [[nodiscard]] bool Post(Letter& letter, NextSlot& slot) {
    if (slot.Append(*this, [&](bool since_this_turn, void*& tail) {
          return (since_this_turn || !queue_.HasNodes()) && AddLast(letter, tail);
        })) {
      ++appended_;
      return false;
    }
    if (queue_.PushUnlessIdle(letter) != PushResult::kMustSchedule) return false;
    first_ = &letter;
    return slot.Put(*this) != nullptr;
  }

  // By whoever has the right to run.
  void Handle() {
    do {
      HandleList(std::exchange(first_, nullptr));
      HandleList(queue_.TakeAll().first);
    } while (queue_.FinishBatch() == BatchEnd::kReschedule);
  }

  int handled() const { return handled_; }
  int appended() const { return appended_; }

 private:
  bool AddLast(Letter& letter, void*& tail) {
    letter.next = nullptr;
    if (tail == nullptr) tail = first_;
    (tail == nullptr ? first_ : static_cast<MailboxNode*>(tail)->next) = &letter;
    tail = static_cast<MailboxNode*>(&letter);
    return true;
  }
  void HandleList(MailboxNode* node) {
    for (; node != nullptr; node = node->next) {
      EXPECT_EQ(static_cast<Letter*>(node)->number, handled_++) << "N4: order of one sender";
    }
  }

  MailboxQueue queue_;
  MailboxNode* first_ = nullptr;
  int handled_ = 0;
  int appended_ = 0;  // the owner
};

TEST(NextSlotStressTest, WhatIsAppendedIsHandledOnceAndInOrderWhoeverRunsTheReceiver) {
  constexpr int kLetters = 200'000;
  PrepareAsymmetricFences();
  NextSlot slot;
  Receiver receiver;
  std::atomic<bool> done{false};
  std::thread thief([&] {
    std::mt19937 random(1);
    while (!done.load()) {
      if (slot.empty()) continue;
      if (slot.Steal(&receiver, [&] { return random() % 2 == 0; }) != nullptr) receiver.Handle();
    }
  });
  std::vector<Letter> letters(kLetters);
  for (int n = 0; n < kLetters; ++n) {
    letters[n].number = n;
    if (receiver.Post(letters[n], slot)) receiver.Handle();
    if (n % 64 == 0) slot.NewTurn();
    if (n % 32 == 0 && slot.Take() != nullptr) receiver.Handle();
  }
  done.store(true);
  thief.join();
  if (slot.Take() != nullptr) receiver.Handle();
  EXPECT_EQ(receiver.handled(), kLetters);
  EXPECT_GT(receiver.appended(), 0);
}

}  // namespace
}  // namespace troupe
