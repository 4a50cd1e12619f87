#include "troupe/actors/coroutine.h"

#include <cstdint>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/core/node_pool.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using Notes = std::vector<std::string>;

// Answers when the test says so.
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

struct Note {
  std::string text;
};
struct Go {};
struct Sum {
  using Reply = int;
};

class CoroutineTest : public Simulated {
 protected:
  void Answer(int with, size_t which = 0) {
    asked_.at(which).Send(with);
    Run();
  }
  int AskedAndWaiting() const {
    int waiting = 0;
    for (const Reply<int>& reply : asked_) waiting += static_cast<bool>(reply);
    return waiting;
  }

  std::vector<Reply<int>>& asked_ = Keep<std::vector<Reply<int>>>();
  Notes& notes_ = Keep<Notes>();
  ActorRef<Slow> slow_ = system_.Spawn<Slow>(asked_);
};

// Notes what it does; its handler of Go waits for a Get.
class Waiter {
 public:
  Waiter(Recipient<Get> from, Notes& notes) : from_(from), notes_(notes) {}
  Task<> On(Go) {
    notes_.push_back("asks");
    absl::StatusOr<int> got = co_await from_.Ask(Get{});
    notes_.push_back(got.ok() ? "got " + std::to_string(*got) : got.status().ToString());
  }
  void On(Note note) { notes_.push_back(note.text); }

 private:
  Recipient<Get> from_;
  Notes& notes_;
};

class Adder {
 public:
  explicit Adder(std::vector<Recipient<Get>> from) : from_(std::move(from)) {}
  Task<int> On(Sum) {
    int sum = 0;
    for (auto& who : from_) sum += (co_await who.Ask(Get{})).value_or(1000);
    co_return sum;
  }

 private:
  std::vector<Recipient<Get>> from_;
};

// ---- asks

TEST_F(CoroutineTest, AHandlerAwaitsAskAfterAskAndAnswers) {
  auto seven = system_.Spawn([](Get) { return 7; });
  auto adder = system_.Spawn<Adder>(std::vector<Recipient<Get>>{seven, seven, seven});
  EXPECT_EQ(adder.Ask(Sum{}).Wait().value_or(-1), 21);
}

TEST_F(CoroutineTest, AnAnswerThatWillNotComeIsAnErrorAtOnce) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  auto waiter = system_.Spawn<Waiter>(ended, notes_);
  waiter.Send(Go{});
  Run();
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[1].rfind("UNAVAILABLE", 0), 0u) << notes_[1];
}

TEST_F(CoroutineTest, AnAwaitedAskEndsAtItsDeadline) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  Run();
  Advance(kDefaultAskTimeout - absl::Milliseconds(1));
  EXPECT_EQ(notes_.size(), 1u);
  Advance(absl::Milliseconds(1));
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_EQ(notes_[1].rfind("DEADLINE_EXCEEDED", 0), 0u) << notes_[1];
  EXPECT_EQ(AskedAndWaiting(), 0);
}

// ---- what waits meanwhile

TEST_F(CoroutineTest, MessagesWaitInOrderUntilTheHandlerHasEnded) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Note{"before"});
  waiter.Send(Go{});
  waiter.Send(Note{"first"});
  Run();
  waiter.Send(Note{"second"});
  Run();
  waiter.Send(Note{"third"});
  Run();
  EXPECT_EQ(notes_, (Notes{"before", "asks"}));
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"before", "asks", "got 1", "first", "second", "third"}));
}

TEST_F(CoroutineTest, WhatWaitsCountsAsQueued) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  const auto queued = [&] {
    for (const ActorStats& actor : system_.actors()) {
      if (actor.ref == waiter) return actor.queued;
    }
    return uint64_t{999};
  };
  waiter.Send(Go{});
  waiter.Send(Note{"a"});
  waiter.Send(Note{"b"});
  Run();
  EXPECT_EQ(queued(), 2u);
  Answer(1);
  EXPECT_EQ(queued(), 0u);
}

TEST_F(CoroutineTest, AHandlerThatWaitsAgainKeepsMessagesWaiting) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  waiter.Send(Go{});
  waiter.Send(Note{"last"});
  Run();
  EXPECT_EQ(AskedAndWaiting(), 1);
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "asks"}));
  Answer(2, 1);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "asks", "got 2", "last"}));
}

