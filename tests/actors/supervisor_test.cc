// What OTP's documentation of supervisors says, sentence by sentence, and what is Troupe's own.
// How often and how soon a child is made anew: supervisor_restart_test.cc. Requests and trees:
// supervisor_tree_test.cc.
#include "troupe/actors/supervisor.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/supervised.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using SupervisorTest = Supervised;

// ---- start and end

TEST_F(SupervisorTest, ChildrenAreStartedInTheOrderInWhichTheyWereAdded) {
  SupervisorTree tree(system_);
  for (const char* name : {"a", "b", "c"}) Add(tree, name);
  Run();
  EXPECT_EQ(Written(), Log());
  Start(tree);
  EXPECT_EQ(Written(), (Log{"a start", "b start", "c start"}));
}

TEST_F(SupervisorTest, AChildIsConstructedWhenTheOneBeforeItHasStarted) {
  struct Slow {
    explicit Slow(Log& log) : log(log) { log.push_back("slow born"); }
    void OnStart() { log.push_back("slow start"); }
    Log& log;
    void On(Quit) {}
  };
  struct Next {
    explicit Next(Log& log) { log.push_back("next born"); }
    void On(Quit) {}
  };
  SupervisorTree tree(system_);
  tree.Add<Slow>({}, std::ref(log_));
  tree.Add<Next>({}, std::ref(log_));
  Start(tree);
  EXPECT_EQ(Written(), (Log{"slow born", "slow start", "next born"}));
}

TEST_F(SupervisorTest, ChildrenAreEndedInReverseOrderOfTheirStart) {
  SupervisorTree tree(system_);
  for (const char* name : {"a", "b", "c"}) Add(tree, name);
  auto root = Start(tree);
  Written();
  root.Stop();
  Run();
  EXPECT_EQ(Written(), (Log{"c stop", "c gone", "b stop", "b gone", "a stop", "a gone"}));
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(SupervisorTest, HoweverTheSupervisorIsToldToEndItEndsItsChildrenInOrder) {
  const Log in_order{"b stop", "b gone", "a stop", "a gone"};
  for (bool drained : {false, true}) {
    SupervisorTree tree(system_);
    for (const char* name : {"a", "b"}) Add(tree, name);
    auto root = Start(tree);
    Written();
    root.Stop(drained ? StopWhen::kDrained : StopWhen::kNow);
    Run();
    EXPECT_EQ(Written(), in_order);
  }
  {
    auto parent = system_.Spawn([this](Quit, Context& self) {
      SupervisorTree tree(self);
      for (const char* name : {"a", "b"}) Add(tree, name);
      tree.Start();
    });
    parent.Send(Quit{});
    Run();
    Written();
    parent.Stop();
    Run();
    EXPECT_EQ(Written(), in_order);
  }
  SupervisorTree tree(system_);
  for (const char* name : {"a", "b"}) Add(tree, name);
  Start(tree);
  Written();
  EXPECT_TRUE(system_.Shutdown(absl::Seconds(10)).complete);
  EXPECT_EQ(Written(), in_order);
}

TEST_F(SupervisorTest, ATreeThatIsNotStartedEndsWithItsBuilder) {
  {
    SupervisorTree tree(system_);
    Add(tree, "a");
    auto sub = tree.AddSupervisor({.name = "sub"});
    Add(sub, "b");
  }
  Run();
  EXPECT_EQ(Written(), Log());
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(SupervisorTest, AShutdownEndsATreeThatHasNotBeenStarted) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a");
  // In a handler it begins and does not wait.
  system_.Spawn([this](Quit) { system_.Shutdown(absl::ZeroDuration()); }).Send(Quit{});
  Run();
  EXPECT_EQ(system_.stats().live, 2u);
  tree.Start();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_EQ(a.Send(Say{"hello"}), SendResult::kClosed);
}

TEST_F(SupervisorTest, AChildThatCannotBeStartedEndsThoseBeforeItAndItsSupervisor) {
  for (bool in_constructor : {true, false}) {
    SupervisorTree tree(system_);
    for (const char* name : {"a", "b", "c"}) Add(tree, name);
    (in_constructor ? FateOf("b").constructors_that_throw : FateOf("b").starts_that_throw) = 1;
    std::vector<Down>& downs = Watch(tree.ref());
    Start(tree);
    ASSERT_EQ(downs.size(), 1u);
    EXPECT_EQ(downs[0].reason, ExitReason::kFailed);
    EXPECT_NE(downs[0].status.message().find("\"b\" did not start"), std::string::npos)
        << downs[0].status;
    const Log written = Written();
    EXPECT_EQ(written.front(), "a start");
    EXPECT_EQ(written.back(), "a gone");
    EXPECT_EQ(std::count(written.begin(), written.end(), "c start"), 0);
  }
}

// ---- strategies

TEST_F(SupervisorTest, OneForOneMakesOnlyTheFailedChildAnew) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForOne});
  Add(tree, "a");
  Worker b = Add(tree, "b");
  Add(tree, "c");
  Start(tree);
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "b start"}));
}

