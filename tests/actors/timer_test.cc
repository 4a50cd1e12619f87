#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/counted.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using TimerTest = Simulated;
using Times = std::vector<absl::Time>;

constexpr absl::Duration kSecond = absl::Seconds(1);
const absl::Time kStart = absl::UnixEpoch();

struct Tick {
  int n = 0;
};
struct Start {};
struct Cancel {};

// Notes when it gets a Tick.
class Clockwatcher {
 public:
  Clockwatcher(Times& times, std::vector<int>& ticks) : times_(times), ticks_(ticks) {}
  void On(Tick m, Context& self) {
    times_.push_back(self.Now());
    ticks_.push_back(m.n);
  }

 private:
  Times& times_;
  std::vector<int>& ticks_;
};

TEST_F(TimerTest, TheTimeOfAnActorIsThatOfItsSystem) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  Advance(absl::Minutes(3));
  watcher.Send(Tick{});
  Run();
  EXPECT_EQ(times, Times{kStart + absl::Minutes(3)});
  EXPECT_EQ(loop_.Now(), kStart + absl::Minutes(3));
}

TEST_F(TimerTest, SendAfterDeliversOnceWhenTheDelayIsOver) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  system_.SendAfter(3 * kSecond, watcher, Tick{});
  Advance(3 * kSecond - absl::Nanoseconds(1));
  EXPECT_TRUE(times.empty());
  Advance(10 * kSecond);
  EXPECT_EQ(times, Times{kStart + 3 * kSecond});
}

TEST_F(TimerTest, ADelayThatIsNotPositiveIsOverAtOnce) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  system_.SendAfter(absl::ZeroDuration(), watcher, Tick{});
  system_.SendAfter(-5 * kSecond, watcher, Tick{});
  Advance(absl::ZeroDuration());
  EXPECT_EQ(times, (Times{kStart, kStart}));
}

TEST_F(TimerTest, AnInfiniteDelayIsNeverOver) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  system_.SendAfter(absl::InfiniteDuration(), watcher, Tick{});
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  Advance(absl::Hours(24 * 365 * 100));
  EXPECT_TRUE(times.empty());
}

TEST_F(TimerTest, TimersGoOffInTheOrderOfTheirDeadlines) {
  auto& ticks = Keep<std::vector<int>>();
  auto watcher = system_.Spawn<Clockwatcher>(Keep<Times>(), ticks);
  for (int n : {5, 1, 4, 2, 3}) system_.SendAfter(n * kSecond, watcher, Tick{n});
  system_.SendAfter(3 * kSecond, watcher, Tick{33});
  EXPECT_EQ(loop_.next_deadline(), kStart + kSecond);
  Advance(10 * kSecond);
  EXPECT_EQ(ticks, (std::vector<int>{1, 2, 3, 33, 4, 5}));
}

TEST_F(TimerTest, SendEveryDeliversFirstAfterOnePeriodAndThenEveryPeriod) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  system_.SendEvery(kSecond, watcher, Tick{});
  Advance(absl::Milliseconds(3500));
  EXPECT_EQ(times, (Times{kStart + kSecond, kStart + 2 * kSecond, kStart + 3 * kSecond}));
}

TEST_F(TimerTest, APeriodIsAtLeastAMillisecond) {
  for (absl::Duration period :
       {absl::ZeroDuration(), -kSecond, absl::Nanoseconds(1), absl::Milliseconds(1)}) {
    auto& times = Keep<Times>();
    const absl::Time start = loop_.Now();
    auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
    TimerHandle timer = system_.SendEvery(period, watcher, Tick{});
    Advance(absl::Milliseconds(2));
    EXPECT_EQ(times, (Times{start + absl::Milliseconds(1), start + absl::Milliseconds(2)}))
        << period;
    EXPECT_TRUE(timer.Cancel());
  }
}

TEST_F(TimerTest, EachDeliveryIsACopy) {
  auto& texts = Keep<std::vector<std::string>>();
  auto taker = system_.Spawn([&texts](std::string&& m) { texts.push_back(std::move(m)); });
  system_.SendEvery(kSecond, taker, std::string(100, 'x'));
  Advance(3 * kSecond);
  EXPECT_EQ(texts, std::vector<std::string>(3, std::string(100, 'x')));
}

// ---- Cancel

TEST_F(TimerTest, ACancelledTimerSendsNothing) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  TimerHandle once = system_.SendAfter(kSecond, watcher, Tick{});
  TimerHandle often = system_.SendEvery(kSecond, watcher, Tick{});
  EXPECT_TRUE(once.Cancel());
  EXPECT_TRUE(often.Cancel());
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  Advance(10 * kSecond);
  EXPECT_TRUE(times.empty());
}

