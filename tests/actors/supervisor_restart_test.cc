// How often and how soon a supervisor makes a child anew, and what survives it.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/supervised.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using SupervisorRestartTest = Supervised;

// ---- intensity and period

TEST_F(SupervisorRestartTest,
       MoreRestartsThanIntensityInThePeriodEndTheChildrenAndThenTheSupervisor) {
  SupervisorTree tree(system_, {.intensity = 2, .period = absl::Seconds(10)});
  Add(tree, "a");
  Worker b = Add(tree, "b");
  Add(tree, "c");
  std::vector<Down>& downs = Watch(tree.ref());
  std::vector<Down>& of_b = Watch(b);
  Start(tree);
  MakeCrash(b);
  MakeCrash(b);
  EXPECT_TRUE(downs.empty());
  Written();
  b.Send(Crash{"once too often"});
  Run();
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "c stop", "c gone", "a stop", "a gone"}));
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kFailed);
  const std::string why(downs[0].status.message());
  EXPECT_NE(why.find("\"b\""), std::string::npos) << why;
  EXPECT_NE(why.find("once too often"), std::string::npos) << why;
  ASSERT_EQ(of_b.size(), 1u);
  EXPECT_EQ(of_b[0].status, absl::InternalError("once too often"));
}

TEST_F(SupervisorRestartTest, RestartsBeforeThePeriodDoNotCount) {
  SupervisorTree tree(system_, {.intensity = 1, .period = absl::Seconds(5)});
  Worker a = Add(tree, "a");
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  for (int i = 0; i < 10; ++i) {
    MakeCrash(a);
    Advance(absl::Milliseconds(5001));
  }
  EXPECT_TRUE(downs.empty());
  MakeCrash(a);
  Advance(absl::Seconds(5));
  MakeCrash(a);
  EXPECT_EQ(downs.size(), 1u);
}

TEST_F(SupervisorRestartTest, AnIntensityOfZeroAllowsNoRestart) {
  SupervisorTree tree(system_, {.intensity = 0});
  Worker a = Add(tree, "a");
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  MakeCrash(a);
  EXPECT_EQ(downs.size(), 1u);
}

TEST_F(SupervisorRestartTest, TheDefaultIsOneRestartInFiveSeconds) {
  const SupervisorOptions options;
  EXPECT_EQ(options.intensity, 1);
  EXPECT_EQ(options.period, absl::Seconds(5));
  EXPECT_EQ(options.strategy, Strategy::kOneForOne);
  EXPECT_EQ(options.auto_shutdown, AutoShutdown::kNever);
  EXPECT_EQ(ChildOptions().restart, Restart::kPermanent);
}

TEST_F(SupervisorRestartTest, ARestartOfAllCountsOnce) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll, .intensity = 1});
  Worker a = Add(tree, "a");
  for (const char* name : {"b", "c", "d"}) Add(tree, name);
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  MakeCrash(a);
  EXPECT_TRUE(downs.empty());
}

TEST_F(SupervisorRestartTest, ARestartThatFailsIsTriedAgainAndCounts) {
  SupervisorTree tree(system_, {.intensity = 3});
  Worker a = Add(tree, "a");
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  FateOf("a").constructors_that_throw = 1;
  FateOf("a").starts_that_throw = 1;
  MakeCrash(a);
  EXPECT_TRUE(downs.empty());
  EXPECT_EQ(a.Ask(Handled{}).Wait().value_or(-1), 0);
  MakeCrash(a);
  EXPECT_EQ(downs.size(), 1u);
}

// "If the restart of a child fails, the supervisor tries again", the same way as before.
TEST_F(SupervisorRestartTest, ARestartOfAllInWhichOneFailsIsTriedAgainWithAll) {
  for (const char* name : {"b", "c"}) {  // the child that had ended, or a sibling
    SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll, .intensity = 2});
    Add(tree, "a");
    Worker b = Add(tree, "b");
    Add(tree, "c");
    std::vector<Down>& downs = Watch(tree.ref());
    Start(tree);
    FateOf(name).starts_that_throw = 1;
    MakeCrash(b);
    EXPECT_TRUE(downs.empty());
    const Log written = Written();
    EXPECT_EQ(std::count(written.begin(), written.end(), "a start"), 3) << name;
    EXPECT_EQ((Log{written.end() - 3, written.end()}), (Log{"a start", "b start", "c start"}));
    MakeCrash(b);  // the third restart
    EXPECT_EQ(downs.size(), 1u) << name;
    Written();
  }
}