TEST_F(CoroutineTest, ContinuationsRunWhileAHandlerIsSuspended) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      from.Ask(Get{}).Then(self, [this](absl::StatusOr<int>) { notes.push_back("continued"); });
      (void)co_await from.Ask(Get{});
      notes.push_back("resumed");
    }
  };
  system_.Spawn<Actor>(Actor{slow_, notes_}).Send(Go{});
  Run();
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"continued"}));
  Answer(2, 1);
  EXPECT_EQ(notes_, (Notes{"continued", "resumed"}));
}

struct Reentrant {
  Recipient<Get> from;
  Notes& notes;
  ReentrantTask<int> On(Sum) {
    notes.push_back("asks");
    const int got = (co_await from.Ask(Get{})).value_or(-1);
    notes.push_back("got " + std::to_string(got));
    co_return got;
  }
  void On(Note note) { notes.push_back(note.text); }
};

TEST_F(CoroutineTest, AReentrantHandlerLetsMessagesPass) {
  auto actor = system_.Spawn<Reentrant>(Reentrant{slow_, notes_});
  actor.Send(Sum{});
  actor.Send(Note{"meanwhile"});
  actor.Send(Sum{});
  Run();
  EXPECT_EQ(notes_, (Notes{"asks", "meanwhile", "asks"}));
  Answer(2, 1);
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"asks", "meanwhile", "asks", "got 2", "got 1"}));
}

TEST_F(CoroutineTest, ADownWaitsLikeAMessage) {
  struct Watcher {
    Recipient<Get> from;
    AnyRef watched;
    Notes& notes;
    Task<> On(Go, Context& self) {
      self.Watch(watched);
      (void)co_await from.Ask(Get{});
      notes.push_back("resumed");
    }
    void On(Down) { notes.push_back("down"); }
  };
  auto watched = system_.Spawn([](Go) {});
  auto watcher = system_.Spawn<Watcher>(Watcher{slow_, watched, notes_});
  watcher.Send(Go{});
  Run();
  watched.Stop();
  Run();
  EXPECT_EQ(notes_, Notes{});
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"resumed", "down"}));
}

TEST_F(CoroutineTest, ABoundedMailboxFillsUpAndTheAnswerStillGetsThrough) {
  auto waiter = system_.Spawn<Waiter>({.capacity = 2, .when_full = WhenFull::kFail}, slow_, notes_);
  waiter.Send(Go{});
  Run();
  EXPECT_EQ(waiter.Send(Note{"a"}), SendResult::kQueued);
  EXPECT_EQ(waiter.Send(Note{"b"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(waiter.Send(Note{"c"}), SendResult::kFull) << "what waits has not left the mailbox";
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "a", "b"}));
  EXPECT_EQ(waiter.Send(Note{"d"}), SendResult::kQueued);
  Run();
  EXPECT_EQ(notes_.back(), "d");
}

TEST_F(CoroutineTest, ADownInABoundedMailboxKeepsItsPlaceBehindMessages) {
  struct Watcher {
    Recipient<Get> from;
    AnyRef watched;
    Notes& notes;
    Task<> On(Go, Context& self) {
      self.Watch(watched);
      (void)co_await from.Ask(Get{});
    }
    void On(Note note) { notes.push_back(note.text); }
    void On(Down) { notes.push_back("down"); }
  };
  auto watched = system_.Spawn([](Go) {});
  auto watcher = system_.Spawn<Watcher>({.capacity = 4}, Watcher{slow_, watched, notes_});
  watcher.Send(Go{});
  Run();
  watcher.Send(Note{"note"});
  watched.Stop();
  Run();
  EXPECT_EQ(notes_, Notes{});
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"note", "down"}));
}

TEST_F(CoroutineTest, StopWhenDrainedWaitsForTheHandlerAndForWhatWasBefore) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  waiter.Send(Note{"note"});
  Run();
  waiter.Stop(StopWhen::kDrained);
  Run();
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"asks", "got 1", "note"}));
  EXPECT_EQ(waiter.Send(Note{"late"}), SendResult::kClosed);
}