TEST_F(SupervisorTest, OneForAllEndsAllInReverseOrderAndStartsAllInOrder) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll});
  Add(tree, "a");
  Worker b = Add(tree, "b");
  Add(tree, "c");
  Start(tree);
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "c stop", "c gone", "a stop", "a gone", "a start",
                            "b start", "c start"}));
}

TEST_F(SupervisorTest, RestForOneEndsAndStartsTheFailedChildAndThoseAfterIt) {
  SupervisorTree tree(system_, {.strategy = Strategy::kRestForOne});
  Add(tree, "a");
  Worker b = Add(tree, "b");
  Add(tree, "c");
  Add(tree, "d");
  Start(tree);
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "d stop", "d gone", "c stop", "c gone", "b start",
                            "c start", "d start"}));
}

TEST_F(SupervisorTest, OneForAllStartsAlsoATransientChildThatHadEndedNormally) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll});
  Worker a = Add(tree, "a", {.restart = Restart::kTransient});
  Worker b = Add(tree, "b");
  auto root = Start(tree);
  a.Send(Quit{});
  Run();
  EXPECT_EQ(StateOf(root, "a"), ChildState::kEnded);
  EXPECT_EQ(Written(), (Log{"a start", "b start", "a stop", "a gone"}));
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "a start", "b start"}));
  EXPECT_EQ(StateOf(root, "a"), ChildState::kRunning);
}

// "If a child process terminates and is to be restarted", all or the rest are: so not for one that is
// not to be.
TEST_F(SupervisorTest, AnEndThatIsFollowedByNoRestartConcernsNoSibling) {
  for (Strategy strategy : {Strategy::kOneForAll, Strategy::kRestForOne}) {
    SupervisorTree tree(system_, {.strategy = strategy, .intensity = 0});
    Worker transient = Add(tree, "transient", {.restart = Restart::kTransient});
    Worker quits = Add(tree, "quits", {.restart = Restart::kTemporary});
    Worker crashes = Add(tree, "crashes", {.restart = Restart::kTemporary});
    Add(tree, "last");
    auto root = Start(tree);
    Written();
    transient.Send(Quit{});
    Run();
    EXPECT_EQ(Written(), (Log{"transient stop", "transient gone"}));
    quits.Send(Quit{});
    Run();
    EXPECT_EQ(Written(), (Log{"quits stop", "quits gone"}));
    MakeCrash(crashes);
    EXPECT_EQ(Written(), (Log{"crashes stop", "crashes gone"}));
    EXPECT_EQ(StateOf(root, "last"), ChildState::kRunning);
    root.Stop();
    Run();
    Written();
  }
}

// ---- restart types