TEST_F(SupervisorRestartTest, ARestartOfTheRestInWhichOneFailsIsTriedAgainWithTheRestOfThat) {
  SupervisorTree tree(system_, {.strategy = Strategy::kRestForOne, .intensity = 4});
  Add(tree, "a");
  Worker b = Add(tree, "b");
  Add(tree, "c");
  Add(tree, "d");
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  Written();
  const Log again{"b stop", "b gone",  "d stop",  "d gone", "c stop",
                  "c gone", "b start", "c start", "d start"};
  for (const char* name : {"b", "c"}) {  // the child that had ended, or a sibling
    FateOf(name).constructors_that_throw = 1;
    MakeCrash(b);
    EXPECT_EQ(Written(), again) << name;
  }
  EXPECT_TRUE(downs.empty());
  MakeCrash(b);  // the fifth restart
  EXPECT_EQ(downs.size(), 1u);
}

// ---- what survives

TEST_F(SupervisorRestartTest, MessagesAreKeptOverARestartInOrderAndTheOneBeingHandledIsLost) {
  for (uint32_t capacity : {kUnbounded, 8u}) {
    SupervisorTree tree(system_);
    Worker a = Add(tree, "a", {.actor = {.capacity = capacity}});
    a.Send(Say{"before the start"});
    Start(tree);
    EXPECT_EQ(Written(), (Log{"a start", "a before the start"}));
    a.Send(Say{"1"});
    a.Send(Crash{});
    a.Send(Say{"2"});
    auto lost = a.Ask(Handled{}).Wait();
    EXPECT_EQ(lost.value_or(-1), 1);  // in its second life
    EXPECT_EQ(Written(), (Log{"a 1", "a stop", "a gone", "a start", "a 2"}));
    EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
    tree.ref().Stop();
    Run();
    Written();
  }
}

TEST_F(SupervisorRestartTest, WhoAskedForWhatFailedIsToldSoAndOthersGetTheirAnswersLater) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.backoff = {.min = absl::Seconds(1), .jitter = 0}});
  Start(tree);
  auto& answers = Keep<std::vector<absl::StatusOr<int>>>();
  auto asker = system_.Spawn([a, &answers](Quit, Context& self) {
    const auto note = [&answers](absl::StatusOr<int> answer) { answers.push_back(answer); };
    a.Ask(CrashAnswering{}).Then(self, note);
    a.Ask(Handled{}).Then(self, note);
  });
  asker.Send(Quit{});
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(absl::IsInternal(answers[0].status())) << answers[0].status();
  Advance(absl::Seconds(1));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].value_or(-1), 0);
}

TEST_F(SupervisorRestartTest, TheMailboxIsDroppedIfThatIsWanted) {
  for (uint32_t capacity : {kUnbounded, 8u}) {
    SupervisorTree tree(system_);
    Worker a = Add(tree, "a",
                   {.backoff = {.min = absl::Seconds(1), .jitter = 0},
                    .mailbox = MailboxOnRestart::kDrop,
                    .actor = {.capacity = capacity}});
    Start(tree);
    Written();
    const uint64_t before = LettersFor(DeadLetterReason::kStopped);
    a.Send(Crash{});
    a.Send(Say{"dropped"});
    a.Send(Say{"dropped, too"});
    Run();
    EXPECT_EQ(LettersFor(DeadLetterReason::kStopped) - before, 2u);
    a.Send(Say{"kept"});
    Advance(absl::Seconds(1));
    EXPECT_EQ(Written(), (Log{"a stop", "a gone", "a start", "a kept"}));
    tree.ref().Stop();
    Run();
  }
}