// What waits is set aside as a whole: the effort for one handler does not grow with the backlog.
TEST_F(CoroutineTest, ABacklogCostsAHandlerNoMoreTurns) {
  constexpr int kBacklog = 5'000;
  for (const uint32_t capacity : {kUnbounded, uint32_t{kBacklog}}) {
    auto seven = system_.Spawn([](Get) { return 7; });
    auto waiter = system_.Spawn<Waiter>({.capacity = capacity}, seven, notes_);
    for (int i = 0; i < kBacklog; ++i) waiter.Send(Go{});
    int turns = 0;
    while (loop_.RunOne()) ++turns;
    EXPECT_EQ(notes_.size(), 2u * kBacklog);
    EXPECT_LT(turns, 4 * kBacklog);
    notes_.clear();
  }
}

TEST_F(CoroutineTest, AnswersBehindABoundedBacklogComeOutInOrder) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      from.Ask(Get{}).Then(self, [this](absl::StatusOr<int>) { notes.push_back("continued"); });
      (void)co_await from.Ask(Get{});
      notes.push_back("resumed");
      (void)co_await from.Ask(Get{});
      notes.push_back("ended");
    }
    void On(Note note) { notes.push_back(note.text); }
  };
  auto actor = system_.Spawn<Actor>({.capacity = 3}, Actor{slow_, notes_});
  actor.Send(Go{});
  Run();
  actor.Send(Note{"a"});
  Answer(1, 0);
  actor.Send(Note{"b"});
  Answer(2, 1);
  actor.Send(Note{"c"});
  EXPECT_EQ(notes_, (Notes{"continued", "resumed"}));
  Answer(3, 2);
  EXPECT_EQ(notes_, (Notes{"continued", "resumed", "ended", "a", "b", "c"}));
}

TEST_F(CoroutineTest, TheAgeOfTheOldestMessageIsThatOfTheOneThatHasWaitedLongest) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});
  Run();
  waiter.Send(Note{"old"});
  Run();
  for (int i = 0; i < 4; ++i) {
    Advance(absl::Seconds(1));
    waiter.Send(Note{"newer"});
    Run();
  }
  for (const ActorStats& actor : system_.actors()) {
    if (actor.ref == waiter) EXPECT_GE(actor.oldest_age, absl::Seconds(4));
  }
}

// ---- hooks, replies, contexts

TEST_F(CoroutineTest, MessagesWaitForAnOnStartThatIsACoroutine) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> OnStart() {
      notes.push_back("start " + std::to_string((co_await from.Ask(Get{})).value_or(-1)));
    }
    void On(Note note) { notes.push_back(note.text); }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  actor.Send(Note{"note"});
  Run();
  EXPECT_EQ(notes_, Notes{});
  Answer(3);
  EXPECT_EQ(notes_, (Notes{"start 3", "note"}));
}

TEST_F(CoroutineTest, OnDownMayBeACoroutine) {
  struct Actor {
    Recipient<Get> from;
    AnyRef watched;
    Notes& notes;
    void OnStart(Context& self) { self.Watch(watched); }
    Task<> On(Down, Context&) {
      notes.push_back("down " + std::to_string((co_await from.Ask(Get{})).value_or(-1)));
    }
  };
  auto watched = system_.Spawn([](Go) {});
  system_.Spawn<Actor>(Actor{slow_, watched, notes_});
  Run();
  watched.Stop();
  Run();
  Answer(4);
  EXPECT_EQ(notes_, (Notes{"down 4"}));
}

TEST_F(CoroutineTest, AHandlerMayTakeTheReplyAndAnswerBeforeItsEnd) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Sum, Reply<int> reply) {
      reply.Send(1);
      (void)co_await from.Ask(Get{});
      notes.push_back("still here");
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  EXPECT_EQ(actor.Ask(Sum{}).Wait().value_or(-1), 1);
  Run();
  Answer(0);
  EXPECT_EQ(notes_, (Notes{"still here"}));
}

