// What OTP's documentation of supervisors says, sentence by sentence, and what is Troupe's own.
#include "troupe/actors/supervisor.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "tests/actors/supervised_worker.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using Worker = ActorRef<SupervisedWorker>;

// Keeps what it hears of those it watches.
struct WatchIt {
  AnyRef who;
};
class Watcher {
 public:
  explicit Watcher(std::vector<Down>& downs) : downs_(downs) {}
  void On(WatchIt m, Context& self) { self.Watch(m.who); }
  void On(Down down) { downs_.push_back(std::move(down)); }

 private:
  std::vector<Down>& downs_;
};

class SupervisorTest : public Simulated {
 protected:
  Worker Add(SupervisorTree& tree, const std::string& name, ChildOptions options = {}) {
    options.name = name;
    return tree.Add<SupervisedWorker>(options, name, std::ref(log_), std::ref(FateOf(name)));
  }
  StartChild<SupervisedWorker> Later(const std::string& name, ChildOptions options = {}) {
    options.name = name;
    return StartChild<SupervisedWorker>(options, name, std::ref(log_), std::ref(FateOf(name)));
  }
  Fate& FateOf(const std::string& name) {
    for (auto& [known, fate] : fates_) {
      if (known == name) return fate;
    }
    return fates_.emplace_back(name, Keep<Fate>()).second;
  }
  ActorRef<Supervisor> Start(SupervisorTree& tree) {
    auto root = tree.Start();
    Run();
    return root;
  }
  void MakeCrash(Worker worker) {
    worker.Send(Crash{});
    Run();
  }
  std::vector<Down>& Watch(const AnyRef& who) {
    auto& downs = Keep<std::vector<Down>>();
    system_.Spawn<Watcher>(downs).Send(WatchIt{who});
    Run();
    return downs;
  }
  Log Written() { return std::exchange(log_, {}); }
  static std::vector<ChildInfo> ChildrenOf(ActorRef<Supervisor> supervisor) {
    return supervisor.Ask(WhichChildren{}).Wait().value();
  }
  static std::vector<std::string> Names(ActorRef<Supervisor> supervisor) {
    std::vector<std::string> names;
    for (const ChildInfo& child : ChildrenOf(supervisor)) {
      names.push_back(child.name);
    }
    return names;
  }
  static ChildState StateOf(ActorRef<Supervisor> supervisor, const std::string& name) {
    for (const ChildInfo& child : ChildrenOf(supervisor)) {
      if (child.name == name) return child.state;
    }
    ADD_FAILURE() << "no child " << name;
    return ChildState::kEnded;
  }

  Log& log_ = Keep<Log>();

 private:
  struct Named {
    std::string first;
    Fate& second;
    Named(std::string n, Fate& f) : first(std::move(n)), second(f) {}
  };
  std::vector<Named> fates_;
};

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
  Written();
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"b stop", "b gone", "a start", "b start"}));
  EXPECT_EQ(StateOf(root, "a"), ChildState::kRunning);
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

// ---- intensity and period

TEST_F(SupervisorTest, MoreRestartsThanIntensityInThePeriodEndTheChildrenAndThenTheSupervisor) {
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

TEST_F(SupervisorTest, RestartsBeforeThePeriodDoNotCount) {
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

TEST_F(SupervisorTest, AnIntensityOfZeroAllowsNoRestart) {
  SupervisorTree tree(system_, {.intensity = 0});
  Worker a = Add(tree, "a");
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  MakeCrash(a);
  EXPECT_EQ(downs.size(), 1u);
}

TEST_F(SupervisorTest, TheDefaultIsOneRestartInFiveSeconds) {
  const SupervisorOptions options;
  EXPECT_EQ(options.intensity, 1);
  EXPECT_EQ(options.period, absl::Seconds(5));
  EXPECT_EQ(options.strategy, Strategy::kOneForOne);
  EXPECT_EQ(options.auto_shutdown, AutoShutdown::kNever);
  EXPECT_EQ(ChildOptions().restart, Restart::kPermanent);
}

TEST_F(SupervisorTest, ARestartOfAllCountsOnce) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll, .intensity = 1});
  Worker a = Add(tree, "a");
  for (const char* name : {"b", "c", "d"}) Add(tree, name);
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  MakeCrash(a);
  EXPECT_TRUE(downs.empty());
}

