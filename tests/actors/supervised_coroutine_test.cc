// Handlers that are suspended when a life of their actor ends.
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
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/coroutine.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using SupervisedCoroutineTest = Simulated;

struct Get {
  using Reply = int;
};
class Slow {
 public:
  explicit Slow(std::vector<Reply<int>>& asked) : asked_(asked) {}
  void On(Get, Reply<int> reply) { asked_.push_back(std::move(reply)); }

 private:
  std::vector<Reply<int>>& asked_;
};

// Its handlers wait for a Get; so does its OnStart, if it is told to.
class Waiter {
 public:
  Waiter(Recipient<Get> from, Log& log, bool at_start)
      : from_(from), log_(log), at_start_(at_start) {}
  Task<> OnStart() {
    if (at_start_) (void)co_await from_.Ask(Get{});
    log_.push_back("started");
  }
  Task<int> On(Get) { co_return (co_await from_.Ask(Get{})).value_or(-1); }
  void On(Say m) { log_.push_back(m.text); }

 private:
  Recipient<Get> from_;
  Log& log_;
  bool at_start_;
};

TEST_F(SupervisedCoroutineTest, ASuspendedHandlerEndsWithTheLifeAndWhatWaitedBehindItDoesNot) {
  auto& asked = Keep<std::vector<Reply<int>>>();
  auto& log = Keep<Log>();
  auto slow = system_.Spawn<Slow>(asked);
  for (uint32_t capacity : {kUnbounded, 8u}) {
    SupervisorTree tree(system_);
    auto waiter = tree.Add<Waiter>({.actor = {.capacity = capacity}}, Recipient<Get>(slow),
                                   std::ref(log), false);
    tree.Start();
    std::vector<absl::StatusOr<int>>& answers = Keep<std::vector<absl::StatusOr<int>>>();
    auto asker = system_.Spawn([waiter, &answers](Quit, Context& self) {
      waiter.Ask(Get{}).Then(self, [&answers](absl::StatusOr<int> a) { answers.push_back(a); });
    });
    asker.Send(Quit{});
    Run();
    waiter.Send(Say{"waits"});
    Run();
    waiter.Stop();
    waiter.Send(Say{"waits, too"});
    Run();
    EXPECT_EQ(log, (Log{"started", "started", "waits", "waits, too"}));
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(absl::IsUnavailable(answers[0].status())) << answers[0].status();
    asked.back().Send(5);  // for a life that is over
    Run();
    EXPECT_EQ(answers.size(), 1u);
    log.clear();
    tree.ref().Stop();
    Run();
  }
}

TEST_F(SupervisedCoroutineTest, MessagesWaitForAnOnStartThatIsSuspendedInEveryLife) {
  auto& asked = Keep<std::vector<Reply<int>>>();
  auto& log = Keep<Log>();
  auto slow = system_.Spawn<Slow>(asked);
  SupervisorTree tree(system_);
  auto waiter = tree.Add<Waiter>({}, Recipient<Get>(slow), std::ref(log), true);
  waiter.Send(Say{"first"});
  tree.Start();
  Run();
  EXPECT_EQ(log, Log());
  waiter.Stop();
  Run();
  waiter.Send(Say{"second"});
  Run();
  EXPECT_EQ(log, Log());
  asked.back().Send(5);
  Run();
  EXPECT_EQ(log, (Log{"started", "first", "second"}));
}

// Stashes until its life ends, or sleeps.
class Stasher {
 public:
  explicit Stasher(Log& log) : log_(log) {}
  void On(Say m, Context& self) {
    m.text == "later" ? (void)stash_.Add(std::move(m), self) : log_.push_back(m.text);
  }
  void On(Quit, Context& self) { self.Stop(); }
  Task<int> On(Get) {
    co_await Sleep(absl::Seconds(1));
    log_.push_back("slept");
    co_return 1;
  }

 private:
  Log& log_;
  Stash<Stasher> stash_{10};
};

TEST_F(SupervisedCoroutineTest, WhatIsDroppedWithALifeIsForgottenByTheNext) {
  auto& log = Keep<Log>();
  SupervisorTree tree(system_);
  auto stasher = tree.Add<Stasher>({.mailbox = MailboxOnRestart::kDrop}, std::ref(log));
  tree.Start();
  stasher.Send(Say{"later"});
  Run();
  stasher.Send(Quit{});
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
  stasher.Send(Get{});  // suspends itself, and what comes then waits
  stasher.Send(Say{"hello"});
  Run();
  EXPECT_EQ(log, Log());
  Advance(absl::Seconds(1));
  EXPECT_EQ(log, (Log{"slept", "hello"}));
}

// ---- a supervised process

struct Crash {};
struct Ask {
  using Reply = int;
};
using Clerk = Process<Say, Crash, Ask>;

// In its first life it wants to crash, and passes over all else.
Task<> ClerkBody(Clerk& self, Log* log, int* lives) {
  if (++*lives == 1) {
    (void)co_await self.Receive<Crash>();
    throw std::runtime_error("crashed");
  }
  for (;;) log->push_back((co_await self.Receive<Say>()).message.text);
}

TEST_F(SupervisedCoroutineTest, AProcessLosesWhatItHasPassedOverAndNotWhatIsStillInItsMailbox) {
  for (const uint32_t capacity : {kUnbounded, 4u}) {
    const uint64_t stopped = LettersFor(DeadLetterReason::kStopped);
    auto& log = Keep<Log>();
    auto& answers = Keep<std::vector<absl::StatusOr<int>>>();
    SupervisorTree tree(system_);
    auto clerk = tree.Add<Clerk>({.actor = {.capacity = capacity, .when_full = WhenFull::kFail}},
                                 &ClerkBody, &log, &Keep<int>());
    tree.Start();
    Run();
    clerk.Send(Say{"passed over"});
    auto asker = system_.Spawn([clerk, &answers](Quit, Context& self) {
      clerk.Ask(Ask{}).Then(self, [&answers](absl::StatusOr<int> a) { answers.push_back(a); });
    });
    asker.Send(Quit{});
    Run();
    clerk.Send(Crash{});
    clerk.Send(Say{"waits"});
    Run();
    EXPECT_EQ(log, (Log{"waits"}));
    EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), stopped + 2);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(absl::IsUnavailable(answers[0].status())) << answers[0].status();
    // The room of what was lost is there again.
    for (int i = 0; i < 4; ++i) EXPECT_EQ(clerk.Send(Say{"after"}), SendResult::kQueued);
    Run();
    EXPECT_EQ(log.size(), 5u);
    tree.ref().Stop();
    Run();
  }
}

TEST_F(SupervisedCoroutineTest, AProcessThatLosesItsMailboxHasAllItsRoomAgain) {
  auto& log = Keep<Log>();
  SupervisorTree tree(system_);
  auto clerk = tree.Add<Clerk>(
      {.mailbox = MailboxOnRestart::kDrop, .actor = {.capacity = 4, .when_full = WhenFull::kFail}},
      &ClerkBody, &log, &Keep<int>());
  tree.Start();
  Run();
  clerk.Send(Crash{});
  for (int i = 0; i < 3; ++i) clerk.Send(Say{"lost"});
  Run();
  EXPECT_EQ(log, Log());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(clerk.Send(Say{"after"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(log.size(), 4u);
  tree.ref().Stop();
  Run();
}

}  // namespace
}  // namespace troupe
