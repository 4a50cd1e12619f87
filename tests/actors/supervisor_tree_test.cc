// What a supervisor may be asked, and supervisors of supervisors.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/supervised.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using SupervisorTreeTest = Supervised;

// ---- requests

TEST_F(SupervisorTreeTest, StartChildAddsAChildAndAnswersWithItsRef) {
  auto root = system_.Spawn<Supervisor>();
  Worker a = root.Ask(Later("a")).Wait().value();
  EXPECT_EQ(Written(), (Log{"a start"}));
  MakeCrash(a);
  EXPECT_EQ(Written(), (Log{"a stop", "a gone", "a start"}));
  root.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(SupervisorTreeTest, StartChildRefusesANameThatIsTaken) {
  auto root = system_.Spawn<Supervisor>();
  ASSERT_TRUE(root.Ask(Later("a")).Wait().ok());
  EXPECT_TRUE(absl::IsAlreadyExists(root.Ask(Later("a")).Wait().status()));
  EXPECT_TRUE(root.Ask(Later("")).Wait().ok());
  EXPECT_TRUE(root.Ask(Later("")).Wait().ok());  // no name is no name
}

// "If the child specification identifier ... already exists": {error, already_present}, if it has ended.
TEST_F(SupervisorTreeTest, StartChildRefusesTheNameOfAChildThatHasEndedButNotOfOneThatWasDeleted) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.restart = Restart::kTransient});
  auto root = Start(tree);
  a.Send(Quit{});
  Run();
  EXPECT_TRUE(absl::IsAlreadyExists(root.Ask(Later("a")).Wait().status()));
  ASSERT_TRUE(root.Ask(DeleteChild{"a"}).Wait().ok());
  EXPECT_TRUE(root.Ask(Later("a")).Wait().ok());
}

// "A child ... can only be significant if the supervisor's auto_shutdown is not never."
TEST_F(SupervisorTreeTest,
       StartChildRefusesASignificantChildOfASupervisorThatNeverShutsItselfDown) {
  auto root = system_.Spawn<Supervisor>();
  const ChildOptions significant{.restart = Restart::kTransient, .significant = true};
  EXPECT_TRUE(absl::IsInvalidArgument(root.Ask(Later("a", significant)).Wait().status()));
  EXPECT_EQ(Written(), Log());
  EXPECT_TRUE(Names(root).empty());
}

TEST_F(SupervisorTreeTest, AChildThatCannotBeStartedLaterIsForgottenAndTheAskerToldWhy) {
  auto root = system_.Spawn<Supervisor>();
  FateOf("a").constructors_that_throw = 1;
  EXPECT_EQ(root.Ask(Later("a")).Wait().status(), absl::InternalError("a cannot be made"));
  Run();
  EXPECT_TRUE(Names(root).empty());
  FateOf("a").starts_that_throw = 1;
  EXPECT_EQ(root.Ask(Later("a")).Wait().status(), absl::InternalError("a cannot start"));
  Run();
  EXPECT_TRUE(Names(root).empty());
  EXPECT_TRUE(root.Ask(Later("a")).Wait().ok());
}

TEST_F(SupervisorTreeTest, ATerminatedChildStaysKnownAndCanBeRestarted) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a");
  std::vector<Down>& downs = Watch(a);
  auto root = Start(tree);
  Written();
  EXPECT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  EXPECT_EQ(Written(), (Log{"a stop", "a gone"}));
  Run();
  EXPECT_EQ(downs.size(), 1u);
  EXPECT_EQ(StateOf(root, "a"), ChildState::kEnded);
  EXPECT_EQ(a.Send(Say{"hello"}), SendResult::kClosed);
  absl::StatusOr<AnyRef> again = root.Ask(RestartChild{"a"}).Wait();
  ASSERT_TRUE(again.ok());
  EXPECT_NE(*again, AnyRef(a));
  EXPECT_EQ(Written(), (Log{"a start"}));
  again->As<SupervisedWorker>()->Send(Say{"hello"});
  Run();
  EXPECT_EQ(Written(), (Log{"a hello"}));
}

// "A terminated child can later be restarted by the supervisor."
TEST_F(SupervisorTreeTest, OneForAllStartsAlsoAChildThatWasTerminatedByRequest) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll});
  Add(tree, "a");
  Worker b = Add(tree, "b");
  auto root = Start(tree);
  ASSERT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "a start", "b start"}));
  EXPECT_EQ(StateOf(root, "a"), ChildState::kRunning);
}