TEST_F(SupervisorRestartTest, ABoundedMailboxStaysBoundedWhileItsActorWaits) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a",
                 {.backoff = {.min = absl::Seconds(1), .jitter = 0},
                  .actor = {.capacity = 2, .when_full = WhenFull::kFail}});
  Start(tree);
  MakeCrash(a);
  Written();
  EXPECT_EQ(a.Send(Say{"1"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(a.Send(Say{"2"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(a.Send(Say{"3"}), SendResult::kFull);
  Advance(absl::Seconds(1));
  EXPECT_EQ(Written(), (Log{"a start", "a 1", "a 2"}));
  EXPECT_EQ(a.Send(Say{"4"}), SendResult::kQueued);
}

// Begins all that an actor can begin, and fails.
struct Begin {};
struct Tick {};
class Beginner {
 public:
  Beginner(Recipient<Handled> slow, AnyRef mortal, Log& log)
      : slow_(slow), mortal_(mortal), log_(log) {}
  void On(Begin, Context& self) {
    self.SendAfter(absl::Seconds(1), self.ref(this), Tick{});
    slow_.Ask(Handled{}).Then(self, [this](absl::StatusOr<int>) { log_.push_back("answer"); });
    self.Watch(mortal_);
    self.Spawn<Diarist>("grandchild", log_);
  }
  void On(Crash m) { throw std::runtime_error(m.why); }
  void On(Tick) { log_.push_back("tick"); }
  void On(Down) { log_.push_back("down"); }

 private:
  Recipient<Handled> slow_;
  AnyRef mortal_;
  Log& log_;
};
class Late {
 public:
  explicit Late(std::vector<Reply<int>>& asked) : asked_(asked) {}
  void On(Handled, Reply<int> reply) { asked_.push_back(std::move(reply)); }

 private:
  std::vector<Reply<int>>& asked_;
};

TEST_F(SupervisorRestartTest, TimersAsksWatchesAndChildrenEndWithTheLifeThatBeganThem) {
  auto& asked = Keep<std::vector<Reply<int>>>();
  auto late = system_.Spawn<Late>(asked);
  auto mortal = system_.Spawn([](Quit) {});
  SupervisorTree tree(system_);
  auto beginner = tree.Add<Beginner>({}, Recipient<Handled>(late), AnyRef(mortal), std::ref(log_));
  Start(tree);
  beginner.Send(Begin{});
  Run();
  EXPECT_EQ(Written(), (Log{"grandchild born", "grandchild start"}));
  beginner.Send(Crash{});
  Run();
  EXPECT_EQ(Written(), (Log{"grandchild stop", "grandchild gone"}));
  ASSERT_EQ(asked.size(), 1u);
  asked[0].Send(5);
  mortal.Stop();
  Advance(absl::Seconds(10));
  EXPECT_EQ(Written(), Log());
}

TEST_F(SupervisorRestartTest, AnAnswerThatIsAlreadyInTheMailboxWhenALifeEndsIsDiscarded) {
  auto& asked = Keep<std::vector<Reply<int>>>();
  auto late = system_.Spawn<Late>(asked);
  for (uint32_t capacity : {kUnbounded, 8u}) {
    SupervisorTree tree(system_);
    auto beginner = tree.Add<Beginner>({.actor = {.capacity = capacity}}, Recipient<Handled>(late),
                                       AnyRef(late), std::ref(log_));
    Start(tree);
    beginner.Send(Begin{});
    Run();
    Written();
    beginner.Send(Crash{});
    asked.back().Send(5);
    Run();
    beginner.Send(Begin{});
    Run();
    asked.back().Send(5);
    Run();
    EXPECT_EQ(Written(), (Log{"grandchild stop", "grandchild gone", "grandchild born",
                              "grandchild start", "answer"}));
    tree.ref().Stop();
    Run();
    Written();
  }
}

TEST_F(SupervisorRestartTest, AStopEndsATransientChildThatWaitsForItsNextLife) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.restart = Restart::kTransient, .backoff = {.min = absl::Seconds(1)}});
  Worker b = Add(tree, "b", {.backoff = {.min = absl::Seconds(1)}});
  std::vector<Down>& downs = Watch(a);
  Start(tree);
  MakeCrash(a);
  a.Send(Say{"nobody hears it"});
  a.Stop();
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kFailed);  // how its last life ended
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
  Advance(absl::Seconds(60));
  Written();
  MakeCrash(b);
  b.Stop();
  Advance(absl::Seconds(1));
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "b start"}));  // a permanent one lives again
}