TEST_F(TimerTest, CancelSaysWhetherItStoppedSomething) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  TimerHandle fired = system_.SendAfter(kSecond, watcher, Tick{});
  TimerHandle twice = system_.SendAfter(2 * kSecond, watcher, Tick{});
  TimerHandle periodic = system_.SendEvery(kSecond, watcher, Tick{});
  TimerHandle none;
  Advance(kSecond);
  EXPECT_FALSE(fired.Cancel());
  EXPECT_TRUE(twice.Cancel());
  EXPECT_FALSE(twice.Cancel());
  EXPECT_TRUE(periodic.Cancel());
  EXPECT_FALSE(periodic.Cancel());
  EXPECT_FALSE(none.Cancel());
  EXPECT_EQ(times.size(), 2u);
}

TEST_F(TimerTest, CopiesOfAHandleReferToTheSameTimer) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  TimerHandle one = system_.SendAfter(kSecond, watcher, Tick{});
  TimerHandle two = one;
  TimerHandle three;
  three = two;
  TimerHandle four = std::move(one);
  EXPECT_TRUE(three.Cancel());
  EXPECT_FALSE(two.Cancel());
  EXPECT_FALSE(four.Cancel());
  EXPECT_FALSE(one.Cancel()) << "moved from";
  Advance(2 * kSecond);
  EXPECT_TRUE(times.empty());
}

TEST_F(TimerTest, LettingGoOfTheHandleDoesNotCancel) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  {
    TimerHandle gone = system_.SendAfter(kSecond, watcher, Tick{});
  }
  Advance(kSecond);
  EXPECT_EQ(times.size(), 1u);
}

TEST_F(TimerTest, AMessageSentBeforeTheCancelIsStillHandled) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  TimerHandle periodic = system_.SendEvery(kSecond, watcher, Tick{});
  EXPECT_TRUE(loop_.Turn());  // time jumps to the timer, which sends
  EXPECT_TRUE(periodic.Cancel());
  Advance(5 * kSecond);
  EXPECT_EQ(times.size(), 1u);
}

// ---- whose timer it is

class Metronome {
 public:
  Metronome(std::vector<int>& ticks, Recipient<Tick> to) : ticks_(ticks), to_(to) {}
  void On(Start, Context& self) {
    if (to_) {
      timer_ = self.SendEvery(kSecond, to_, Tick{1});
      self.SendAfter(absl::Milliseconds(1500), to_, Tick{2});
    } else {
      timer_ = self.SendEvery(kSecond, self.ref(this), Tick{3});
    }
  }
  void On(Cancel) { timer_.Cancel(); }
  void On(Tick m, Context& self) {
    EXPECT_EQ(self.sender(), self.self());
    ticks_.push_back(m.n);
  }

 private:
  std::vector<int>& ticks_;
  Recipient<Tick> to_;
  TimerHandle timer_;
};

TEST_F(TimerTest, AnActorMaySendToItselfByTimerAndCancelIt) {
  auto& ticks = Keep<std::vector<int>>();
  auto metronome = system_.Spawn<Metronome>(ticks, Recipient<Tick>());
  metronome.Send(Start{});
  Advance(2 * kSecond);
  metronome.Send(Cancel{});
  Advance(10 * kSecond);
  EXPECT_EQ(ticks, (std::vector<int>{3, 3}));
}

TEST_F(TimerTest, TheTimersOfAnActorEndWithIt) {
  auto& ticks = Keep<std::vector<int>>();
  auto watcher = system_.Spawn<Clockwatcher>(Keep<Times>(), ticks);
  auto metronome = system_.Spawn<Metronome>(Keep<std::vector<int>>(), watcher);
  metronome.Send(Start{});
  Advance(kSecond);
  metronome.Stop();
  Advance(10 * kSecond);
  EXPECT_EQ(ticks, std::vector<int>{1});
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(TimerTest, TheTimersOfTheSystemOutliveEveryActorButTheReceiver) {
  auto& ticks = Keep<std::vector<int>>();
  auto watcher = system_.Spawn<Clockwatcher>(Keep<Times>(), ticks);
  auto arranger =
      system_.Spawn([this, watcher](Start) { system_.SendAfter(kSecond, watcher, Tick{4}); });
  arranger.Send(Start{});
  Run();
  arranger.Stop();
  Advance(kSecond);
  EXPECT_EQ(ticks, std::vector<int>{4});
}

TEST_F(TimerTest, APeriodicTimerEndsWhenItsReceiverHasEnded) {
  auto watcher = system_.Spawn<Clockwatcher>(Keep<Times>(), Keep<std::vector<int>>());
  TimerHandle timer = system_.SendEvery(kSecond, watcher, Tick{});
  Advance(kSecond);
  watcher.Stop();
  Advance(10 * kSecond);
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 1u) << "and not one per period";
  EXPECT_FALSE(timer.Cancel());
}