TEST_F(SupervisorTest, APermanentChildIsAlwaysMadeAnew) {
  SupervisorTree tree(system_, {.intensity = 10});
  Worker a = Add(tree, "a");
  Start(tree);
  Written();
  const Log again{"a stop", "a gone", "a start"};
  MakeCrash(a);
  EXPECT_EQ(Written(), again);
  a.Send(GiveUp{});
  Run();
  EXPECT_EQ(Written(), again);
  a.Send(Quit{});
  Run();
  EXPECT_EQ(Written(), again);
  a.Stop();
  Run();
  EXPECT_EQ(Written(), again);
  a.Stop(StopWhen::kDrained);
  Run();
  EXPECT_EQ(Written(), again);
}

TEST_F(SupervisorTest, ATransientChildIsMadeAnewOnlyAfterAFailure) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.restart = Restart::kTransient});
  auto root = Start(tree);
  Written();
  std::vector<Down>& downs = Watch(a);
  MakeCrash(a);
  EXPECT_EQ(Written(), (Log{"a stop", "a gone", "a start"}));
  EXPECT_TRUE(downs.empty());
  a.Send(Quit{});
  Run();
  EXPECT_EQ(Written(), (Log{"a stop", "a gone"}));
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kNormal);
  EXPECT_EQ(Names(root), (Log{"a"}));
  EXPECT_EQ(StateOf(root, "a"), ChildState::kEnded);
}

TEST_F(SupervisorTest, ATemporaryChildIsNeverMadeAnewAndIsForgotten) {
  SupervisorTree tree(system_, {.intensity = 0});
  Worker a = Add(tree, "a", {.restart = Restart::kTemporary});
  auto root = Start(tree);
  std::vector<Down>& downs = Watch(a);
  Written();
  MakeCrash(a);
  EXPECT_EQ(Written(), (Log{"a stop", "a gone"}));
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kFailed);
  EXPECT_EQ(downs[0].status, absl::InternalError("crash"));
  EXPECT_TRUE(Names(root).empty());
}

TEST_F(SupervisorTest, ATemporaryChildIsNotMadeAnewForASiblingsSake) {
  for (Strategy strategy : {Strategy::kOneForAll, Strategy::kRestForOne}) {
    SupervisorTree tree(system_, {.strategy = strategy});
    Worker a = Add(tree, "a");
    Add(tree, "b", {.restart = Restart::kTemporary});
    auto root = Start(tree);
    Written();
    MakeCrash(a);
    EXPECT_EQ(Written(), (Log{"a stop", "a gone", "b stop", "b gone", "a start"}));
    EXPECT_EQ(Names(root), (Log{"a"}));
    root.Stop();
    Run();
  }
}

// ---- shutdown

struct Hold {
  absl::Duration for_how_long;
};

class ShutdownTest : public Supervised {
 protected:
  // Is in a handler that the test leaves by advancing time: the scheduler is turned inside it.
  auto AddStuck(SupervisorTree& tree, std::optional<absl::Duration> shutdown) {
    return tree.Add({.name = "stuck", .shutdown = shutdown}, [this](Hold hold) {
      loop_.Advance(hold.for_how_long);
      log_.push_back("stuck returns");
    });
  }
  // From the moment at which all have started: when the root is told to end, and when what is noted.
  void StopAfterASecond(ActorRef<Supervisor> root) {
    Written();
    system_.SendAfter(absl::Seconds(1), system_.Spawn([root](Quit) { root.Stop(); }), Quit{});
  }
  void NoteAfter(absl::Duration delay) {
    auto clock = system_.Spawn([this](Say m) { log_.push_back(m.text); });
    system_.SendAfter(delay, clock, Say{absl::FormatDuration(delay)});
  }
};

TEST_F(ShutdownTest, AChildThatDoesNotEndByItsDeadlineHoldsUpNoSibling) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto stuck = AddStuck(tree, absl::Seconds(2));
  auto root = Start(tree);
  std::vector<Down>& downs = Watch(root);
  StopAfterASecond(root);
  NoteAfter(absl::Milliseconds(2900));
  NoteAfter(absl::Milliseconds(3100));
  stuck.Send(Hold{absl::Seconds(10)});
  Run();
  EXPECT_EQ(Written(), (Log{"2.9s", "a stop", "a gone", "3.1s", "stuck returns"}));
  EXPECT_EQ(downs.size(), 1u);  // but the supervisor ends after its last child
}

