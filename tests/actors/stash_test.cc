// What a stash promises: order, asks, capacity, and what becomes of it at the end.

#include "troupe/actors/stash.h"

#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Paper {};
struct Print {
  int page;
};
struct Parcel {  // move-only
  std::unique_ptr<int> page;
};
struct Pages {
  using Reply = int;
  int page;
};
struct Jam {};

// Prints one page for each sheet of paper; what comes meanwhile is stashed.
class Printer {
 public:
  explicit Printer(Log& log, uint32_t capacity = 10) : log_(log), stash_(capacity) {}

  void On(Print m, Context& self) {
    if (sheets_ == 0) {
      if (!stash_.Add(m, self)) log_.push_back("full");
      return;
    }
    --sheets_;
    log_.push_back(std::to_string(m.page) + (self.sender() ? " of somebody" : ""));
  }
  void On(Parcel m, Context& self) {
    if (sheets_ == 0) return (void)stash_.Add(std::move(m), self);
    --sheets_;
    log_.push_back("parcel " + std::to_string(*m.page));
  }
  void On(Pages m, Reply<int> reply, Context& self) {
    if (sheets_ == 0) return (void)stash_.Add(m, std::move(reply), self);
    --sheets_;
    reply.Send(m.page);
  }
  void On(Paper, Context& self) {
    ++sheets_;
    stash_.PutBack(self);
  }
  void On(Jam) { throw std::runtime_error("jam"); }

 private:
  Log& log_;
  int sheets_ = 0;
  Stash<Printer> stash_;
};

class StashTest : public Simulated {
 protected:
  Log TakeLog() { return std::exchange(log_, {}); }

  Log& log_ = Keep<Log>();
};

TEST_F(StashTest, WhatIsPutBackComesInOrderAndBeforeWhatCameLater) {
  auto printer = system_.Spawn<Printer>(log_);
  printer.Send(Print{1});
  printer.Send(Parcel{std::make_unique<int>(2)});
  printer.Send(Print{3});
  for (int i = 0; i < 4; ++i) printer.Send(Paper{});
  printer.Send(Print{4});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"1", "parcel 2", "3", "4"}));
}

TEST_F(StashTest, WhatIsStashedAgainKeepsItsPlace) {
  auto printer = system_.Spawn<Printer>(log_);
  for (int page = 1; page <= 3; ++page) printer.Send(Print{page});
  Run();
  for (int page = 1; page <= 3; ++page) {
    printer.Send(Paper{});
    Run();
    EXPECT_EQ(TakeLog(), Log{std::to_string(page)});
  }
}

TEST_F(StashTest, TheSenderStaysTheSender) {
  auto printer = system_.Spawn<Printer>(log_);
  system_.Spawn([printer](Print m) { printer.Send(m); }).Send(Print{1});
  printer.Send(Print{2});
  Run();
  printer.Send(Paper{});
  printer.Send(Paper{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"2", "1 of somebody"}));
}

TEST_F(StashTest, WhatIsStashedCountsAsQueued) {
  auto printer = system_.Spawn<Printer>(log_);
  printer.Send(Print{1});
  printer.Send(Print{2});
  Run();
  EXPECT_EQ(system_.actors().at(0).queued, 2u);
  printer.Send(Paper{});
  Run();
  EXPECT_EQ(system_.actors().at(0).queued, 1u);
}

TEST_F(StashTest, AStashedMessageTakesNoRoomInABoundedMailbox) {
  auto printer = system_.Spawn<Printer>({.capacity = 1, .when_full = WhenFull::kFail}, log_);
  for (int page = 1; page <= 3; ++page) {
    EXPECT_EQ(printer.Send(Print{page}), SendResult::kQueued);
    Run();
  }
  printer.Send(Paper{});
  Run();
  EXPECT_EQ(TakeLog(), Log{"1"});
}

TEST_F(StashTest, AFullStashSaysSoAndTheMessageIsADeadLetter) {
  auto printer = system_.Spawn<Printer>(log_, 2u);
  for (int page = 1; page <= 3; ++page) printer.Send(Print{page});
  Run();
  EXPECT_EQ(TakeLog(), Log{"full"});
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ(letters_[0].reason, DeadLetterReason::kFull);
  EXPECT_EQ(letters_[0].target, printer);
  printer.Send(Paper{});
  printer.Send(Paper{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"1", "2"}));
}