TEST_F(TimerTest, AOneShotTimerWhoseReceiverHasEndedIsADeadLetter) {
  auto watcher = system_.Spawn<Clockwatcher>(Keep<Times>(), Keep<std::vector<int>>());
  auto metronome =
      system_.Spawn([watcher](Start, Context& self) { self.SendAfter(kSecond, watcher, Tick{7}); });
  metronome.Send(Start{});
  Run();
  watcher.Stop();
  Advance(2 * kSecond);
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ(letters_[0].target, watcher);
  EXPECT_EQ(letters_[0].sender, metronome);
}

TEST_F(TimerTest, ATimerToNobodySendsNothing) {
  system_.SendAfter(kSecond, Recipient<Tick>(), Tick{});
  system_.SendEvery(kSecond, ActorRef<Clockwatcher>(), Tick{});
  Advance(5 * kSecond);
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(TimerTest, ATimerNeverBlocksAndFindsAFullMailboxADeadLetter) {
  class Slow {
   public:
    explicit Slow(ManualScheduler& loop) : loop_(loop) {}
    void On(Start) { loop_.Advance(2 * kSecond); }
    void On(Tick) {}

   private:
    ManualScheduler& loop_;
  };
  // While its handler runs the mailbox fills up.
  auto target = system_.Spawn<Slow>({.capacity = 1, .when_full = WhenFull::kBlock}, loop_);
  system_.SendAfter(kSecond, target, Tick{1});
  system_.SendAfter(kSecond, target, Tick{2});
  target.Send(Start{});
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 1u);
}

TEST_F(TimerTest, APeriodicTimerOutlastsAFullMailbox) {
  auto& ticks = Keep<std::vector<int>>();
  class Slow {
   public:
    Slow(ManualScheduler& loop, std::vector<int>& ticks) : loop_(loop), ticks_(ticks) {}
    void On(Start) { loop_.Advance(5 * kSecond); }
    void On(Tick m) { ticks_.push_back(m.n); }

   private:
    ManualScheduler& loop_;
    std::vector<int>& ticks_;
  };
  auto slow = system_.Spawn<Slow>({.capacity = 2, .when_full = WhenFull::kFail}, loop_, ticks);
  system_.SendEvery(kSecond, slow, Tick{1});
  slow.Send(Start{});
  Run();
  EXPECT_EQ(ticks.size(), 2u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 3u);
  Advance(kSecond);
  EXPECT_EQ(ticks.size(), 3u);
}

// ---- to a mailbox

TEST_F(TimerTest, AMailboxGetsMessagesLaterFromWhomAskedForThem) {
  auto [ticks, inbox] = system_.OpenMailbox<Tick>();
  auto actor = system_.Spawn(
      [ticks = ticks](Start, Context& self) { self.SendAfter(2 * kSecond, ticks, Tick{7}); });
  system_.SendEvery(kSecond, ticks, Tick{1});
  actor.Send(Start{});
  Run();
  Advance(kSecond);
  EXPECT_EQ(inbox.TryReceive()->message.n, 1);
  Advance(kSecond);
  auto seven = inbox.TryReceive();
  auto one = inbox.TryReceive();
  ASSERT_TRUE(seven.has_value() && one.has_value());
  if (seven->message.n == 1) std::swap(seven, one);  // they are due at the same time
  EXPECT_EQ(seven->message.n, 7);
  EXPECT_EQ(seven->sender, AnyRef(actor));
  EXPECT_FALSE(one->sender);
}

TEST_F(TimerTest, AFullMailboxRefusesATimerAndAClosedOneEndsIt) {
  auto [ticks, inbox] = system_.OpenMailbox<Tick>("", {.capacity = 1});
  TimerHandle timer = system_.SendEvery(kSecond, ticks, Tick{1});
  Advance(3 * kSecond);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 2u) << "it waits for nobody";
  inbox = {};
  Advance(kSecond);
  EXPECT_FALSE(timer.Cancel()) << "it has ended by itself";
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  system_.SendAfter(kSecond, Sender<Tick>(), Tick{1});
  Advance(kSecond);
}

TEST_F(TimerTest, ATimerToAMailboxIsCancelled) {
  auto [ticks, inbox] = system_.OpenMailbox<Tick>();
  TimerHandle timer = system_.SendAfter(kSecond, ticks, Tick{1});
  EXPECT_TRUE(timer.Cancel());
  Advance(2 * kSecond);
  EXPECT_FALSE(inbox.TryReceive().has_value());
}