TEST_F(CoroutineTest, AHandlerAnswersWithAStatusOr) {
  struct Actor {
    Recipient<Get> from;
    Task<absl::StatusOr<int>> On(Sum) {
      absl::StatusOr<int> got = co_await from.Ask(Get{});
      if (*got < 0) co_return absl::OutOfRangeError("negative");
      co_return *got;
    }
  };
  auto source = system_.Spawn([n = 5](Get) mutable { return n -= 6; });
  auto actor = system_.Spawn<Actor>(Actor{source});
  EXPECT_EQ(actor.Ask(Sum{}).Wait().status(), absl::OutOfRangeError("negative"));
}

TEST_F(CoroutineTest, AFunctionMayBeACoroutine) {
  auto later = system_.Spawn([](Sum) -> Task<int> {
    co_await Sleep(absl::Seconds(1));
    co_return 8;
  });
  EXPECT_EQ(later.Ask(Sum{}).Wait().value_or(-1), 8);
}

TEST_F(CoroutineTest, TheContextIsTheHandlersOwnAndKeepsWhatItSaid) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      const AnyRef sender = self.sender();
      (void)co_await from.Ask(Get{});
      notes.push_back(self.sender() == sender && sender ? "same sender" : "other sender");
      notes.push_back(self.ref(this) == self.self() ? "self" : "not self");
      self.Stop();
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  system_.Spawn([actor](Note) { actor.Send(Go{}); }).Send(Note{});
  Run();
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"same sender", "self"}));
  EXPECT_EQ(actor.Send(Go{}), SendResult::kClosed);
}

// ---- failure and the end

struct Throws {
  Recipient<Get> from;
  Task<int> On(Sum) {
    (void)co_await from.Ask(Get{});
    throw std::runtime_error("broken");
  }
};

TEST_F(CoroutineTest, AnExceptionAfterASuspensionEndsTheActorAndTellsTheAsker) {
  auto seven = system_.Spawn([](Get) { return 7; });
  auto actor = system_.Spawn<Throws>(Throws{seven});
  const absl::Status status = actor.Ask(Sum{}).Wait().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("broken"), std::string::npos) << status;
  const absl::StatusOr<Down> down = system_.Join(actor);
  EXPECT_EQ(actor.Send(Sum{}), SendResult::kClosed);
}

TEST_F(CoroutineTest, AnExceptionBeforeTheFirstSuspensionDoesToo) {
  struct Actor {
    Task<int> On(Sum) {
      throw std::runtime_error("at once");
      co_return 0;
    }
  };
  auto actor = system_.Spawn<Actor>();
  EXPECT_NE(actor.Ask(Sum{}).Wait().status().message().find("at once"), std::string::npos);
  Run();
  EXPECT_EQ(actor.Send(Sum{}), SendResult::kClosed);
}

struct Noted {
  Noted(Notes& n, std::string w) : notes(n), what(std::move(w)) {}
  Noted(const Noted&) = delete;
  ~Noted() { notes.push_back(what); }
  Notes& notes;
  std::string what;
};

struct Nested {
  Recipient<Get> from;
  Notes& notes;
  Noted member{notes, "actor gone"};

  Task<int> Inner() {
    Noted noted(notes, "inner unwound");
    co_return (co_await from.Ask(Get{})).value_or(-1);
  }
  Task<int> On(Sum) {
    Noted noted(notes, "outer unwound");
    co_return co_await Inner();
  }
  void On(Note) { notes.push_back("handled"); }
  void OnStop() { notes.push_back("OnStop"); }
};

TEST_F(CoroutineTest, AnActorThatEndsUnwindsItsHandlersBeforeOnStop) {
  auto actor = system_.Spawn<Nested>(slow_, notes_);
  auto& result = Keep<std::optional<absl::StatusOr<int>>>();
  struct Asker {
    ActorRef<Nested> whom;
    std::optional<absl::StatusOr<int>>& result;
    void On(Go, Context& self) {
      whom.Ask(Sum{}).Then(self, [this](absl::StatusOr<int> r) { result = std::move(r); });
    }
  };
  system_.Spawn<Asker>(Asker{actor, result}).Send(Go{});
  Run();
  actor.Send(Note{"waits"});
  Run();
  actor.Stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"inner unwound", "outer unwound", "OnStop", "actor gone"}));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u) << "the Note that waited";
  EXPECT_EQ(AskedAndWaiting(), 0) << "nobody waits for the answer any more";
  Answer(1);  // and it harms nobody
}

