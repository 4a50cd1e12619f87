// State machines whose handlers are coroutines.

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Dial {};
struct HangUp {};
struct Speak {
  std::string text;
};
struct Who {
  using Reply = std::string;
};
struct Meddle {};
struct Answer {
  using Reply = int;
};

struct Idle {};
struct Talking {
  int line = 0;
  absl::Duration timeout = absl::Minutes(10);
};

class Phone {
 public:
  Phone(Recipient<Answer> other, Log& log) : other_(other), log_(log) {}

  void OnExit(Idle&) { log_.push_back("exit idle"); }
  void OnEnter(Talking& now) { log_.push_back("enter talking on " + std::to_string(now.line)); }
  void OnExit(Talking&) { log_.push_back("exit talking"); }

  Task<Talking> On(Idle&, Dial) {
    log_.push_back("dials");
    auto line = co_await other_.Ask(Answer{}, absl::Minutes(1));
    log_.push_back("answered");
    co_return Talking{.line = line.value_or(-1)};
  }
  Postponed On(Idle&, const Speak&);
  Task<> On(Talking& now, Speak m) {
    co_await Sleep(absl::Seconds(1));
    log_.push_back(m.text + " on " + std::to_string(now.line));  // the state has stayed
  }
  Task<std::string> On(const Talking& now, Who, Context& self) {
    co_await Sleep(absl::Seconds(1));
    co_return std::to_string(now.line) + (self.self() == self.ref(this) ? "" : "?");
  }
  Idle On(Talking&, HangUp) { return {}; }
  Idle On(Talking&, StateTimeout) { return {}; }

  // A continuation that comes while a handler is suspended.
  void On(Meddle, Context& self) {
    other_.Ask(Answer{}).Then(self, [this](absl::StatusOr<int>, Context& self) {
      try {
        state.Become(Idle{}, self);
        log_.push_back("meddled");
      } catch (const std::logic_error&) {
        log_.push_back("refused");
      }
    });
  }

  StateMachine<Idle, Talking> state;

 private:
  Recipient<Answer> other_;
  Log& log_;
};

// Answers after a second.
struct Slow {
  Task<int> On(Answer) {
    co_await Sleep(absl::Seconds(1));
    co_return 7;
  }
};

class StateCoroutineTest : public Simulated {
 protected:
  Log TakeLog() { return std::exchange(log_, {}); }

  Log& log_ = Keep<Log>();
  ActorRef<Phone> phone_ = system_.Spawn<Phone>(system_.Spawn<Slow>(), log_);
};

TEST_F(StateCoroutineTest, ACoroutineGoesToTheStateItReturnsWhenItEnds) {
  phone_.Send(Dial{});
  Run();
  EXPECT_EQ(TakeLog(), Log{"dials"});
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(), (Log{"answered", "exit idle", "enter talking on 7"}));
}

TEST_F(StateCoroutineTest, MessagesWaitForItAndFindTheNewState) {
  phone_.Send(Dial{});
  phone_.Send(HangUp{});
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(),
            (Log{"dials", "answered", "exit idle", "enter talking on 7", "exit talking"}));
  EXPECT_TRUE(letters_.empty());
}

TEST_F(StateCoroutineTest, WhatWasPostponedComesBeforeWhatWaitedForTheCoroutine) {
  phone_.Send(Speak{"first"});
  phone_.Send(Dial{});
  phone_.Send(Speak{"second"});
  Run();
  phone_.Send(Speak{"third"});
  Advance(absl::Seconds(10));
  EXPECT_EQ(TakeLog(), (Log{"dials", "answered", "exit idle", "enter talking on 7", "first on 7",
                            "second on 7", "third on 7"}));
}

TEST_F(StateCoroutineTest, ACoroutineAnswersAndItsStateStaysMeanwhile) {
  phone_.Send(Dial{});
  Advance(absl::Seconds(1));
  TakeLog();
  auto asker = system_.Spawn([this](Dial, Context& self) {
    phone_.Ask(Who{}).Then(
        self, [this](absl::StatusOr<std::string> r) { log_.push_back(r.value_or("nobody")); });
  });
  asker.Send(Dial{});
  Run();
  phone_.Send(HangUp{});
  Run();
  EXPECT_EQ(TakeLog(), Log{});
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(), (Log{"exit talking", "7"}));
}

TEST_F(StateCoroutineTest, WhileAHandlerIsSuspendedNobodyLeavesItsState) {
  phone_.Send(Dial{});
  Advance(absl::Seconds(1));
  TakeLog();
  phone_.Send(Meddle{});
  Advance(absl::Milliseconds(500));
  phone_.Send(Speak{"hello"});  // is suspended when the answer comes
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(), (Log{"refused", "hello on 7"}));
  phone_.Send(Meddle{});
  Advance(absl::Seconds(1));
  EXPECT_EQ(TakeLog(), (Log{"exit talking", "meddled"}));
}

TEST_F(StateCoroutineTest, ATimeoutWaitsForTheHandlerThatIsSuspended) {
  phone_.Send(Dial{});
  Advance(absl::Seconds(1));
  TakeLog();
  Advance(absl::Minutes(10) - absl::Milliseconds(500));
  phone_.Send(Speak{"last words"});
  Advance(absl::Milliseconds(500));
  EXPECT_EQ(TakeLog(), Log{});
  Advance(absl::Milliseconds(500));
  EXPECT_EQ(TakeLog(), (Log{"last words on 7", "exit talking"}));
}

TEST_F(StateCoroutineTest, AnActorThatEndsWhileItsHandlerIsSuspendedGoesNowhere) {
  phone_.Send(Speak{"first"});
  phone_.Send(Dial{});
  Run();
  phone_.Stop();
  Run();
  Advance(absl::Seconds(5));
  EXPECT_EQ(TakeLog(), Log{"dials"});
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

}  // namespace
}  // namespace troupe