TEST_F(SupervisorTreeTest, AChildThatHasEndedAlreadyIsTerminatedWithSuccess) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.restart = Restart::kTransient});
  auto root = Start(tree);
  a.Send(Quit{});
  Run();
  EXPECT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  EXPECT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  EXPECT_EQ(StateOf(root, "a"), ChildState::kEnded);
}

TEST_F(SupervisorTreeTest, ATerminatedTemporaryChildIsForgotten) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.restart = Restart::kTemporary});
  auto root = Start(tree);
  EXPECT_TRUE(root.Ask(TerminateChild{a}).Wait().ok());
  Run();
  EXPECT_TRUE(Names(root).empty());
  EXPECT_TRUE(absl::IsNotFound(root.Ask(TerminateChild{a}).Wait()));
}

TEST_F(SupervisorTreeTest, ARestartOnRequestThatFailsTellsWhyAndTheChildStaysEnded) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto root = Start(tree);
  ASSERT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  FateOf("a").constructors_that_throw = 1;
  EXPECT_EQ(root.Ask(RestartChild{"a"}).Wait().status(), absl::InternalError("a cannot be made"));
  Run();
  EXPECT_EQ(StateOf(root, "a"), ChildState::kEnded);
  EXPECT_TRUE(root.Ask(RestartChild{"a"}).Wait().ok());
}

TEST_F(SupervisorTreeTest, OnlyAChildThatHasEndedCanBeRestartedOrDeleted) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.backoff = {.min = absl::Seconds(1)}});
  auto root = Start(tree);
  EXPECT_TRUE(absl::IsFailedPrecondition(root.Ask(RestartChild{"a"}).Wait().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(root.Ask(DeleteChild{"a"}).Wait()));
  MakeCrash(a);
  EXPECT_EQ(StateOf(root, "a"), ChildState::kRestarting);
  EXPECT_TRUE(absl::IsFailedPrecondition(root.Ask(RestartChild{"a"}).Wait().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(root.Ask(DeleteChild{"a"}).Wait()));
  ASSERT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  EXPECT_TRUE(root.Ask(DeleteChild{"a"}).Wait().ok());
  EXPECT_TRUE(Names(root).empty());
  EXPECT_TRUE(absl::IsNotFound(root.Ask(DeleteChild{"a"}).Wait()));
  EXPECT_TRUE(absl::IsNotFound(root.Ask(RestartChild{"a"}).Wait().status()));
  EXPECT_TRUE(absl::IsNotFound(root.Ask(TerminateChild{"a"}).Wait()));
}

TEST_F(SupervisorTreeTest, CountChildrenTellsSpecsActiveSupervisorsAndWorkers) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  Add(tree, "b");
  auto sub = tree.AddSupervisor({.name = "sub"});
  Add(sub, "c");
  auto root = Start(tree);
  ASSERT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  const ChildCounts counts = root.Ask(CountChildren{}).Wait().value();
  EXPECT_EQ(counts.specs, 3u);
  EXPECT_EQ(counts.active, 2u);
  EXPECT_EQ(counts.supervisors, 1u);
  EXPECT_EQ(counts.workers, 2u);
}

TEST_F(SupervisorTreeTest, WhichChildrenTellsWhoTheyAre) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a");
  auto sub = tree.AddSupervisor({.name = "sub"});
  auto root = Start(tree);
  const std::vector<ChildInfo> children = ChildrenOf(root);
  ASSERT_EQ(children.size(), 2u);
  EXPECT_EQ(children[0].name, "a");
  EXPECT_EQ(children[0].ref, AnyRef(a));
  EXPECT_EQ(children[0].type, "troupe::SupervisedWorker");
  EXPECT_EQ(children[0].state, ChildState::kRunning);
  EXPECT_FALSE(children[0].is_supervisor);
  EXPECT_EQ(children[1].ref, AnyRef(sub.ref()));
  EXPECT_TRUE(children[1].is_supervisor);
}

// ---- trees

TEST_F(SupervisorTreeTest, ASupervisorThatGivesUpIsMadeAnewByItsOwnAndRefsOfItsChildrenSurvive) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto sub = tree.AddSupervisor({.name = "sub"});
  Worker b = Add(sub, "b");
  Worker c = Add(sub, "c");
  Add(tree, "d");
  std::vector<Down>& downs = Watch(sub.ref());
  Start(tree);
  EXPECT_EQ(Written(), (Log{"a start", "b start", "c start", "d start"}));
  MakeCrash(b);
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "c stop", "c gone", "b start", "c start"}));
  EXPECT_TRUE(downs.empty());
  b.Send(Say{"hello"});
  c.Send(Say{"hello"});
  Run();
  EXPECT_EQ(Written(), (Log{"b hello", "c hello"}));
  MakeCrash(b);  // its supervisor counts from nought again
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "b start"}));
}

