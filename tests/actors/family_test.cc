#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using FamilyTest = Simulated;

struct Grow {
  int levels;
};

class Parent {
 public:
  Parent(std::string name, Log& log) : name_(std::move(name)), log_(log) {}
  void On(Grow m, Context& self) {
    if (m.levels == 0) return;
    for (int i = 0; i < 2; ++i) {
      self.Spawn<Parent>(name_ + std::to_string(i), log_).Send(Grow{m.levels - 1});
    }
  }
  void On(Quit, Context& self) { self.Stop(); }
  void On(Say m) { throw std::runtime_error(m.text); }
  void OnStop() { log_.push_back(name_); }

 private:
  std::string name_;
  Log& log_;
};

bool IsBefore(const Log& log, const std::string& one, const std::string& other) {
  size_t at_one = log.size(), at_other = log.size();
  for (size_t i = 0; i < log.size(); ++i) {
    if (log[i] == one) at_one = i;
    if (log[i] == other) at_other = i;
  }
  return at_one < at_other && at_other < log.size();
}

TEST_F(FamilyTest, ChildrenEndBeforeTheirParentHoweverItEnds) {
  enum class How { kStop, kDrained, kSelf, kThrow, kShutdown };
  for (How how : {How::kStop, How::kDrained, How::kSelf, How::kThrow, How::kShutdown}) {
    Log& log = Keep<Log>();
    auto root = system_.Spawn<Parent>("r", log);
    root.Send(Grow{3});
    Run();
    ASSERT_EQ(system_.stats().live, 15u);
    switch (how) {
      case How::kStop:
        root.Stop();
        break;
      case How::kDrained:
        root.Stop(StopWhen::kDrained);
        break;
      case How::kSelf:
        root.Send(Quit{});
        break;
      case How::kThrow:
        root.Send(Say{"ouch"});
        break;
      case How::kShutdown:
        EXPECT_TRUE(system_.Shutdown(absl::Seconds(10)).complete);
        break;
    }
    Run();
    EXPECT_EQ(system_.stats().live, 0u);
    ASSERT_EQ(log.size(), 15u);
    for (const std::string& name : log) {
      if (name != "r") {
        EXPECT_TRUE(IsBefore(log, name, name.substr(0, name.size() - 1))) << name;
      }
    }
  }
}