TEST_F(CoroutineTest, ShutdownDoesNotWaitForSuspendedHandlers) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto slow = system.Spawn<Slow>(asked_);
  system.Spawn<Nested>(slow, notes_).Send(Sum{});
  loop.RunUntilIdle();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_EQ(notes_, (Notes{"inner unwound", "outer unwound", "OnStop", "actor gone"}));
}

// The actor cannot end, because the only worker is in a handler that does not return.
TEST(CoroutineShutdownTest, HandlersOfActorsThatCouldNotEndAreUnwoundWithTheSystem) {
  std::latch suspended(1), stuck(1), release(1), unwound(1);
  struct CountDown {
    std::latch& latch;
    ~CountDown() { latch.count_down(); }
  };
  struct Sleeper {
    std::latch& suspended;
    std::latch& unwound;
    Task<> On(Go) {
      CountDown at_end(unwound);
      suspended.count_down();
      co_await Sleep(absl::InfiniteDuration());
    }
    void On(Note) {}
  };
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    auto sleeper = system.Spawn<Sleeper>(suspended, unwound);
    sleeper.Send(Go{});
    sleeper.Send(Note{"waits"});
    suspended.wait();
    system
        .Spawn([&](Go) {
          stuck.count_down();
          release.wait();
        })
        .Send(Go{});
    stuck.wait();
  }
  release.count_down();
  unwound.wait();
}

// A local's destructor, with the actor about to be destroyed, still acts as that actor.
TEST(CoroutineShutdownTest, WhatIsUnwoundWithTheSystemMayStillAskAndSpawn) {
  std::latch suspended(1), stuck(1), release(1), unwound(1);
  struct Child {
    void On(Go) {}
  };
  struct Sleeper {
    Recipient<Get> from;
    std::latch& suspended;
    std::latch& unwound;
    struct AtEnd {
      Sleeper& actor;
      Context& self;
      ~AtEnd() {
        actor.from.Ask(Get{}).Then(self, [](absl::StatusOr<int>) {});
        if (!self.Spawn<Child>()) actor.unwound.count_down();  // nobody is born any more
      }
    };
    Task<> On(Go, Context& self) {
      AtEnd at_end{*this, self};
      suspended.count_down();
      co_await Sleep(absl::InfiniteDuration());
    }
  };
  {
    System system({.workers = 1, .shutdown_timeout = absl::Milliseconds(1)});
    auto seven = system.Spawn([](Get) { return 7; });
    system.Spawn<Sleeper>(seven, suspended, unwound).Send(Go{});
    suspended.wait();
    system
        .Spawn([&](Go) {
          stuck.count_down();
          release.wait();
        })
        .Send(Go{});
    stuck.wait();
  }
  release.count_down();
  unwound.wait();
}

TEST_F(CoroutineTest, AHandlerMayStopItsActorBetweenTwoAwaits) {
  struct Actor {
    Recipient<Get> from;
    Notes& notes;
    Task<> On(Go, Context& self) {
      Noted noted(notes, "unwound");
      self.Stop();
      (void)co_await from.Ask(Get{});
      notes.push_back("not reached");
    }
  };
  auto actor = system_.Spawn<Actor>(Actor{slow_, notes_});
  actor.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"unwound"}));
  EXPECT_EQ(actor.Send(Go{}), SendResult::kClosed);
}

// ---- deadlines

TEST_F(CoroutineTest, AnAskInsideAnAskEndsWithTheOuterDeadline) {
  struct Middle {
    Recipient<Get> from;
    Notes& notes;
    Task<int> On(Sum, Context& self) {
      const absl::Time begun = self.Now();
      notes.push_back(self.deadline() == begun + absl::Seconds(1) ? "1 s" : "other");
      (void)co_await from.Ask(Get{}, absl::Hours(1));
      notes.push_back("after " + absl::FormatDuration(self.Now() - begun));
      co_return 0;
    }
  };
  struct Outer {
    ActorRef<Middle> middle;
    Task<> On(Go) { (void)co_await middle.Ask(Sum{}, absl::Seconds(1)); }
  };
  auto middle = system_.Spawn<Middle>(Middle{slow_, notes_});
  system_.Spawn<Outer>(Outer{middle}).Send(Go{});
  Run();
  Advance(absl::Seconds(1));
  EXPECT_EQ(notes_, (Notes{"1 s", "after 1s"}));
}