TEST_F(SupervisorTreeTest, FailuresEscalateToTheRootWhichFailsWithTheNameOfTheChild) {
  SupervisorTree tree(system_, {.intensity = 0});
  Add(tree, "a");
  auto sub = tree.AddSupervisor({.name = "sub"}, {.intensity = 0});
  Worker b = Add(sub, "b");
  std::vector<Down>& downs = Watch(tree.ref());
  std::vector<Down>& of_sub = Watch(sub.ref());
  Start(tree);
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "a stop", "a gone"}));
  ASSERT_EQ(downs.size(), 1u);
  const std::string why(downs[0].status.message());
  EXPECT_NE(why.find("\"sub\""), std::string::npos) << why;
  EXPECT_NE(why.find("\"b\""), std::string::npos) << why;
  EXPECT_NE(why.find("crash"), std::string::npos) << why;
  ASSERT_EQ(of_sub.size(), 1u);
  EXPECT_EQ(of_sub[0].reason, ExitReason::kFailed);
  EXPECT_EQ(system_.stats().live, 2u);  // the watchers
}

TEST_F(SupervisorTreeTest, OneForAllEndsAndStartsTheChildrenOfAChildSupervisorInOrder) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll});
  Worker a = Add(tree, "a");
  auto sub = tree.AddSupervisor({.name = "sub"});
  Worker b = Add(sub, "b");
  Add(sub, "c");
  Start(tree);
  Written();
  MakeCrash(a);
  EXPECT_EQ(Written(), (Log{"a stop", "a gone", "c stop", "c gone", "b stop", "b gone", "a start",
                            "b start", "c start"}));
  b.Send(Say{"hello"});
  Run();
  EXPECT_EQ(Written(), (Log{"b hello"}));
}

TEST_F(SupervisorTreeTest, ChildrenThatWereAddedLaterAreLostWhenTheirSupervisorIsMadeAnew) {
  SupervisorTree tree(system_);
  auto sub = tree.AddSupervisor({.name = "sub"}, {.intensity = 0});
  Worker a = Add(sub, "a");
  Start(tree);
  Worker later = sub.ref().Ask(Later("later")).Wait().value();
  std::vector<Down>& downs = Watch(later);
  MakeCrash(a);
  EXPECT_EQ(downs.size(), 1u);
  EXPECT_EQ(Names(sub.ref()), (Log{"a"}));
  EXPECT_EQ(a.Ask(Handled{}).Wait().value_or(-1), 0);
}

// A supervisor that shuts itself down exits with shutdown, which is normal for a transient child.
TEST_F(SupervisorTreeTest, ASupervisorThatShutsItselfDownIsMadeAnewOnlyIfItIsPermanent) {
  for (Restart restart : {Restart::kTransient, Restart::kPermanent}) {
    SupervisorTree tree(system_);
    auto sub = tree.AddSupervisor({.name = "sub", .restart = restart},
                                  {.auto_shutdown = AutoShutdown::kAnySignificant});
    Worker a = Add(sub, "a", {.restart = Restart::kTransient, .significant = true});
    auto root = Start(tree);
    Written();
    a.Send(Quit{});
    Run();
    if (restart == Restart::kPermanent) {
      EXPECT_EQ(Written(), (Log{"a stop", "a gone", "a start"}));
      EXPECT_EQ(StateOf(root, "sub"), ChildState::kRunning);
    } else {
      EXPECT_EQ(Written(), (Log{"a stop", "a gone"}));
      EXPECT_EQ(StateOf(root, "sub"), ChildState::kEnded);
    }
    root.Stop();
    Run();
    Written();
  }
}

// As supervisor.h says how one learns of it.
TEST_F(SupervisorTreeTest, ALastChildStartsWhenTheWholeTreeBeforeItHasStarted) {
  SupervisorTree tree(system_);
  auto sub = tree.AddSupervisor({.name = "sub"});
  Add(tree, "last");
  Add(sub, "a");
  auto subsub = sub.AddSupervisor({.name = "subsub"});
  Add(subsub, "b");
  auto root = Start(tree);
  EXPECT_EQ(Written(), (Log{"a start", "b start", "last start"}));
  for (const ChildInfo& child : ChildrenOf(root)) EXPECT_EQ(child.state, ChildState::kRunning);
}