TEST_F(TimerTest, AMoveOnlyMessageMayBeSentLaterOnce) {
  auto& got = Keep<int>();
  auto taker = system_.Spawn([&got](std::unique_ptr<int> m) { got = *m; });
  system_.SendAfter(kSecond, taker, std::make_unique<int>(3));
  Advance(kSecond);
  EXPECT_EQ(got, 3);
}

TEST_F(TimerTest, APeriodicMessageWhoseCopyThrowsEndsItsTimerAndNothingElse) {
  struct Fragile {
    int* copies_left;
    explicit Fragile(int* n) : copies_left(n) {}
    Fragile(const Fragile& other) : copies_left(other.copies_left) {
      if ((*copies_left)-- == 0) throw std::runtime_error("no more copies");
    }
    Fragile(Fragile&& other) noexcept = default;
  };
  auto& got = Keep<int>();
  auto& copies_left = Keep<int>();
  copies_left = 1000;
  auto taker = system_.Spawn([&got](Fragile) { ++got; });
  system_.SendEvery(kSecond, taker, Fragile(&copies_left));
  copies_left = 2;
  Advance(10 * kSecond);
  EXPECT_EQ(got, 2);
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture());
  EXPECT_EQ(system_.stats().live, 1u);
}

TEST_F(TimerTest, OfAThousandTimersThatCameAndWentFewAreRememberedAndNoneAfterTheEnd) {
  struct Tag;
  struct Token : Counted<Tag> {};
  auto& got = Keep<int>();
  class Busy {
   public:
    explicit Busy(int& got) : got_(got) {}
    void On(Start, Context& self) {
      for (int i = 0; i < 1000; ++i) {
        TimerHandle timer = self.SendAfter(absl::Milliseconds(i % 7), self.ref(this), Token());
        if (i % 3 == 0) timer.Cancel();
      }
    }
    void On(Token) { ++got_; }

   private:
    int& got_;
  };
  auto busy = system_.Spawn<Busy>(got);
  busy.Send(Start{});
  Advance(kSecond);
  EXPECT_EQ(got, 666);
  EXPECT_LT(Counted<Tag>::alive(), 100) << "of those cancelled";
  busy.Send(Start{});
  Run();
  busy.Stop();
  Run();
  EXPECT_EQ(Counted<Tag>::alive(), 0);
}

// ---- the scheduler that turns time

TEST_F(TimerTest, AdvanceStopsAtEachTimerAndRunsWhatItCausedBeforeTheNext) {
  auto& log = Keep<std::vector<std::string>>();
  auto second = system_.Spawn([&log](Tick m) { log.push_back("caused " + std::to_string(m.n)); });
  auto first = system_.Spawn([&log, second](Tick m) {
    log.push_back("timer " + std::to_string(m.n));
    second.Send(m);
  });
  system_.SendAfter(kSecond, first, Tick{1});
  system_.SendAfter(2 * kSecond, first, Tick{2});
  Advance(5 * kSecond);
  EXPECT_EQ(log, (std::vector<std::string>{"timer 1", "caused 1", "timer 2", "caused 2"}));
}

TEST_F(TimerTest, RunUntilIdleFiresNoTimer) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  system_.SendAfter(absl::Nanoseconds(1), watcher, Tick{});
  EXPECT_EQ(loop_.RunUntilIdle(), 0);
  EXPECT_TRUE(times.empty());
}

TEST_F(TimerTest, TimeDoesNotGoBack) {
  Advance(5 * kSecond);
  loop_.AdvanceTo(kStart);
  Advance(-kSecond);
  EXPECT_EQ(loop_.Now(), kStart + 5 * kSecond);
}

TEST_F(TimerTest, TurnRunsWhoWaitsAndElseJumpsToTheNextTimer) {
  auto& times = Keep<Times>();
  auto watcher = system_.Spawn<Clockwatcher>(times, Keep<std::vector<int>>());
  system_.SendAfter(absl::Hours(1), watcher, Tick{});
  watcher.Send(Tick{});
  EXPECT_TRUE(loop_.Turn());
  EXPECT_EQ(times, Times{kStart});
  EXPECT_TRUE(loop_.Turn());
  EXPECT_EQ(loop_.Now(), kStart + absl::Hours(1));
  EXPECT_TRUE(loop_.Turn());
  EXPECT_EQ(times.size(), 2u);
  EXPECT_FALSE(loop_.Turn()) << "nothing is left to do";
}

}  // namespace
}  // namespace troupe