TEST_F(StashTest, ACapacityOfZeroIsRefused) {
  EXPECT_THROW(system_.Spawn<Printer>(log_, 0u), std::invalid_argument);
}

// ---- asks

struct Go {};
class Asker {
 public:
  Asker(ActorRef<Printer> printer, Log& log) : printer_(printer), log_(log) {}
  void On(Go, Context& self) {
    printer_.Ask(Pages{5}, absl::Seconds(1)).Then(self, [this](absl::StatusOr<int> pages) {
      log_.push_back(pages.ok() ? "printed " + std::to_string(*pages)
                                : std::string(absl::StatusCodeToString(pages.status().code())));
    });
  }

 private:
  ActorRef<Printer> printer_;
  Log& log_;
};

TEST_F(StashTest, AnAskKeepsItsReply) {
  auto printer = system_.Spawn<Printer>(log_);
  system_.Spawn<Asker>(printer, log_).Send(Go{});
  Run();
  printer.Send(Paper{});
  Run();
  EXPECT_EQ(TakeLog(), Log{"printed 5"});
}

TEST_F(StashTest, AnAskKeepsItsDeadlineAndIsNotHandledAfterIt) {
  auto printer = system_.Spawn<Printer>(log_);
  system_.Spawn<Asker>(printer, log_).Send(Go{});
  Run();
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(), Log{"DEADLINE_EXCEEDED"});
  printer.Send(Paper{});
  printer.Send(Print{6});
  Run();
  EXPECT_EQ(TakeLog(), Log{"6"});  // the sheet was not used
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

TEST_F(StashTest, WhoAsksAFullStashIsToldSo) {
  auto printer = system_.Spawn<Printer>(log_, 1u);
  printer.Send(Print{1});
  system_.Spawn<Asker>(printer, log_).Send(Go{});
  Run();
  EXPECT_EQ(TakeLog(), Log{"RESOURCE_EXHAUSTED"});
}

// ---- the end

TEST_F(StashTest, WhatIsStashedWhenTheActorStopsAreDeadLettersAndWhoAskedIsTold) {
  auto printer = system_.Spawn<Printer>(log_);
  printer.Send(Print{1});
  system_.Spawn<Asker>(printer, log_).Send(Go{});
  Run();
  printer.Stop();
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 2u);
  EXPECT_EQ(TakeLog(), Log{"UNAVAILABLE"});
}

TEST_F(StashTest, WhatIsStashedIsNotWaitedForWhenDrained) {
  auto printer = system_.Spawn<Printer>(log_);
  printer.Send(Print{1});
  printer.Stop(StopWhen::kDrained);
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

TEST_F(StashTest, ASupervisedActorFindsInItsNextLifeWhatItHadStashed) {
  SupervisorTree tree(system_);
  auto printer = tree.Add<Printer>({}, std::ref(log_));  // MailboxOnRestart::kKeep
  tree.Start();
  printer.Send(Print{1});
  printer.Send(Jam{});
  printer.Send(Print{2});
  Run();
  EXPECT_EQ(TakeLog(), Log{});
  printer.Send(Paper{});
  printer.Send(Paper{});
  Run();
  EXPECT_EQ(TakeLog(), (Log{"1", "2"}));
  EXPECT_TRUE(letters_.empty());
}

// The only worker is in a handler that does not return.
TEST(StashShutdownTest, WhatAnActorThatCouldNotEndHasStashedGoesWithTheSystem) {
  std::latch stuck(1), release(1), gone(1);
  struct Hold {
    std::shared_ptr<std::latch> content;
  };
  struct Keeper {
    explicit Keeper(int) {}
    void On(Hold m, Context& self) { stash.Add(std::move(m), self); }
    Stash<Keeper> stash{1};
  };
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    auto keeper = system.Spawn<Keeper>(1);
    keeper.Send(Hold{std::shared_ptr<std::latch>(&gone, [](std::latch* l) { l->count_down(); })});
    system
        .Spawn([&](Go) {
          stuck.count_down();
          release.wait();
        })
        .Send(Go{});
    stuck.wait();
  }
  release.count_down();
  gone.wait();
}

}  // namespace
}  // namespace troupe