TEST_F(SupervisorTest, ARestartThatFailsIsTriedAgainAndCounts) {
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

// ---- shutdown

// In a handler that the test leaves by advancing time: the scheduler is turned inside it.
struct Hold {
  absl::Duration for_how_long;
};

TEST_F(SupervisorTest, AChildThatDoesNotEndByItsDeadlineHoldsUpNoSibling) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto stuck = tree.Add({.name = "stuck", .shutdown = absl::Seconds(2)}, [this](Hold hold) {
    loop_.Advance(hold.for_how_long);
    log_.push_back("stuck returns");
  });
  auto root = Start(tree);
  Written();
  system_.SendAfter(absl::Seconds(1), system_.Spawn([root](Quit) { root.Stop(); }), Quit{});
  std::vector<Down>& downs = Watch(root);
  stuck.Send(Hold{absl::Seconds(10)});
  system_.SendAfter(absl::Milliseconds(2900),
                    system_.Spawn([this](Quit) { log_.push_back("2.9 s"); }), Quit{});
  system_.SendAfter(absl::Milliseconds(3100),
                    system_.Spawn([this](Quit) { log_.push_back("3.1 s"); }), Quit{});
  Run();
  EXPECT_EQ(Written(), (Log{"2.9 s", "a stop", "a gone", "3.1 s", "stuck returns"}));
  EXPECT_EQ(downs.size(), 1u);  // but the supervisor ends after its last child
}

TEST_F(SupervisorTest, AShutdownOfZeroDoesNotWait) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto stuck = tree.Add({.name = "stuck", .shutdown = absl::ZeroDuration()}, [this](Hold hold) {
    loop_.Advance(hold.for_how_long);
    log_.push_back("stuck returns");
  });
  auto root = Start(tree);
  Written();
  system_.SendAfter(absl::Seconds(1), system_.Spawn([root](Quit) { root.Stop(); }), Quit{});
  stuck.Send(Hold{absl::Seconds(10)});
  Run();
  EXPECT_EQ(Written(), (Log{"a stop", "a gone", "stuck returns"}));
}

TEST_F(SupervisorTest, AnInfiniteShutdownWaitsForAsLongAsItTakes) {
  SupervisorTree tree(system_);
  Add(tree, "a");
  auto stuck = tree.Add({.name = "stuck", .shutdown = absl::InfiniteDuration()}, [this](Hold hold) {
    loop_.Advance(hold.for_how_long);
    log_.push_back("stuck returns");
  });
  auto root = Start(tree);
  Written();
  system_.SendAfter(absl::Seconds(1), system_.Spawn([root](Quit) { root.Stop(); }), Quit{});
  stuck.Send(Hold{absl::Hours(10)});
  Run();
  EXPECT_EQ(Written(), (Log{"stuck returns", "a stop", "a gone"}));
}

// ---- significant children

