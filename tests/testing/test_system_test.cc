#include "troupe/testing/test_system.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/matchers.h"
#include "troupe/troupe.h"

namespace shop {

struct Job {
  int n = 0;
};
struct Sum {
  using Reply = int;
};
struct Ball {};

class Adder {
 public:
  void On(Job job) { sum_ += job.n; }
  int On(Sum) { return sum_; }

 private:
  int sum_ = 0;
};

// Plays with itself for ever.
class Player {
 public:
  void On(Ball, troupe::Context& self) { self.ref(this).Send(Ball{}); }
};

}  // namespace shop

namespace troupe::testing {
namespace {

using ::shop::Adder;
using ::shop::Ball;
using ::shop::Job;
using ::shop::Player;
using ::shop::Sum;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// An actor that has ended: what is sent to it is lost.
ActorRef<Adder> Ended(TestSystem& system) {
  auto adder = system.Spawn<Adder>();
  adder.Stop();
  system.RunUntilIdle();
  return adder;
}

TEST(TestSystemTest, IsASystemThatRunsWhenToldTo) {
  TestSystem system;
  int handled = 0;
  auto actor = system.Spawn([&handled](Job) { ++handled; });
  actor.Send(Job{});
  EXPECT_EQ(handled, 0);
  system.RunUntilIdle();
  EXPECT_EQ(handled, 1);
}

TEST(TestSystemTest, AWaitOnTheTestsThreadTurnsTheSystem) {
  TestSystem system;
  auto adder = system.Spawn<Adder>();
  adder.Send(Job{3});
  EXPECT_THAT(adder.Ask(Sum{}).Wait(), IsOkAndHolds(3));
}

TEST(TestSystemTest, AWaitForWhoNeverAnswersTakesVirtualTime) {
  TestSystem system;
  std::vector<Reply<int>> kept;
  auto silent = system.Spawn([&kept](Sum, Reply<int> reply) { kept.push_back(std::move(reply)); });
  EXPECT_THAT(silent.Ask(Sum{}, absl::Hours(1)).Wait(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(system.Now(), absl::UnixEpoch() + absl::Hours(1));
}

TEST(TestSystemTest, AJoinOnTheTestsThreadTurnsTheSystemAndItsTimers) {
  TestSystem system;
  auto mayfly = system.Spawn([](Job, Context& self) { self.Stop(); });
  system.SendAfter(absl::Hours(24), mayfly, Job{});
  EXPECT_THAT(system.Join(mayfly), IsOkAndHolds(DownIs(ExitReason::kNormal)));
}

TEST(TestSystemTest, TimeStartsWhereTheOptionsSay) {
  const absl::Time start = absl::FromUnixSeconds(1'000'000'000);
  TestSystem system({.start = start});
  EXPECT_EQ(system.Now(), start);
}

TEST(TestSystemTest, TimeStandsStillInRunUntilIdle) {
  TestSystem system;
  auto adder = system.Spawn<Adder>();
  system.SendAfter(absl::Seconds(1), adder, Job{1});
  system.RunUntilIdle();
  EXPECT_EQ(system.Now(), absl::UnixEpoch());
  EXPECT_THAT(adder.Ask(Sum{}).Wait(), IsOkAndHolds(0));
}

TEST(TestSystemTest, AdvanceStopsAtEachTimerOnTheWay) {
  TestSystem system;
  std::vector<absl::Duration> times;
  auto clock = system.Spawn(
      [&times](Job, Context& self) { times.push_back(self.Now() - absl::UnixEpoch()); });
  system.SendEvery(absl::Seconds(2), clock, Job{});
  system.Advance(absl::Seconds(5));
  EXPECT_THAT(times, ElementsAre(absl::Seconds(2), absl::Seconds(4)));
  EXPECT_EQ(system.Now(), absl::UnixEpoch() + absl::Seconds(5));
}

TEST(TestSystemTest, ANegativeDurationIsNone) {
  TestSystem system;
  system.Advance(-absl::Seconds(1));
  EXPECT_EQ(system.Now(), absl::UnixEpoch());
}

TEST(TestSystemTest, RunUntilStopsTimeWhereItIsDone) {
  TestSystem system;
  int ticks = 0;
  auto clock = system.Spawn([&ticks](Job) { ++ticks; });
  system.SendEvery(absl::Seconds(1), clock, Job{});
  EXPECT_TRUE(system.RunUntil([&] { return ticks == 3; }, absl::Hours(1)));
  EXPECT_EQ(system.Now(), absl::UnixEpoch() + absl::Seconds(3));
  EXPECT_FALSE(system.RunUntil([&] { return ticks == 9; }, absl::Seconds(5)));
  EXPECT_EQ(system.Now(), absl::UnixEpoch() + absl::Seconds(8));
}

TEST(TestSystemTest, RunUntilForEverEndsWhenNothingIsLeftToDo) {
  TestSystem system;
  int ticks = 0;
  auto clock = system.Spawn([&ticks](Job) { ++ticks; });
  system.SendAfter(absl::Hours(1), clock, Job{});
  EXPECT_FALSE(system.RunUntil([] { return false; }, absl::InfiniteDuration()));
  EXPECT_EQ(ticks, 1);
  EXPECT_EQ(system.Now(), absl::UnixEpoch() + absl::Hours(1));
  EXPECT_FALSE(system.gave_up());
}

TEST(TestSystemTest, RunUntilGivesUpOnActorsThatKeepEachOtherBusy) {
  TestSystem system({.max_turns = 10});
  auto player = system.Spawn<Player>();
  player.Send(Ball{});
  EXPECT_FALSE(system.RunUntil([] { return false; }));
  EXPECT_TRUE(system.gave_up());
  player.Stop();
  EXPECT_FALSE(system.RunUntil([] { return false; }));
  EXPECT_FALSE(system.gave_up());
}

TEST(TestSystemTest, GivingUpIsACauseForComplaint) {
  std::vector<std::string> complaints;
  TestSystem system({.max_turns = 10, .on_complaint = [&complaints](const std::string& complaint) {
                       complaints.push_back(complaint);
                     }});
  auto player = system.Spawn<Player>();
  player.Send(Ball{});
  system.RunUntilIdle();
  system.Advance(absl::Seconds(1));
  const std::string sentence = "Troupe: gave up after 10 turns; the actors keep each other busy";
  EXPECT_THAT(complaints, ElementsAre(sentence, sentence));
  player.Stop();
  system.RunUntilIdle();
  (void)system.TakeDeadLetters();
}

TEST(TestSystemTest, APeriodOverInfiniteTimeGivesUp) {
  TestSystem system({.max_turns = 10});
  auto adder = system.Spawn<Adder>();
  system.SendEvery(absl::Seconds(1), adder, Job{});
  system.Advance(absl::InfiniteDuration());
  EXPECT_TRUE(system.gave_up());
  EXPECT_LT(system.Now(), absl::UnixEpoch() + absl::Minutes(1));
}

TEST(TestSystemTest, TheSchedulerIsThereForAllElse) {
  TestSystem system;
  auto adder = system.Spawn<Adder>();
  system.SendAfter(absl::Seconds(1), adder, Job{});
  system.RunUntilIdle();
  const TestSystem& looked_at = system;
  EXPECT_EQ(looked_at.scheduler().next_deadline(), absl::UnixEpoch() + absl::Seconds(1));
  EXPECT_FALSE(system.scheduler().RunOne());
}

TEST(TestSystemTest, TheSeedDecidesWhoRunsNext) {
  const auto order_with = [](std::optional<uint64_t> seed) {
    TestSystem system({.seed = seed});
    std::string order;
    for (char name = 'a'; name <= 'h'; ++name) {
      system.Spawn([name, &order](Job) { order += name; }).Send(Job{});
    }
    system.RunUntilIdle();
    return order;
  };
  EXPECT_EQ(order_with(std::nullopt), "abcdefgh");
  EXPECT_NE(order_with(1), "abcdefgh");
  EXPECT_EQ(order_with(1), order_with(1));
  EXPECT_NE(order_with(1), order_with(2));
}

// ---- dead letters

TEST(TestSystemDeadLetterTest, OneThatWasExpectedIsReturnedAndTaken) {
  TestSystem system({.on_complaint = FailTest});
  auto adder = system.Spawn<Adder>();
  adder.Stop();
  adder.Send(Job{});
  const absl::StatusOr<DeadLetter> letter = system.ExpectDeadLetter<Job>();  // runs until idle
  EXPECT_THAT(letter, IsOkAndHolds(DeadLetterIs<Job>(DeadLetterReason::kStopped)));
  EXPECT_THAT(letter, IsOkAndHolds(SentFromLine(__LINE__ - 3)));
  EXPECT_THAT(system.ExpectNoDeadLetters(), IsOk());
}

TEST(TestSystemDeadLetterTest, TheOldestOfItsTypeIsTakenAndTheOthersStay) {
  TestSystem system({.on_complaint = FailTest});
  auto adder = Ended(system);
  adder.Send(Job{});
  (void)adder.Ask(Sum{}).Wait();
  adder.Send(Job{});
  EXPECT_THAT(system.ExpectDeadLetter<Sum>(), IsOk());
  EXPECT_THAT(system.ExpectDeadLetter<Job>(), IsOkAndHolds(SentFromLine(__LINE__ - 4)));
  EXPECT_THAT(system.dead_letters(), ElementsAre(SentFromLine(__LINE__ - 3)));
  EXPECT_THAT(system.TakeDeadLetters(), ElementsAre(DeadLetterIs(DeadLetterReason::kNoSuchActor)));
  EXPECT_THAT(system.TakeDeadLetters(), ElementsAre());
}

TEST(TestSystemDeadLetterTest, OneThatDoesNotComeIsNotFound) {
  TestSystem system;
  EXPECT_THAT(system.ExpectDeadLetter<Job>(),
              StatusIs(absl::StatusCode::kNotFound,
                       "expected a dead letter of shop::Job, but there are none"));
}

TEST(TestSystemDeadLetterTest, TheErrorListsTheOthers) {
  TestSystem system;
  auto adder = Ended(system);
  (void)adder.Ask(Sum{}).Wait();
  const std::string line = std::to_string(__LINE__ - 1);
  EXPECT_THAT(system.ExpectDeadLetter<Job>(),
              StatusIs(absl::StatusCode::kNotFound,
                       MatchesRegex(
                           "expected a dead letter of shop::Job, but there are only:\n"
                           "  shop::Sum to #[0-9a-f]+ from nobody, sent at .*test_system_test.cc:" +
                           line + ": no such actor")));
  EXPECT_THAT(system.ExpectNoDeadLetters(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       MatchesRegex("expected no dead letters, but there are:\n"
                                    "  shop::Sum to .*: no such actor")));
}

TEST(TestSystemDeadLetterTest, OneToAMailboxNamesTheMailbox) {
  TestSystem system;
  auto [jobs, inbox] = system.OpenMailbox<Job>("jobs");
  const std::string name = jobs.ToString();
  jobs.Send(Job{});
  inbox.Close(Backlog::kDrop);
  EXPECT_THAT(system.ExpectNoDeadLetters(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("shop::Job to the mailbox " + name + " from nobody")));
}

TEST(TestSystemDeadLetterTest, TheDestructorComplainsOfThoseThatNobodyTook) {
  std::vector<std::string> complaints;
  {
    TestSystem system(
        {.on_complaint = [&](const std::string& complaint) { complaints.push_back(complaint); }});
    auto adder = Ended(system);
    adder.Send(Job{});
    (void)adder.Ask(Sum{}).Wait();
    adder.Send(Job{});
    EXPECT_THAT(system.ExpectDeadLetter<Job>(), IsOk());
    EXPECT_THAT(complaints, ElementsAre());
  }
  EXPECT_THAT(complaints,
              ElementsAre(MatchesRegex(
                  "Troupe: dead letters that the test has not asked about:\n"
                  "  shop::Sum to #[0-9a-f]+ from nobody, sent at [^\n]*: no such actor\n"
                  "  shop::Job to #[0-9a-f]+ from nobody, sent at [^\n]*: no such actor")));
}

TEST(TestSystemDeadLetterTest, TheDestructorComplainsOfNothingThatIsStillUnderWay) {
  TestSystem system({.on_complaint = FailTest});
  system.Spawn<Adder>().Send(Job{});
}

TEST(TestSystemDeadLetterTest, WithoutAHookNobodyComplains) {
  TestSystem system;
  Ended(system).Send(Job{});
  EXPECT_EQ(system.dead_letters().size(), 1u);
}

TEST(TestSystemDeadLetterTest, AHookMayThrow) {
  int complaints = 0;
  {
    TestSystem system({.on_complaint = [&](const std::string&) {
      ++complaints;
      throw std::runtime_error("no");
    }});
    Ended(system).Send(Job{});
  }
  EXPECT_EQ(complaints, 1);
}

TEST(TestSystemDeadLetterTest, ThoseOfOtherThreadsAreCollectedToo) {
  TestSystem system;
  auto adder = Ended(system);
  std::vector<std::thread> senders;
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back([adder] {
      for (int n = 0; n < 100; ++n) adder.Send(Job{});
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(system.TakeDeadLetters().size(), 400u);
}

}  // namespace
}  // namespace troupe::testing