TEST_F(CoroutineTest, AContinuationsAskInheritsNothingFromAnEarlierAsk) {
  struct Middle {
    Recipient<Get> from;
    Notes& notes;
    int On(Sum) { return 1; }
    void On(Go, Context& self) {
      notes.push_back(self.deadline() == absl::InfiniteFuture() ? "none" : "some");
    }
  };
  auto middle = system_.Spawn<Middle>(Middle{slow_, notes_});
  EXPECT_EQ(middle.Ask(Sum{}).Wait().value_or(-1), 1);
  middle.Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"none"}));
}

TEST_F(CoroutineTest, ARequestThatHasExpiredIsDroppedWhenItsTurnComes) {
  auto waiter = system_.Spawn<Nested>(slow_, notes_);
  waiter.Send(Sum{});  // keeps it busy
  Run();
  struct Impatient {
    ActorRef<Nested> whom;
    Task<> On(Go) { (void)co_await whom.Ask(Sum{}, absl::Seconds(1)); }
  };
  system_.Spawn<Impatient>(Impatient{waiter}).Send(Go{});
  Run();
  Advance(absl::Seconds(2));
  EXPECT_EQ(asked_.size(), 1u);
  Answer(1);
  EXPECT_EQ(asked_.size(), 1u) << "the second request was not begun";
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

// Its deadline is told by a clock that means nothing here, and may be gone.
TEST_F(CoroutineTest, AnAskerOfAnotherSystemGivesNoDeadline) {
  struct Answerer {
    absl::Time& seen;
    int On(Get, Context& self) {
      seen = self.deadline();
      return 1;
    }
  };
  auto& seen = Keep<absl::Time>();
  auto answerer = system_.Spawn(Answerer{seen});
  {
    ManualScheduler loop;
    System other({.scheduler = &loop});
    other.Spawn<Waiter>(answerer, notes_).Send(Go{});
    loop.RunUntilIdle();
  }
  Run();
  EXPECT_EQ(seen, absl::InfiniteFuture());
}

TEST_F(CoroutineTest, WhoHasAnsweredMayDropTheDeadline) {
  struct Actor {
    Notes& notes;
    Task<> On(Get, Reply<int> reply, Context& self) {
      reply.Send(1);
      notes.push_back(self.deadline() == absl::InfiniteFuture() ? "none" : "some");
      self.DropDeadline();
      co_await Sleep(absl::Seconds(10));
      notes.push_back(self.deadline() == absl::InfiniteFuture() ? "none" : "some");
    }
  };
  EXPECT_TRUE(system_.Spawn(Actor{notes_}).Ask(Get{}).Wait().ok());
  Advance(absl::Seconds(10));
  EXPECT_EQ(notes_, (Notes{"some", "none"}));
}

// ---- time

TEST_F(CoroutineTest, SleepLastsAsLongAsItSays) {
  struct Sleeper {
    Notes& notes;
    Task<> On(Go) {
      co_await Sleep(absl::Seconds(10));
      notes.push_back("awake");
    }
    void On(Note note) { notes.push_back(note.text); }
  };
  auto sleeper = system_.Spawn<Sleeper>(Sleeper{notes_});
  sleeper.Send(Go{});
  sleeper.Send(Note{"note"});
  Run();
  Advance(absl::Milliseconds(9999));
  EXPECT_EQ(notes_, Notes{});
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(notes_, (Notes{"awake", "note"}));
}

TEST_F(CoroutineTest, SleepOfNoTimeDoesNotSuspend) {
  struct Sleeper {
    Notes& notes;
    Task<> On(Go) {
      co_await Sleep(absl::ZeroDuration());
      co_await Sleep(-absl::Seconds(1));
      notes.push_back("awake");
    }
  };
  system_.Spawn<Sleeper>(Sleeper{notes_}).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"awake"}));
}