TEST_F(FamilyTest, AChildMayEndByItselfAndItsParentLivesOn) {
  Log& log = Keep<Log>();
  auto root = system_.Spawn<Parent>("r", log);
  class Nursery {
   public:
    void On(Grow m, Context& self) {
      for (int i = 0; i < m.levels; ++i) {
        self.Spawn([](Quit, Context& child) { child.Stop(); }).Send(Quit{});
      }
    }
  };
  auto nursery = system_.Spawn<Nursery>();
  for (int i = 0; i < 50; ++i) {
    nursery.Send(Grow{20});
    Run();
  }
  EXPECT_EQ(system_.stats().live, 2u);
  nursery.Stop();
  root.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(FamilyTest, AHandlerThatMakesManyChildrenWhichEndAtOnceKeepsFewOfTheirCells) {
  std::set<const internal::ActorCell*> cells;
  auto nursery = system_.Spawn([this, &cells](Grow m, Context& self) {
    for (int i = 0; i < m.levels; ++i) {
      auto child = self.Spawn([](Quit, Context& child) { child.Stop(); });
      cells.insert(internal::ActorCell::Of(child));
      child.Send(Quit{});
      loop_.RunUntilIdle();
    }
  });
  nursery.Send(Grow{100'000});
  Run();
  EXPECT_EQ(system_.stats().ended, 100'000u);
  EXPECT_LE(cells.size(), 256u);
  nursery.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(FamilyTest, AParentMayStopAndReplaceAChildMidHandler) {
  Log& log = Keep<Log>();
  class Replacing {
   public:
    explicit Replacing(Log& log) : log_(log) {}
    void On(Grow, Context& self) {
      if (child_) child_.Stop();
      child_ = self.Spawn<Diarist>(std::to_string(++count_), log_);
    }

   private:
    Log& log_;
    int count_ = 0;
    ActorRef<Diarist> child_;
  };
  auto replacing = system_.Spawn<Replacing>(log);
  for (int i = 0; i < 3; ++i) replacing.Send(Grow{});
  Run();
  EXPECT_EQ(system_.stats().live, 2u);
  EXPECT_TRUE(IsBefore(log, "1 stop", "1 gone"));
  EXPECT_TRUE(IsBefore(log, "2 stop", "2 gone"));
}

TEST_F(FamilyTest, AChildSpawnedByAnActorThatHasStoppedItselfEndsWithIt) {
  Log& log = Keep<Log>();
  class Rash {
   public:
    explicit Rash(Log& log) : log_(log) {}
    void On(Quit, Context& self) {
      self.Stop();
      self.Spawn<Diarist>("child", log_);
    }
    void OnStop() { log_.push_back("parent stop"); }

   private:
    Log& log_;
  };
  system_.Spawn<Rash>(log).Send(Quit{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_TRUE(IsBefore(log, "child gone", "parent stop"));
}

TEST_F(FamilyTest, AChildSpawnedInOnStopEndsBeforeItsParentIsDestroyed) {
  Log& log = Keep<Log>();
  class Doting {
   public:
    explicit Doting(Log& log) : log_(log) {}
    void OnStop(Context& self) {
      log_.push_back("parent stop");
      self.Spawn<Diarist>("heir", log_);
    }
    void On(Quit, Context& self) { self.Stop(); }
    ~Doting() { log_.push_back("parent gone"); }

   private:
    Log& log_;
  };
  system_.Spawn<Doting>(log).Send(Quit{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
  EXPECT_EQ(log, (Log{"parent stop", "heir born", "heir start", "heir stop", "heir gone",
                      "parent gone"}));
}

TEST_F(FamilyTest, MessagesToAnActorThatWaitsForItsChildrenAreDeadLettersNotHandled) {
  Log& log = Keep<Log>();
  auto root = system_.Spawn<Parent>("r", log);
  root.Send(Grow{1});
  Run();
  root.Stop();
  EXPECT_TRUE(loop_.RunOne());  // it has told its children and waits
  root.Send(Say{"would throw"});
  Run();
  EXPECT_EQ(log.size(), 3u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

TEST_F(FamilyTest, AChildOfADeepFamilyEndsWithItsRoot) {
  class Nested {
   public:
    explicit Nested(int depth) : depth_(depth) {}
    void OnStart(Context& self) {
      if (depth_ > 0) self.Spawn<Nested>(depth_ - 1);
    }
    void On(Quit) {}

   private:
    int depth_;
  };
  auto root = system_.Spawn<Nested>(1000);
  Run();
  EXPECT_EQ(system_.stats().live, 1001u);
  root.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(FamilyTest, ChildrenMayHaveNamesAndBounds) {
  auto parent = system_.Spawn([](Quit, Context& self) {
    auto child =
        self.Spawn({.name = "child", .capacity = 1, .when_full = WhenFull::kFail}, [](Quit) {});
    child.Send(Quit{});
    EXPECT_EQ(child.Send(Quit{}), SendResult::kFull);
    EXPECT_THROW(self.Spawn({.capacity = 0}, [](Quit) {}), std::invalid_argument);
  });
  parent.Send(Quit{});
  EXPECT_TRUE(loop_.RunOne());
  std::vector<std::string> names;
  for (const ActorStats& actor : system_.actors()) names.push_back(actor.name);
  EXPECT_EQ(names.size(), 2u);
  EXPECT_TRUE(names[0] == "child" || names[1] == "child");
  Run();
  parent.Stop();
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

}  // namespace
}  // namespace troupe
