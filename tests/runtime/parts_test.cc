// The parts of the runtime, each alone: who sleeps, who is woken, what is queued, what fires.
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/core/futex.h"
#include "troupe/core/io_driver.h"
#include "troupe/core/runnable.h"
#include "troupe/core/timers.h"
#include "troupe/runtime/internal/driver_seat.h"
#include "troupe/runtime/internal/idle_set.h"
#include "troupe/runtime/internal/injector.h"
#include "troupe/runtime/internal/parker.h"
#include "troupe/runtime/internal/thread_group.h"
#include "troupe/runtime/internal/timer_thread.h"
#include "troupe/runtime/internal/worker.h"

namespace troupe::internal {
namespace {

SteadyTime Passed() { return std::chrono::steady_clock::now(); }

class Item : public Runnable {
 public:
  Item() : Runnable([](Runnable&, const Budget&) { return Outcome::kDone; }) {}
};

// ---- Parker

TEST(ParkerTest, AnUnparkBeforeTheParkIsNotLost) {
  Parker parker;
  parker.Unpark();
  EXPECT_TRUE(parker.Park());
}

TEST(ParkerTest, SeveralUnparksCountAsOne) {
  Parker parker;
  parker.Unpark();
  parker.Unpark();
  EXPECT_TRUE(parker.Park());
  EXPECT_FALSE(parker.Park(Passed()));
}

TEST(ParkerTest, ADeadlineThatPassesSaysSo) {
  Parker parker;
  EXPECT_FALSE(parker.Park(Passed()));
  parker.Unpark();
  EXPECT_TRUE(parker.Park(Passed())) << "it was unparked, whatever the time";
}

TEST(ParkerTest, ASleepingThreadIsWokenAndSeesWhatWasDoneBefore) {
  Parker there, back;
  int plain = 0;
  std::thread sleeper([&] {
    for (int i = 1; i <= 2000; ++i) {
      EXPECT_TRUE(there.Park());
      EXPECT_EQ(plain, i);
      back.Unpark();
    }
  });
  for (int i = 1; i <= 2000; ++i) {
    plain = i;
    there.Unpark();
    EXPECT_TRUE(back.Park());
  }
  sleeper.join();
}

TEST(ParkerTest, WhoWaitsElsewhereHasToBeCalledFromThereOnce) {
  Parker parker;
  EXPECT_FALSE(parker.Unpark());
  EXPECT_FALSE(parker.BeginElsewhere()) << "it need not wait";
  EXPECT_TRUE(parker.Park());

  EXPECT_TRUE(parker.BeginElsewhere());
  EXPECT_TRUE(parker.Unpark());
  EXPECT_FALSE(parker.Unpark()) << "somebody does already";
  parker.EndElsewhere();
  EXPECT_TRUE(parker.Park()) << "what came meanwhile is kept";

  EXPECT_TRUE(parker.BeginElsewhere());
  parker.EndElsewhere();
  EXPECT_FALSE(parker.Park(Passed()));
}

// ---- DriverSeat

class CountingDriver final : public IoDriver {
 public:
  void Serve(absl::FunctionRef<bool()>, absl::FunctionRef<void()>) override {}
  void Interrupt() override { interrupted.fetch_add(1); }
  std::atomic<int> interrupted{0};
};

TEST(DriverSeatTest, TheFirstDriverIsServedByOneWorkerUntilItGoes) {
  DriverSeat seat;
  CountingDriver first, second;
  EXPECT_FALSE(seat.is_free());
  EXPECT_EQ(seat.Take(), nullptr);
  seat.Attach(first);
  seat.Attach(second);
  EXPECT_TRUE(seat.is_free());
  EXPECT_EQ(seat.Take(), &first);
  EXPECT_FALSE(seat.is_free());
  EXPECT_EQ(seat.Take(), nullptr);
  seat.Leave();
  EXPECT_EQ(seat.Take(), &first);
  seat.Leave();
  seat.Detach(first);
  EXPECT_EQ(seat.Take(), &second);
  seat.Leave();
  seat.Detach(first);  // which is not there
  EXPECT_EQ(seat.Take(), &second);
  seat.Leave();
  seat.Detach(second);
  EXPECT_EQ(seat.Take(), nullptr);
}

TEST(DriverSeatTest, OnlyWhoIsInTheDriverIsInterrupted) {
  DriverSeat seat;
  CountingDriver driver;
  seat.Attach(driver);
  seat.Interrupt();
  EXPECT_EQ(driver.interrupted, 0);
  ASSERT_EQ(seat.Take(), &driver);
  seat.Interrupt();
  EXPECT_EQ(driver.interrupted, 1);
  seat.Leave();
}

TEST(DriverSeatTest, DetachCallsTheWorkerBackAndWaitsForIt) {
  DriverSeat seat;
  auto driver = std::make_unique<CountingDriver>();
  CountingDriver other;
  seat.Attach(*driver);
  ASSERT_EQ(seat.Take(), driver.get());
  EXPECT_TRUE(seat.MayWait());
  std::thread closer([&] {
    seat.Detach(*driver);
    driver = nullptr;
  });
  while (driver->interrupted == 0) std::this_thread::yield();  // we are in it: it is there
  EXPECT_FALSE(seat.MayWait());
  seat.Attach(other);  // for which the closer does not wait
  seat.Leave();
  ASSERT_EQ(seat.Take(), &other);
  closer.join();
  seat.Leave();
}

// ---- Injector

TEST(InjectorTest, WhatWentInFirstComesOutFirst) {
  Injector injector;
  Item items[4];
  EXPECT_TRUE(injector.empty());
  EXPECT_EQ(injector.Pop(), nullptr);
  injector.Push(items[0]);
  Runnable* more[] = {&items[1], &items[2]};
  injector.PushAll(std::begin(more), std::end(more));
  injector.Push(items[3]);
  EXPECT_EQ(injector.size(), 4u);
  for (Item& item : items) EXPECT_EQ(injector.Pop(), &item);
  EXPECT_EQ(injector.Pop(), nullptr);
  EXPECT_TRUE(injector.empty());
}

TEST(InjectorTest, NothingIsLostBetweenManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  Injector injector;
  std::vector<Item> items(kThreads * kEach);
  std::atomic<int> popped{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        injector.Push(items[t * kEach + i]);
        if (injector.Pop() != nullptr) popped.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (injector.Pop() != nullptr) popped.fetch_add(1);
  EXPECT_EQ(popped.load(), kThreads * kEach);
}

// ---- IdleSet

TEST(IdleSetTest, WhoPrefersOthersIsWokenLast) {
  IdleSet idle(3);
  for (int worker : {0, 1, 2}) (void)idle.Sleep(worker, /*was_searching=*/false);
  idle.PreferOthers(2);
  EXPECT_EQ(idle.WorkerToWake(), 1);
  (void)idle.EndSearch();
  EXPECT_EQ(idle.WorkerToWake(), 0);
  (void)idle.EndSearch();
  idle.PreferOthers(0);  // which is awake: nothing changes
  EXPECT_EQ(idle.WorkerToWake(), 2);
}

TEST(IdleSetTest, WithNobodyAsleepNobodyIsWoken) {
  IdleSet idle(4);
  EXPECT_EQ(idle.WorkerToWake(), IdleSet::kNobody);
  EXPECT_EQ(idle.parked(), 0);
}

TEST(IdleSetTest, TheOneThatFellAsleepLastIsWokenFirst) {
  IdleSet idle(3);
  for (int worker : {0, 1, 2}) (void)idle.Sleep(worker, /*was_searching=*/false);
  EXPECT_EQ(idle.parked(), 3);
  EXPECT_TRUE(idle.all_parked());
  EXPECT_EQ(idle.WorkerToWake(), 2);
  EXPECT_FALSE(idle.all_parked());
}

TEST(IdleSetTest, WhileSomebodySearchesNobodyElseIsWoken) {
  IdleSet idle(4);
  for (int worker : {0, 1, 2}) (void)idle.Sleep(worker, false);
  EXPECT_EQ(idle.WorkerToWake(), 2);
  EXPECT_EQ(idle.WorkerToWake(), IdleSet::kNobody) << "2 is counted as searching";
  EXPECT_TRUE(idle.EndSearch()) << "nobody searches now";
  EXPECT_EQ(idle.WorkerToWake(), 1);
}

TEST(IdleSetTest, AtMostHalfOfTheWorkersSearch) {
  for (int workers : {1, 2, 4, 8}) {
    IdleSet idle(workers);
    int searching = 0;
    for (int i = 0; i < workers; ++i) searching += idle.BeginSearch() ? 1 : 0;
    EXPECT_EQ(searching, (workers + 1) / 2);
  }
}

TEST(IdleSetTest, OnlyTheLastSearcherLooksOnceMore) {
  IdleSet idle(4);
  EXPECT_TRUE(idle.BeginSearch());
  EXPECT_TRUE(idle.BeginSearch());
  EXPECT_FALSE(idle.EndSearch());
  EXPECT_TRUE(idle.EndSearch());
  EXPECT_TRUE(idle.BeginSearch());
  EXPECT_TRUE(idle.BeginSearch());
  EXPECT_FALSE(idle.Sleep(0, true)) << "another still searches";
  EXPECT_FALSE(idle.Sleep(1, false)) << "as above";
  EXPECT_TRUE(idle.Sleep(2, true)) << "now nobody does";
  EXPECT_TRUE(idle.Sleep(3, false));
  EXPECT_TRUE(idle.all_parked());
}

TEST(IdleSetTest, AWorkerThatWakesByItselfIsNotWokenAgain) {
  IdleSet idle(2);
  (void)idle.Sleep(0, false);
  (void)idle.Sleep(1, false);
  EXPECT_TRUE(idle.WakeUp(1));
  EXPECT_EQ(idle.parked(), 1);
  EXPECT_EQ(idle.WorkerToWake(), 0);
  EXPECT_FALSE(idle.WakeUp(0)) << "it was chosen after all";
}

// ---- Worker

TEST(WorkerTest, TheSlotGoesBeforeTheQueue) {
  Worker worker(0);
  Injector injector;
  Item queued, slotted;
  (void)worker.PushBack(queued, injector);
  EXPECT_EQ(worker.PushNext(slotted), nullptr);
  EXPECT_TRUE(worker.HasWork());
  EXPECT_EQ(worker.Next(), &slotted);
  EXPECT_EQ(worker.Next(), &queued);
  EXPECT_EQ(worker.Next(), nullptr);
  EXPECT_FALSE(worker.HasWork());
}

TEST(WorkerTest, WhoWasInTheSlotIsReturned) {
  Worker worker(0);
  Item one, two;
  EXPECT_EQ(worker.PushNext(one), nullptr);
  EXPECT_EQ(worker.PushNext(two), &one);
}

TEST(WorkerTest, AStreakFromTheSlotEndsInFavourOfTheQueue) {
  Worker worker(0);
  Injector injector;
  Item queued, slotted;
  (void)worker.PushBack(queued, injector);
  int from_slot = 0;
  for (;;) {
    (void)worker.PushNext(slotted);
    if (worker.Next() == &queued) break;
    ++from_slot;
    ASSERT_LE(from_slot, Worker::kLifoStreak);
  }
  EXPECT_EQ(from_slot, Worker::kLifoStreak);
  EXPECT_EQ(worker.Next(), &slotted) << "and then the slot again";
}

TEST(WorkerTest, IsToldToLookAroundNowAndThenHoweverMuchItHasItself) {
  Worker worker(0);
  for (int round = 0; round < 3; ++round) {
    uint32_t turns = 1;
    while (!worker.IsTimeToLookAround()) ++turns;
    EXPECT_EQ(turns, Worker::kInjectorInterval);
  }
}

TEST(WorkerTest, AFullQueueGivesHalfToTheInjectorAndLosesNothing) {
  Worker worker(0);
  Injector injector;
  std::vector<Item> items(2 * Worker::kQueueCapacity + 1);
  size_t overflows = 0;
  for (Item& item : items) {
    const size_t before = injector.size();
    const bool overflowed = worker.PushBack(item, injector);
    EXPECT_EQ(overflowed, injector.size() != before) << "the caller must know, to wake somebody";
    overflows += overflowed ? 1 : 0;
  }
  EXPECT_GT(overflows, 0u);
  EXPECT_FALSE(injector.empty());
  size_t found = 0;
  while (worker.Next() != nullptr) ++found;
  while (injector.Pop() != nullptr) ++found;
  EXPECT_EQ(found, items.size());
}

TEST(WorkerTest, AThiefTakesHalfOfAnOverdueQueueAndNotTheSlot) {
  Worker victim(0), thief(1);
  Injector injector;
  std::vector<Item> items(10);
  Item slotted;
  for (Item& item : items) (void)victim.PushBack(item, injector);
  const Worker::Sighting sighting = victim.Sight();
  (void)victim.PushNext(slotted);
  EXPECT_TRUE(victim.IsOverdue(sighting));
  size_t stolen = thief.StealOverdue(victim, sighting) != nullptr ? 1 : 0;
  while (thief.Next() != nullptr) ++stolen;
  EXPECT_EQ(stolen, 5u);
  EXPECT_EQ(thief.stats().steals, 1u);
  EXPECT_EQ(victim.Next(), &slotted);
}

TEST(WorkerTest, AQueueWhoseOwnerHasRunAllThatWasSeenIsNotOverdue) {
  Worker victim(0), thief(1);
  Injector injector;
  std::vector<Item> items(3);
  for (Item& item : items) (void)victim.PushBack(item, injector);
  const Worker::Sighting sighting = victim.Sight();
  for (int i = 0; i < 3; ++i) (void)victim.PushBack(*static_cast<Item*>(victim.Next()), injector);
  EXPECT_FALSE(victim.IsOverdue(sighting)) << "as much is queued, but it has come since";
  EXPECT_EQ(thief.StealOverdue(victim, sighting), nullptr);
}

TEST(WorkerTest, TheSlotOfAWorkerThatHasNotMovedMayBeTaken) {
  Worker victim(0), thief(1);
  Item slotted;
  EXPECT_EQ(thief.StealOverdue(victim, victim.Sight()), nullptr) << "the slot is empty";
  (void)victim.PushNext(slotted);
  const Worker::Sighting sighting = victim.Sight();
  EXPECT_TRUE(victim.IsOverdue(sighting));
  EXPECT_EQ(thief.StealOverdue(victim, sighting), &slotted);
  EXPECT_EQ(victim.Next(), nullptr);
}

TEST(WorkerTest, TheSlotOfAWorkerThatHasTakenATurnMayNot) {
  Worker victim(0), thief(1);
  Item slotted;
  (void)victim.PushNext(slotted);
  const Worker::Sighting sighting = victim.Sight();
  victim.BeginTurn();
  EXPECT_FALSE(victim.IsOverdue(sighting));
  EXPECT_EQ(thief.StealOverdue(victim, sighting), nullptr);
  EXPECT_EQ(victim.Next(), &slotted);
}

TEST(WorkerTest, LongTurnsMakeItLookAroundMoreOftenAndShortOnesLessOften) {
  const auto turns = [](Worker& worker) {
    uint32_t n = 1;
    while (!worker.IsTimeToLookAround()) ++n;
    return n;
  };
  Worker worker(0);
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  worker.LookedAround(now);
  for (int i = 0; i < 10; ++i) worker.LookedAround(now += std::chrono::milliseconds(50));
  (void)turns(worker);
  EXPECT_EQ(turns(worker), 2u) << "not every time: the others must not starve";
  for (int i = 0; i < 10; ++i) worker.LookedAround(now += std::chrono::microseconds(2));
  (void)turns(worker);
  EXPECT_EQ(turns(worker), Worker::kInjectorInterval);
}

// ---- TimerThread

struct Alarm : Timer {
  explicit Alarm(std::function<void()> f)
      : Timer([](Timer& t) { static_cast<Alarm&>(t).ring(); }), ring(std::move(f)) {}
  std::function<void()> ring;
};

TEST(TimerThreadTest, AnAlarmRingsOnceAndNotBeforeItsTime) {
  TimerThread timers;
  std::latch rang(1);
  absl::Time when;
  Alarm alarm([&] {
    when = timers.clock().Now();
    rang.count_down();
  });
  const absl::Time deadline = timers.clock().Now() + absl::Milliseconds(2);
  timers.Arm(alarm, deadline);
  rang.wait();
  EXPECT_GE(when, deadline);
  EXPECT_FALSE(timers.Cancel(alarm));
}

TEST(TimerThreadTest, AnEarlierAlarmOvertakesALaterOne) {
  TimerThread timers;
  std::latch rang(1);
  Alarm later([] { FAIL() << "an hour has not passed"; });
  Alarm earlier([&] { rang.count_down(); });
  timers.Arm(later, timers.clock().Now() + absl::Hours(1));
  timers.Arm(earlier, timers.clock().Now());
  rang.wait();
  EXPECT_TRUE(timers.Cancel(later));
  EXPECT_FALSE(timers.Cancel(later));
}

// An alarm that is armed again and again, and waited for. Outlives the timers.
struct Bell {
  void AwaitRing(int n) {
    for (int seen = rung.load(); seen < n; seen = rung.load()) rung.wait(seen);
  }

  std::atomic<int> rung{0};
  Alarm alarm{[this] {
    rung.fetch_add(1);
    rung.notify_one();
  }};
};

TEST(TimerThreadTest, AnAlarmRingsThoughTheEarlierOneThatTheThreadSleepsForIsCancelled) {
  Bell earlier, later;
  TimerThread timers;
  for (int round = 1; round <= 20; ++round) {
    const absl::Time now = timers.clock().Now();
    timers.Arm(earlier.alarm, now + absl::Milliseconds(1));
    timers.Arm(later.alarm, now + absl::Milliseconds(2));  // the thread is not woken for it
    (void)timers.Cancel(earlier.alarm);
    later.AwaitRing(round);
  }
}

TEST(TimerThreadTest, AnAlarmRingsThoughItIsArmedAfterTheOneThatTheThreadSleepsForWasCancelled) {
  Bell earlier, later;
  TimerThread timers;
  for (int round = 1; round <= 20; ++round) {
    const absl::Time now = timers.clock().Now();
    timers.Arm(earlier.alarm, now + absl::Milliseconds(1));
    (void)timers.Cancel(earlier.alarm);
    timers.Arm(later.alarm, now + absl::Milliseconds(2));
    later.AwaitRing(round);
  }
}

TEST(TimerThreadTest, OfAlarmsThatManyThreadsArmAndCancelEachRingsOrIsCancelled) {
  constexpr int kThreads = 4, kEach = 500;
  std::vector<Bell> bells(kThreads);
  TimerThread timers;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      int rings = 0;
      for (int i = 0; i < kEach; ++i) {
        timers.Arm(bells[t].alarm, timers.clock().Now() + absl::Microseconds(i * (t + 1) % 50));
        if (i % 2 == 0 && timers.Cancel(bells[t].alarm)) continue;
        bells[t].AwaitRing(++rings);
      }
      EXPECT_EQ(bells[t].rung.load(), rings);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TimerThreadTest, AnAlarmMayArmItselfAgain) {
  TimerThread timers;
  std::latch rang(5);
  int left = 5;
  Alarm alarm([] {});
  alarm.ring = [&] {
    const bool again = --left > 0;
    if (again) timers.Arm(alarm, timers.clock().Now());
    rang.count_down();
  };
  timers.Arm(alarm, timers.clock().Now());
  rang.wait();
  timers.Stop();
  EXPECT_EQ(left, 0);
}

TEST(TimerThreadTest, AfterStopNothingRings) {
  TimerThread timers;
  Alarm before([] { FAIL() << "an hour has not passed"; });
  timers.Arm(before, timers.clock().Now() + absl::Hours(1));
  timers.Stop();
  Alarm after([] { FAIL() << "the thread has been stopped"; });
  timers.Arm(after, timers.clock().Now());
  timers.Stop();
  EXPECT_TRUE(timers.Cancel(before));
  EXPECT_TRUE(timers.Cancel(after));
}

TEST(TimerThreadTest, StopWaitsForTheAlarmThatRings) {
  TimerThread timers;
  std::latch ringing(1);
  std::atomic<bool> rang{false};
  Alarm alarm([&] {
    ringing.count_down();
    std::this_thread::yield();
    rang = true;
  });
  timers.Arm(alarm, timers.clock().Now());
  ringing.wait();
  timers.Stop();
  EXPECT_TRUE(rang.load());
}

// ---- ThreadGroup

TEST(ThreadGroupTest, JoinWaitsForAll) {
  std::atomic<int> ended{0};
  ThreadGroup group;
  for (int i = 0; i < 8; ++i) group.Start("member", [&] { ended.fetch_add(1); });
  EXPECT_TRUE(group.Join(kNoDeadline));
  EXPECT_EQ(ended.load(), 8);
}

TEST(ThreadGroupTest, WhoHasNotEndedByTheDeadlineIsLeftBehind) {
  auto release = std::make_shared<std::latch>(1);  // the thread may read it after all is over here
  auto kept = std::make_shared<int>(0);
  std::weak_ptr<int> alive = kept;
  {
    ThreadGroup group;
    group.Start("stuck", [release, kept] { release->wait(); });
    kept.reset();
    EXPECT_FALSE(group.Join(Passed()));
  }
  EXPECT_FALSE(alive.expired()) << "what it was given stays until it returns";
  release->count_down();
  while (!alive.expired()) std::this_thread::yield();
}

TEST(ThreadGroupTest, ALongNameIsCut) {
  const std::string_view full = "a name of more than fifteen characters";
  ThreadGroup group;
  group.Start(std::string(full), [full] {
    char name[32] = {};
    do {  // the name is given by whoever started the thread, a moment later
      pthread_getname_np(pthread_self(), name, sizeof(name));
      std::this_thread::yield();
    } while (!full.starts_with(name) || name[0] == '\0');
  });
  EXPECT_TRUE(group.Join(kNoDeadline));
}

}  // namespace
}  // namespace troupe::internal