TEST_F(CoroutineTest, AnActorThatEndsDoesNotWaitForItsSleep) {
  struct Sleeper {
    Notes& notes;
    Task<> On(Go) {
      Noted noted(notes, "unwound");
      co_await Sleep(absl::InfiniteDuration());
    }
  };
  auto sleeper = system_.Spawn<Sleeper>(Sleeper{notes_});
  sleeper.Send(Go{});
  Run();
  sleeper.Stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"unwound"}));
}

// ---- several at once

struct Name {
  using Reply = std::string;
};

TEST_F(CoroutineTest, AllOfSendsAllAsksAndWaitsForTheLastAnswer) {
  struct Actor {
    Recipient<Get> from;
    Recipient<Name> name;
    Notes& notes;
    Task<> On(Go) {
      auto [a, n, b] = co_await AllOf(from.Ask(Get{}), name.Ask(Name{}), from.Ask(Get{}));
      notes.push_back(*n + std::to_string(*a) + std::to_string(*b));
    }
  };
  auto name = system_.Spawn([](Name) { return std::string("x"); });
  system_.Spawn<Actor>(Actor{slow_, name, notes_}).Send(Go{});
  Run();
  ASSERT_EQ(asked_.size(), 2u);
  Answer(2, 1);
  EXPECT_EQ(notes_, Notes{});
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"x12"}));
}

struct Many {
  std::vector<Recipient<Get>> from;
  Notes& notes;
  std::vector<PendingAsk<int>> Asks() {
    std::vector<PendingAsk<int>> asks;
    for (auto& who : from) asks.push_back(who.Ask(Get{}));
    return asks;
  }
  Task<> On(Go) {
    for (const absl::StatusOr<int>& got : co_await AllOf(Asks())) {
      notes.push_back(got.ok() ? std::to_string(*got) : "error");
    }
    notes.push_back("all");
  }
  Task<absl::StatusOr<int>> On(Sum) { co_return co_await FirstOf(Asks()); }
};

TEST_F(CoroutineTest, AllOfManyKeepsTheOrderOfTheAsks) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  system_.Spawn<Many>(Many{{slow_, ended, slow_}, notes_}).Send(Go{});
  Run();
  Answer(3, 1);
  Answer(1, 0);
  EXPECT_EQ(notes_, (Notes{"1", "error", "3", "all"}));
}

TEST_F(CoroutineTest, AllOfNoneIsThereAtOnce) {
  system_.Spawn<Many>(Many{{}, notes_}).Send(Go{});
  Run();
  EXPECT_EQ(notes_, (Notes{"all"}));
}

TEST_F(CoroutineTest, FirstOfIsTheFirstGoodAnswer) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  auto many = system_.Spawn<Many>(Many{{slow_, ended, slow_}, notes_});
  auto& result = Keep<std::optional<absl::StatusOr<int>>>();
  struct Asker {
    ActorRef<Many> whom;
    std::optional<absl::StatusOr<int>>& result;
    Task<> On(Go) { result = co_await whom.Ask(Sum{}); }
  };
  system_.Spawn<Asker>(Asker{many, result}).Send(Go{});
  Run();
  EXPECT_FALSE(result.has_value()) << "an error does not win";
  Answer(2, 1);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->value_or(-1), 2);
  Answer(1, 0);  // too late, and harmless
  EXPECT_EQ(result->value_or(-1), 2);
}