TEST_F(SupervisorRestartTest, ATreeIsEndedWhileAChildWaitsForItsNextLife) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.backoff = {.min = absl::Seconds(1)}});
  Worker b = Add(tree, "b");
  auto root = Start(tree);
  MakeCrash(a);
  auto& answers = Keep<std::vector<absl::StatusOr<int>>>();
  system_
      .Spawn([a, &answers](Quit, Context& self) {
        a.Ask(Handled{}).Then(self, [&answers](absl::StatusOr<int> r) { answers.push_back(r); });
      })
      .Send(Quit{});
  Run();
  EXPECT_TRUE(answers.empty());
  root.Stop();
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(absl::IsUnavailable(answers[0].status())) << answers[0].status();
  EXPECT_EQ(a.Send(Say{"hello"}), SendResult::kClosed);
  EXPECT_EQ(b.Send(Say{"hello"}), SendResult::kClosed);
}

TEST_F(SupervisorRestartTest, AChildMayWatchASiblingAndHearsOfItsLastEndOnly) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a");
  std::vector<Down>& downs = Watch(a);
  auto root = Start(tree);
  MakeCrash(a);
  EXPECT_TRUE(downs.empty());
  root.Stop();
  Run();
  EXPECT_EQ(downs.size(), 1u);
}

// ---- backoff

TEST_F(SupervisorRestartTest, ABackoffDoublesUpToItsMaximumAndBeginsAnewAfterALongLife) {
  SupervisorTree tree(system_, {.intensity = 1000, .period = absl::Minutes(5)});
  Worker a =
      Add(tree, "a", {.backoff = {.min = absl::Seconds(1), .max = absl::Seconds(5), .jitter = 0}});
  Start(tree);
  for (int seconds : {1, 2, 4, 5, 5}) {
    MakeCrash(a);
    Written();
    Advance(absl::Seconds(seconds) - absl::Milliseconds(1));
    EXPECT_EQ(Written(), Log()) << seconds;
    Advance(absl::Milliseconds(1));
    EXPECT_EQ(Written(), (Log{"a start"})) << seconds;
  }
  Advance(absl::Minutes(6));
  MakeCrash(a);
  Written();
  Advance(absl::Seconds(1));
  EXPECT_EQ(Written(), (Log{"a start"}));
}

TEST_F(SupervisorRestartTest, JitterShortensABackoffByARandomPart) {
  std::vector<absl::Duration> delays;
  for (uint64_t seed : {1u, 2u, 3u}) {
    SupervisorTree tree(system_, {.seed = seed});
    Worker a = Add(tree, "a", {.backoff = {.min = absl::Seconds(10), .jitter = 0.5}});
    Start(tree);
    MakeCrash(a);
    Written();
    const absl::Time begin = loop_.Now();
    while (log_.empty()) Advance(absl::Milliseconds(1));
    delays.push_back(loop_.Now() - begin);
    EXPECT_GE(delays.back(), absl::Seconds(5));
    EXPECT_LE(delays.back(), absl::Seconds(10));
    tree.ref().Stop();
    Run();
  }
  EXPECT_NE(delays[0], delays[1]);
  EXPECT_NE(delays[1], delays[2]);
}

TEST_F(SupervisorRestartTest, WithOneForOneASiblingIsMadeAnewWhileAnotherWaits) {
  SupervisorTree tree(system_, {.intensity = 5});
  Worker a = Add(tree, "a", {.backoff = {.min = absl::Seconds(10), .jitter = 0}});
  Worker b = Add(tree, "b");
  Start(tree);
  MakeCrash(a);
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "b start"}));
  Advance(absl::Seconds(10));
  EXPECT_EQ(Written(), (Log{"a start"}));
}

TEST_F(SupervisorRestartTest, WithOneForAllAllWaitForTheBackoffOfTheOneThatFailed) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll});
  Add(tree, "a");
  Worker b = Add(tree, "b", {.backoff = {.min = absl::Seconds(10), .jitter = 0}});
  Start(tree);
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"a start", "b start", "b stop", "b gone", "a stop", "a gone"}));
  Advance(absl::Seconds(10));
  EXPECT_EQ(Written(), (Log{"a start", "b start"}));
}

}  // namespace
}  // namespace troupe