TEST_F(ShutdownTest, AShutdownOfZeroDoesNotWait) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto stuck = AddStuck(tree, absl::ZeroDuration());
  StopAfterASecond(Start(tree));
  stuck.Send(Hold{absl::Seconds(10)});
  Run();
  EXPECT_EQ(Written(), (Log{"a stop", "a gone", "stuck returns"}));
}

TEST_F(ShutdownTest, AnInfiniteShutdownWaitsForAsLongAsItTakes) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto stuck = AddStuck(tree, absl::InfiniteDuration());
  StopAfterASecond(Start(tree));
  stuck.Send(Hold{absl::Hours(10)});
  Run();
  EXPECT_EQ(Written(), (Log{"stuck returns", "a stop", "a gone"}));
}

// "Defaults to 5000 if the child is of type worker and it defaults to infinity if the child is of type
// supervisor."
TEST_F(ShutdownTest, AWorkerHasFiveSecondsToEndUnlessItIsToldOtherwise) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto stuck = AddStuck(tree, std::nullopt);
  StopAfterASecond(Start(tree));
  NoteAfter(absl::Milliseconds(5999));
  NoteAfter(absl::Milliseconds(6001));
  stuck.Send(Hold{absl::Seconds(10)});
  Run();
  EXPECT_EQ(Written(), (Log{"5.999s", "a stop", "a gone", "6.001s", "stuck returns"}));
}

TEST_F(ShutdownTest, ASupervisorHasForEverToEndUnlessItIsToldOtherwise) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto sub = tree.AddSupervisor({.name = "sub"});
  auto stuck = AddStuck(sub, absl::InfiniteDuration());
  StopAfterASecond(Start(tree));
  stuck.Send(Hold{absl::Hours(10)});
  Run();
  EXPECT_EQ(Written(), (Log{"stuck returns", "a stop", "a gone"}));
}

// ---- significant children

// "... automatically terminate itself ... the remaining children in reverse order".
TEST_F(SupervisorTest, AnySignificantChildThatEndsByItselfEndsTheOthersInReverseAndTheSupervisor) {
  SupervisorTree tree(system_, {.auto_shutdown = AutoShutdown::kAnySignificant});
  Add(tree, "a");
  Worker b = Add(tree, "b", {.restart = Restart::kTransient, .significant = true});
  Worker c = Add(tree, "c", {.restart = Restart::kTransient, .significant = true});
  Add(tree, "d");
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  MakeCrash(b);
  EXPECT_TRUE(downs.empty());  // it is made anew
  Written();
  c.Send(Quit{});
  Run();
  EXPECT_EQ(Written(),
            (Log{"c stop", "c gone", "d stop", "d gone", "b stop", "b gone", "a stop", "a gone"}));
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kNormal);
}

TEST_F(SupervisorTest, TheLastSignificantChildThatEndsByItselfEndsTheSupervisor) {
  SupervisorTree tree(system_, {.auto_shutdown = AutoShutdown::kAllSignificant});
  Add(tree, "a");
  Worker b = Add(tree, "b", {.restart = Restart::kTransient, .significant = true});
  Worker c = Add(tree, "c", {.restart = Restart::kTemporary, .significant = true});
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  b.Send(Quit{});
  Run();
  EXPECT_TRUE(downs.empty());
  MakeCrash(c);
  EXPECT_EQ(downs.size(), 1u);
}

TEST_F(SupervisorTest, ASignificantChildThatIsTerminatedByRequestDoesNotEndTheSupervisor) {
  SupervisorTree tree(system_, {.auto_shutdown = AutoShutdown::kAnySignificant});
  Add(tree, "a", {.restart = Restart::kTransient, .significant = true});
  auto root = Start(tree);
  EXPECT_TRUE(root.Ask(TerminateChild{"a"}).Wait().ok());
  Run();
  EXPECT_EQ(StateOf(root, "a"), ChildState::kEnded);
}