TEST_F(CoroutineTest, FirstOfFailsWhenAllFail) {
  auto ended = system_.Spawn([](Get) { return 7; });
  ended.Stop();
  Run();
  auto many = system_.Spawn<Many>(Many{{ended, ended}, notes_});
  EXPECT_EQ(many.Ask(Sum{}).Wait().status().code(), absl::StatusCode::kUnavailable);
  auto none = system_.Spawn<Many>(Many{{}, notes_});
  EXPECT_EQ(none.Ask(Sum{}).Wait().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CoroutineTest, ARoutersFirstAnswerIsAwaitedLikeAnyOther) {
  struct Asker {
    Router<Get> router;
    Task<absl::StatusOr<int>> On(Sum) { co_return co_await router.AskFirst(Get{}); }
  };
  Group<Get> group;
  group.Add(slow_);
  group.Add(system_.Spawn([](Get) { return 3; }));
  auto asker = system_.Spawn<Asker>(Asker{group});
  EXPECT_EQ(asker.Ask(Sum{}).Wait().value_or(-1), 3);
  EXPECT_EQ(AskedAndWaiting(), 0) << "the slow one may save its work";
}

// ---- Offload

TEST_F(CoroutineTest, OffloadYieldsWhatTheFunctionReturns) {
  struct Actor {
    Notes& notes;
    Task<> On(Go) {
      const absl::StatusOr<int> number = co_await Offload([] { return 5; });
      notes.push_back(std::to_string(number.value_or(-1)));
      const absl::Status nothing = co_await Offload([] {});
      notes.push_back(nothing.ok() ? "done" : "error");
      const absl::StatusOr<int> refused =
          co_await Offload([]() -> absl::StatusOr<int> { return absl::NotFoundError("no file"); });
      notes.push_back(std::string(refused.status().message()));
      const absl::StatusOr<std::unique_ptr<int>> moved =
          co_await Offload([p = std::make_unique<int>(9)]() mutable { return std::move(p); });
      notes.push_back(std::to_string(**moved));
      const absl::Status thrown = co_await Offload([] { throw std::runtime_error("disk"); });
      notes.push_back(std::string(thrown.message()));
    }
  };
  system_.Spawn<Actor>(Actor{notes_}).Send(Go{});
  Run();
  ASSERT_EQ(notes_.size(), 5u);
  EXPECT_EQ(notes_[0], "5");
  EXPECT_EQ(notes_[1], "done");
  EXPECT_EQ(notes_[2], "no file");
  EXPECT_EQ(notes_[3], "9");
  EXPECT_NE(notes_[4].find("disk"), std::string::npos) << notes_[4];
  EXPECT_EQ(system_.stats().live, 2u) << "slow_ and the actor; what ran the functions is gone";
}

TEST_F(CoroutineTest, OffloadWithoutTimeLeftIsAnErrorAndLeavesNobodyBehind) {
  struct Actor {
    Notes& notes;
    Task<int> On(Sum) {
      co_await Sleep(absl::Seconds(2));  // beyond the asker's deadline
      const absl::StatusOr<int> late = co_await Offload([] { return 5; });
      notes.push_back(late.status().ToString().substr(0, 17));
      co_return 0;
    }
  };
  struct Asker {
    ActorRef<Actor> whom;
    Task<> On(Go) { (void)co_await whom.Ask(Sum{}, absl::Seconds(1)); }
  };
  auto actor = system_.Spawn<Actor>(Actor{notes_});
  auto asker = system_.Spawn<Asker>(Asker{actor});
  asker.Send(Go{});
  Run();
  Advance(absl::Seconds(3));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(system_.stats().live, 3u) << "slow_, the actor and the asker";
}

// ---- memory

#ifdef TROUPE_SANITIZER
constexpr bool kCountsBlocksInUse = true;
#else
constexpr bool kCountsBlocksInUse = false;
#endif

// What is in use, as far as it can be known.
int64_t Blocks() {
  FlushThreadNodes();
  TrimNodePool();
  return OutstandingNodeBlocks();
}

TEST_F(CoroutineTest, AnAwaitTakesAHandlerAFrameAndTheEnvelopesOfQuestionAndAnswer) {
  auto waiter = system_.Spawn<Waiter>(slow_, notes_);
  waiter.Send(Go{});  // makes what is made once
  Run();
  Answer(1);
  asked_.clear();
  const int64_t before = Blocks();
  waiter.Send(Go{});
  Run();
  // The question's envelope was freed when Slow had taken it out.
  if (kCountsBlocksInUse) {
    EXPECT_EQ(Blocks() - before, 3);
  } else {
    EXPECT_GE(Blocks() - before, 1);
  }
  Answer(1);
  asked_.clear();
  EXPECT_EQ(Blocks(), before);
}

}  // namespace
}  // namespace troupe
