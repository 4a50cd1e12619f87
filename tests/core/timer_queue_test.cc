#include "troupe/core/timer_queue.h"

#include <map>
#include <random>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

absl::Time At(int64_t seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

void Push(TimerQueue& queue, Timer& timer, absl::Time deadline) {
  timer.deadline = deadline;
  queue.Push(timer);
}

TEST(TimerQueueTest, AnEmptyQueueHasNothingDueEver) {
  TimerQueue queue;
  EXPECT_EQ(queue.PopExpired(absl::InfiniteFuture()), nullptr);
  EXPECT_EQ(queue.NextDeadline(), absl::InfiniteFuture());
}

TEST(TimerQueueTest, TimersComeOutInTheOrderOfTheirDeadlines) {
  TimerQueue queue;
  Timer a, b, c;
  Push(queue, b, At(2));
  Push(queue, c, At(3));
  Push(queue, a, At(1));
  EXPECT_EQ(queue.NextDeadline(), At(1));
  EXPECT_EQ(queue.PopExpired(At(9)), &a);
  EXPECT_EQ(queue.PopExpired(At(9)), &b);
  EXPECT_EQ(queue.PopExpired(At(9)), &c);
  EXPECT_EQ(queue.PopExpired(At(9)), nullptr);
}

TEST(TimerQueueTest, ATimerIsDueAtItsDeadlineAndNotBefore) {
  TimerQueue queue;
  Timer a;
  Push(queue, a, At(5));
  EXPECT_EQ(queue.PopExpired(At(5) - absl::Nanoseconds(1)), nullptr);
  EXPECT_EQ(queue.PopExpired(At(5)), &a);
  EXPECT_EQ(a.heap_index, Timer::kNotArmed);
}

TEST(TimerQueueTest, AnInfiniteDeadlineIsNeverDue) {
  TimerQueue queue;
  Timer a;
  Push(queue, a, absl::InfiniteFuture());
  EXPECT_EQ(queue.PopExpired(absl::InfiniteFuture()), nullptr);
  EXPECT_TRUE(queue.Remove(a));
}

TEST(TimerQueueTest, ARemovedTimerDoesNotComeOutAndRemovingItAgainSaysNo) {
  TimerQueue queue;
  Timer a, b, never;
  Push(queue, a, At(1));
  Push(queue, b, At(2));
  EXPECT_FALSE(queue.Remove(never));
  EXPECT_TRUE(queue.Remove(a));
  EXPECT_FALSE(queue.Remove(a));
  EXPECT_EQ(queue.PopExpired(At(9)), &b);
  EXPECT_FALSE(queue.Remove(b));
}

TEST(TimerQueueTest, TimersDueAtTheSameTimeComeOutInTheOrderTheyWereArmed) {
  TimerQueue queue;
  std::vector<Timer> timers(100);
  for (Timer& timer : timers) Push(queue, timer, At(1));
  // Taking some out of the middle must not mix up the others.
  for (size_t i = 0; i < timers.size(); i += 3) ASSERT_TRUE(queue.Remove(timers[i]));
  for (size_t i = 0; i < timers.size(); ++i) {
    if (i % 3 == 0) continue;
    ASSERT_EQ(queue.PopExpired(At(1)), &timers[i]);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(TimerQueueTest, ATimerCanBeArmedAgainAfterItCameOut) {
  TimerQueue queue;
  Timer a;
  for (int i = 1; i < 10; ++i) {
    Push(queue, a, At(i));
    EXPECT_EQ(queue.PopExpired(At(i)), &a);
  }
}

TEST(TimerQueueTest, AnySequenceOfOperationsDoesWhatTheModelDoes) {
  std::mt19937 random(1);
  TimerQueue queue;
  std::vector<Timer> timers(200);
  std::map<std::pair<absl::Time, int>, Timer*> model;  // by deadline, then by order of arming
  std::vector<std::pair<absl::Time, int>> key_of(timers.size());
  absl::Time now = At(0);
  for (int step = 0; step < 100'000; ++step) {
    const size_t i = random() % timers.size();
    const bool armed = timers[i].heap_index != Timer::kNotArmed;
    ASSERT_EQ(armed, model.count(key_of[i]) == 1 && model[key_of[i]] == &timers[i]);
    switch (random() % 3) {
      case 0:
        if (armed) break;
        key_of[i] = {now + absl::Seconds(random() % 20), step};
        Push(queue, timers[i], key_of[i].first);
        model[key_of[i]] = &timers[i];
        break;
      case 1:
        ASSERT_EQ(queue.Remove(timers[i]), armed);
        if (armed) model.erase(key_of[i]);
        break;
      case 2: {
        if (random() % 4 == 0) now += absl::Seconds(1);
        const bool due = !model.empty() && model.begin()->first.first <= now;
        ASSERT_EQ(queue.PopExpired(now), due ? model.begin()->second : nullptr);
        if (due) model.erase(model.begin());
        break;
      }
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(queue.NextDeadline(),
              model.empty() ? absl::InfiniteFuture() : model.begin()->first.first);
  }
}

}  // namespace
}  // namespace troupe