// start_link is synchronous and returns the error. Start is not.
TEST_F(SupervisorTreeTest, StartDoesNotWaitAndWhoWatchesTheTreeLearnsThatAChildDidNotStart) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  Add(tree, "b");
  std::vector<Down>& downs = Watch(tree.ref());
  FateOf("b").starts_that_throw = 1;
  tree.Start();
  EXPECT_EQ(Written(), Log());
  Run();
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_NE(downs[0].status.message().find("b cannot start"), std::string::npos) << downs[0].status;
}

// "The effects of deleting a static child process is lost if the supervisor itself restarts."
TEST_F(SupervisorTreeTest, AChildThatWasDeletedIsThereAgainWhenItsSupervisorIsMadeAnew) {
  SupervisorTree tree(system_);
  auto sub = tree.AddSupervisor({.name = "sub"}, {.strategy = Strategy::kOneForAll});
  Add(sub, "x");
  Worker p = Add(sub, "p");
  Start(tree);
  ASSERT_TRUE(sub.ref().Ask(TerminateChild{"x"}).Wait().ok());
  ASSERT_TRUE(sub.ref().Ask(DeleteChild{"x"}).Wait().ok());
  Written();
  MakeCrash(p);
  EXPECT_EQ(Written(), (Log{"p stop", "p gone", "p start"}));  // not for a sibling's sake
  MakeCrash(p);
  EXPECT_EQ(Written(), (Log{"p stop", "p gone", "x start", "p start"}));
  EXPECT_EQ(Names(sub.ref()), (Log{"x", "p"}));
}

TEST_F(SupervisorTreeTest, ATemporaryChildThatHasEndedLivesAgainWhenItsSupervisorIsMadeAnew) {
  SupervisorTree tree(system_);
  auto sub = tree.AddSupervisor({.name = "sub"}, {.intensity = 0});
  Worker t = Add(sub, "t", {.restart = Restart::kTemporary});
  Worker p = Add(sub, "p");
  Start(tree);
  t.Send(Quit{});
  Run();
  EXPECT_EQ(Names(sub.ref()), (Log{"p"}));
  EXPECT_EQ(sub.ref().Ask(CountChildren{}).Wait().value().specs, 1u);
  EXPECT_TRUE(absl::IsNotFound(sub.ref().Ask(GetChildOptions{"t"}).Wait().status()));
  Written();
  MakeCrash(p);
  EXPECT_EQ(Written(), (Log{"p stop", "p gone", "t start", "p start"}));
}

TEST_F(SupervisorTreeTest, AnAddedChildIsLostWhenItsSupervisorIsMadeAnewAlsoIfItHadEnded) {
  SupervisorTree tree(system_);
  auto sub = tree.AddSupervisor({.name = "sub"}, {.intensity = 0});
  Worker t = Add(sub, "t", {.restart = Restart::kTemporary});
  Worker p = Add(sub, "p");
  Start(tree);
  t.Send(Quit{});
  Run();
  ASSERT_TRUE(sub.ref().Ask(Later("t")).Wait().ok());  // the name is free
  ASSERT_TRUE(sub.ref().Ask(Later("ended")).Wait().ok());
  ASSERT_TRUE(sub.ref().Ask(TerminateChild{"ended"}).Wait().ok());
  EXPECT_EQ(Names(sub.ref()), (Log{"p", "t", "ended"}));
  MakeCrash(p);
  EXPECT_EQ(Names(sub.ref()), (Log{"t", "p"}));
}

TEST_F(SupervisorTreeTest, ATerminatedSupervisorIsRestartedWithAllItsChildren) {
  SupervisorTree tree(system_);
  auto sub = tree.AddSupervisor({.name = "sub"});
  Add(sub, "a");
  auto subsub = sub.AddSupervisor({.name = "subsub"});
  Add(subsub, "b");
  auto root = Start(tree);
  Written();
  ASSERT_TRUE(root.Ask(TerminateChild{"sub"}).Wait().ok());
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "a stop", "a gone"}));
  auto again = root.Ask(RestartChild{"sub"}).Wait();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Written(), (Log{"a start", "b start"}));
  EXPECT_EQ(Names(*again->As<Supervisor>()), (Log{"a", "subsub"}));
  root.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

}  // namespace
}  // namespace troupe