// "... automatic shutdown is not triggered ... when a significant child terminates because of the
// termination of a sibling."
TEST_F(SupervisorTest, ASignificantChildThatEndsForASiblingsSakeDoesNotEndTheSupervisor) {
  for (Strategy strategy : {Strategy::kOneForAll, Strategy::kRestForOne}) {
    SupervisorTree tree(system_,
                        {.strategy = strategy, .auto_shutdown = AutoShutdown::kAnySignificant});
    Worker a = Add(tree, "a");
    Add(tree, "b", {.restart = Restart::kTransient, .significant = true});
    Add(tree, "c", {.restart = Restart::kTemporary, .significant = true});
    auto root = Start(tree);
    Written();
    MakeCrash(a);
    EXPECT_EQ(Written(), (Log{"a stop", "a gone", "c stop", "c gone", "b stop", "b gone", "a start",
                              "b start"}));
    EXPECT_EQ(Names(root), (Log{"a", "b"}));
    root.Stop();
    Run();
    Written();
  }
}

// "For temporary children ... any termination", for transient ones a normal one.
TEST_F(SupervisorTest, ASignificantTemporaryChildThatFailsEndsTheSupervisorToo) {
  SupervisorTree tree(system_, {.auto_shutdown = AutoShutdown::kAnySignificant});
  Worker a = Add(tree, "a", {.restart = Restart::kTemporary, .significant = true});
  Add(tree, "b", {.restart = Restart::kTemporary, .significant = true});
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  MakeCrash(a);
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].reason, ExitReason::kNormal);
}

// ---- mistakes

TEST_F(SupervisorTest, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(SupervisorTree(system_, {.intensity = -1}), std::invalid_argument);
  EXPECT_THROW(SupervisorTree(system_, {.period = absl::ZeroDuration()}), std::invalid_argument);
  SupervisorTree tree(system_, {.auto_shutdown = AutoShutdown::kAnySignificant});
  Add(tree, "a");
  EXPECT_THROW(Add(tree, "a"), std::invalid_argument);
  EXPECT_THROW(Add(tree, "b", {.significant = true}), std::invalid_argument);
  EXPECT_THROW(Add(tree, "b", {.actor = {.capacity = 0}}), std::invalid_argument);
  EXPECT_THROW(Add(tree, "b", {.backoff = {.jitter = 2}}), std::invalid_argument);
  auto root = Start(tree);
  EXPECT_THROW(Add(tree, "b"), std::logic_error);
  EXPECT_THROW(tree.Start(), std::logic_error);
  EXPECT_EQ(Names(root), (Log{"a"}));
  SupervisorTree never(system_);
  EXPECT_THROW(Add(never, "b", {.restart = Restart::kTransient, .significant = true}),
               std::invalid_argument);
}

TEST_F(SupervisorTest, WhileTheSystemShutsDownATreeIsNobodys) {
  EXPECT_TRUE(system_.Shutdown(absl::Seconds(1)).complete);
  SupervisorTree tree(system_);
  EXPECT_FALSE(Add(tree, "a"));
  auto sub = tree.AddSupervisor({});
  EXPECT_FALSE(Add(sub, "b"));
  EXPECT_FALSE(tree.Start());
}

TEST_F(SupervisorTest, AFunctionIsAChildToo) {
  SupervisorTree tree(system_);
  auto counter = tree.Add({.name = "counter"}, [n = 0](Handled) mutable {
    if (++n == 3) throw std::runtime_error("three");
    return n;
  });
  Start(tree);
  EXPECT_EQ(counter.Ask(Handled{}).Wait().value_or(-1), 1);
  EXPECT_EQ(counter.Ask(Handled{}).Wait().value_or(-1), 2);
  EXPECT_TRUE(absl::IsInternal(counter.Ask(Handled{}).Wait().status()));
  EXPECT_EQ(counter.Ask(Handled{}).Wait().value_or(-1), 1);
}

}  // namespace
}  // namespace troupe