TEST_F(SupervisorTest, AnySignificantChildThatEndsByItselfEndsTheSupervisor) {
  SupervisorTree tree(system_, {.auto_shutdown = AutoShutdown::kAnySignificant});
  Add(tree, "a");
  Worker b = Add(tree, "b", {.restart = Restart::kTransient, .significant = true});
  Worker c = Add(tree, "c", {.restart = Restart::kTransient, .significant = true});
  std::vector<Down>& downs = Watch(tree.ref());
  Start(tree);
  MakeCrash(b);
  EXPECT_TRUE(downs.empty());  // it is made anew
  c.Send(Quit{});
  Run();
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

// ---- requests

TEST_F(SupervisorTest, StartChildAddsAChildAndAnswersWithItsRef) {
  auto root = system_.Spawn<Supervisor>();
  Worker a = root.Ask(Later("a")).Wait().value();
  EXPECT_EQ(Written(), (Log{"a start"}));
  MakeCrash(a);
  EXPECT_EQ(Written(), (Log{"a stop", "a gone", "a start"}));
  root.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(SupervisorTest, StartChildRefusesANameThatIsTaken) {
  auto root = system_.Spawn<Supervisor>();
  ASSERT_TRUE(root.Ask(Later("a")).Wait().ok());
  EXPECT_TRUE(absl::IsAlreadyExists(root.Ask(Later("a")).Wait().status()));
  EXPECT_TRUE(root.Ask(Later("")).Wait().ok());
  EXPECT_TRUE(root.Ask(Later("")).Wait().ok());  // no name is no name
}

TEST_F(SupervisorTest, AChildThatCannotBeStartedLaterIsForgottenAndTheAskerToldWhy) {
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

TEST_F(SupervisorTest, ATerminatedChildStaysKnownAndCanBeRestarted) {
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

TEST_F(SupervisorTest, ATerminatedTemporaryChildIsForgotten) {
  SupervisorTree tree(system_);
  Worker a = Add(tree, "a", {.restart = Restart::kTemporary});
  auto root = Start(tree);
  EXPECT_TRUE(root.Ask(TerminateChild{a}).Wait().ok());
  Run();
  EXPECT_TRUE(Names(root).empty());
  EXPECT_TRUE(absl::IsNotFound(root.Ask(TerminateChild{a}).Wait()));
}

TEST_F(SupervisorTest, ARestartOnRequestThatFailsTellsWhyAndTheChildStaysEnded) {
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

TEST_F(SupervisorTest, OnlyAChildThatHasEndedCanBeRestartedOrDeleted) {
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

TEST_F(SupervisorTest, CountChildrenTellsSpecsActiveSupervisorsAndWorkers) {
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

TEST_F(SupervisorTest, WhichChildrenTellsWhoTheyAre) {
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

TEST_F(SupervisorTest, ASupervisorThatGivesUpIsMadeAnewByItsOwnAndRefsOfItsChildrenSurvive) {
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

TEST_F(SupervisorTest, FailuresEscalateToTheRootWhichFailsWithTheNameOfTheChild) {
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

TEST_F(SupervisorTest, OneForAllEndsAndStartsTheChildrenOfAChildSupervisorInOrder) {
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

TEST_F(SupervisorTest, ChildrenThatWereAddedLaterAreLostWhenTheirSupervisorIsMadeAnew) {
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

TEST_F(SupervisorTest, ATerminatedSupervisorIsRestartedWithAllItsChildren) {
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

// ---- what survives

TEST_F(SupervisorTest, MessagesAreKeptOverARestartInOrderAndTheOneBeingHandledIsLost) {
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

TEST_F(SupervisorTest, WhoAskedForWhatFailedIsToldSoAndOthersGetTheirAnswersLater) {
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

TEST_F(SupervisorTest, TheMailboxIsDroppedIfThatIsWanted) {
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

TEST_F(SupervisorTest, ABoundedMailboxStaysBoundedWhileItsActorWaits) {
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

TEST_F(SupervisorTest, TimersAsksWatchesAndChildrenEndWithTheLifeThatBeganThem) {
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

TEST_F(SupervisorTest, AnAnswerThatIsAlreadyInTheMailboxWhenALifeEndsIsDiscarded) {
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

TEST_F(SupervisorTest, AStopEndsATransientChildThatWaitsForItsNextLife) {
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

TEST_F(SupervisorTest, ATreeIsEndedWhileAChildWaitsForItsNextLife) {
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

TEST_F(SupervisorTest, AChildMayWatchASiblingAndHearsOfItsLastEndOnly) {
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

TEST_F(SupervisorTest, ABackoffDoublesUpToItsMaximumAndBeginsAnewAfterALongLife) {
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

TEST_F(SupervisorTest, JitterShortensABackoffByARandomPart) {
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

TEST_F(SupervisorTest, WithOneForOneASiblingIsMadeAnewWhileAnotherWaits) {
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

TEST_F(SupervisorTest, WithOneForAllAllWaitForTheBackoffOfTheOneThatFailed) {
  SupervisorTree tree(system_, {.strategy = Strategy::kOneForAll});
  Add(tree, "a");
  Worker b = Add(tree, "b", {.backoff = {.min = absl::Seconds(10), .jitter = 0}});
  Start(tree);
  MakeCrash(b);
  EXPECT_EQ(Written(), (Log{"a start", "b start", "b stop", "b gone", "a stop", "a gone"}));
  Advance(absl::Seconds(10));
  EXPECT_EQ(Written(), (Log{"a start", "b start"}));
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
