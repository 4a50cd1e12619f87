#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/counted.h"
#include "tests/actors/gate.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using AskTest = Simulated;

struct Work {
  using Reply = void;
};

// ---- what handlers answer with

TEST_F(AskTest, TheReturnValueOfTheHandlerIsTheReply) {
  auto doubler = system_.Spawn([](Double m) { return 2 * m.n; });
  absl::StatusOr<int> answer = doubler.Ask(Double{21}).Wait();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, 42);
}

TEST_F(AskTest, AHandlerMayAnswerWithAStatusOr) {
  auto picky = system_.Spawn([](Double m) -> absl::StatusOr<int> {
    if (m.n < 0) return absl::OutOfRangeError("negative");
    return 2 * m.n;
  });
  EXPECT_EQ(picky.Ask(Double{4}).Wait().value_or(-1), 8);
  EXPECT_EQ(picky.Ask(Double{-4}).Wait().status(), absl::OutOfRangeError("negative"));
}

TEST_F(AskTest, AHandlerMayAnswerWithAnErrorStatus) {
  auto refuser = system_.Spawn([](Double) { return absl::PermissionDeniedError("no"); });
  EXPECT_EQ(refuser.Ask(Double{1}).Wait().status(), absl::PermissionDeniedError("no"));
}

TEST_F(AskTest, AnAskForNothingYieldsAStatus) {
  auto void_worker = system_.Spawn([](Work) {});
  auto status_worker = system_.Spawn([](Work) { return absl::AlreadyExistsError("done"); });
  absl::Status ok = void_worker.Ask(Work{}).Wait();
  EXPECT_TRUE(ok.ok()) << ok;
  EXPECT_EQ(status_worker.Ask(Work{}).Wait(), absl::AlreadyExistsError("done"));
}

TEST_F(AskTest, AHandlerThatAnswersMayTakeAContext) {
  AnyRef who;
  class Doubler {
   public:
    explicit Doubler(AnyRef& who) : who_(who) {}
    int On(Double m, Context& self) {
      who_ = self.self();
      return 2 * m.n;
    }

   private:
    AnyRef& who_;
  };
  auto doubler = system_.Spawn<Doubler>(who);
  EXPECT_EQ(doubler.Ask(Double{3}).Wait().value_or(-1), 6);
  EXPECT_EQ(who, doubler);
}

TEST_F(AskTest, AReplyMayBeMoveOnly) {
  struct Make {
    using Reply = std::unique_ptr<int>;
    int n;
  };
  auto maker = system_.Spawn([](Make m) { return std::make_unique<int>(m.n); });
  absl::StatusOr<std::unique_ptr<int>> made = maker.Ask(Make{8}).Wait();
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(**made, 8);
}

TEST_F(AskTest, ARequestMayBeLargeAndItsReplyToo) {
  struct Page {
    char bytes[4096];
  };
  struct Swap {
    using Reply = Page;
    Page page;
  };
  auto echo = system_.Spawn([](const Swap& m) { return m.page; });
  Swap swap{};
  swap.page.bytes[4095] = 'z';
  absl::StatusOr<Page> page = echo.Ask(std::move(swap)).Wait();
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->bytes[4095], 'z');
}

TEST_F(AskTest, AnAskableMessageMayAlsoBeJustSent) {
  int handled = 0;
  auto doubler = system_.Spawn([&handled](Double m) {
    ++handled;
    return m.n;
  });
  EXPECT_EQ(doubler.Send(Double{1}), SendResult::kQueued);
  Run();
  EXPECT_EQ(handled, 1);
}

TEST_F(AskTest, ThePendingAskIsNotSentUntilItIsWaitedForOrContinued) {
  int handled = 0;
  auto doubler = system_.Spawn([&handled](Double m) {
    ++handled;
    return m.n;
  });
  {
    auto unsent = doubler.Ask(Double{1});
    Run();
    EXPECT_EQ(handled, 0);
    auto moved = std::move(unsent);
    Run();
    EXPECT_EQ(handled, 0);
  }
  Run();
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u) << "it was never sent, so it is not lost";
}

// ---- Reply<T>

TEST_F(AskTest, ADeferredReplyIsDeliveredWhenItIsSent) {
  auto gate = system_.Spawn<Gate>();
  Answers& answers = Keep<Answers>();
  auto asker = system_.Spawn<Asker<ActorRef<Gate>>>(gate, Double{5}, answers);
  asker.Send(Go{});
  Run();
  EXPECT_TRUE(answers.empty());
  gate.Send(Go{});
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].value_or(-1), 10);
}

TEST_F(AskTest, RepliesMayBeGivenInAnotherOrderThanTheAsksCame) {
  class Reversing {
   public:
    void On(Double m, Reply<int> reply) {
      waiting_.emplace_back(m.n, std::move(reply));
      if (waiting_.size() < 3) return;
      for (auto it = waiting_.rbegin(); it != waiting_.rend(); ++it) it->second.Send(it->first);
    }

   private:
    std::vector<std::pair<int, Reply<int>>> waiting_;
  };
  std::vector<int> order;
  auto reversing = system_.Spawn<Reversing>();
  auto asker = system_.Spawn([reversing, &order](Go, Context& self) {
    for (int i = 1; i <= 3; ++i) {
      reversing.Ask(Double{i}).Then(
          self, [&order](absl::StatusOr<int> answer) { order.push_back(*answer); });
    }
  });
  asker.Send(Go{});
  Run();
  EXPECT_EQ(order, (std::vector<int>{3, 2, 1}));
}

TEST_F(AskTest, ADroppedReplyAbortsTheAskAtOnce) {
  auto dropper = system_.Spawn([](Double, Reply<int>) {});
  const absl::Time before = loop_.Now();
  EXPECT_TRUE(absl::IsAborted(dropper.Ask(Double{1}).Wait().status()));
  EXPECT_EQ(loop_.Now(), before) << "and not at its deadline";
}

TEST_F(AskTest, AReplyThatIsOverwrittenIsDropped) {
  auto last_one_wins = system_.Spawn(
      [kept = Reply<int>()](Double, Reply<int> reply) mutable { kept = std::move(reply); });
  Answers& answers = Keep<Answers>();
  auto asker = system_.Spawn<Asker<decltype(last_one_wins)>>(last_one_wins, Double{1}, answers);
  asker.Send(Go{});
  asker.Send(Go{});
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(absl::IsAborted(answers[0].status()));
}

TEST_F(AskTest, OnlyTheFirstAnswerCounts) {
  auto eager = system_.Spawn([](Double m, Reply<int> reply) {
    EXPECT_TRUE(static_cast<bool>(reply));
    reply.Send(m.n);
    EXPECT_FALSE(static_cast<bool>(reply));
    reply.Send(m.n + 1);
    reply.Send(absl::InternalError("too late"));
  });
  EXPECT_EQ(eager.Ask(Double{1}).Wait().value_or(-1), 1);
}

TEST_F(AskTest, AnAskIsSentOnceAndTheSecondTimeIsAnError) {
  int asked = 0;
  auto doubler = system_.Spawn([&asked](Double m, Reply<int> reply) {
    ++asked;
    reply.Send(2 * m.n);
  });
  auto ask = doubler.Ask(Double{1});
  EXPECT_EQ(std::move(ask).Wait().value_or(-1), 2);
  EXPECT_TRUE(absl::IsFailedPrecondition(std::move(ask).Wait().status()));
  std::vector<absl::StatusOr<int>> answers;
  system_
      .Spawn([&](Work, Context& self) {
        auto once = doubler.Ask(Double{2});
        for (int i = 0; i < 2; ++i) {
          std::move(once).Then(
              self, [&](absl::StatusOr<int> answer) { answers.push_back(std::move(answer)); });
        }
      })
      .Send(Work{});
  Run();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(absl::IsFailedPrecondition(answers[0].status()));
  EXPECT_EQ(answers[1].value_or(-1), 4);
  EXPECT_EQ(asked, 2);
}

TEST_F(AskTest, AReplyMayBeAnErrorOrNothing) {
  auto refuser = system_.Spawn(
      [](Double, Reply<int> reply) { reply.Send(absl::ResourceExhaustedError("tired")); });
  EXPECT_EQ(refuser.Ask(Double{1}).Wait().status(), absl::ResourceExhaustedError("tired"));
  auto worker = system_.Spawn([](Work, Reply<void> reply) { reply.Send(); });
  EXPECT_TRUE(worker.Ask(Work{}).Wait().ok());
  auto failing = system_.Spawn(
      [](Work, Reply<void> reply, Context&) { reply.Send(absl::DataLossError("gone")); });
  EXPECT_EQ(failing.Ask(Work{}).Wait(), absl::DataLossError("gone"));
}

TEST_F(AskTest, AReplyKnowsThatNobodyWaitsWhenTheMessageWasSent) {
  std::optional<bool> somebody_waits;
  auto handler = system_.Spawn([&somebody_waits](Double m, Reply<int> reply) {
    somebody_waits = static_cast<bool>(reply);
    reply.Send(m.n);  // does nothing
  });
  handler.Send(Double{1});
  Run();
  EXPECT_EQ(somebody_waits, std::optional<bool>(false));
  EXPECT_FALSE(static_cast<bool>(Reply<int>()));
}

TEST_F(AskTest, AReplyMayTravelInAMessageToWhoKnowsTheAnswer) {
  struct Delegated {
    int n;
    Reply<int> reply;
  };
  auto expert = system_.Spawn([](Delegated m) { m.reply.Send(m.n * 3); });
  auto front = system_.Spawn(
      [expert](Double m, Reply<int> reply) { expert.Send(Delegated{m.n, std::move(reply)}); });
  EXPECT_EQ(front.Ask(Double{5}).Wait().value_or(-1), 15);
}

TEST_F(AskTest, AReplyInAMessageThatIsLostAbortsTheAsk) {
  struct Delegated {
    Reply<int> reply;
  };
  auto expert = system_.Spawn([](Delegated) {});
  expert.Stop();
  Run();
  auto front = system_.Spawn(
      [expert](Double, Reply<int> reply) { expert.Send(Delegated{std::move(reply)}); });
  EXPECT_TRUE(absl::IsAborted(front.Ask(Double{5}).Wait().status()));
}

// ---- when there will be no answer

TEST_F(AskTest, AHandlerThatThrowsFailsTheAskAtOnceWithInternal) {
  auto thrower = system_.Spawn([](Double) -> int { throw std::runtime_error("bad day"); });
  EXPECT_TRUE(absl::IsInternal(thrower.Ask(Double{1}).Wait().status()));
  EXPECT_EQ(loop_.Now(), absl::UnixEpoch());
  EXPECT_EQ(system_.stats().live, 0u);
  auto void_thrower = system_.Spawn([](Work) { throw 7; });
  EXPECT_TRUE(absl::IsInternal(void_thrower.Ask(Work{}).Wait()));
}

TEST_F(AskTest, AskingAnEndedActorIsUnavailableAtOnce) {
  auto doubler = system_.Spawn([](Double m) { return m.n; });
  doubler.Stop();
  Run();
  EXPECT_TRUE(absl::IsUnavailable(doubler.Ask(Double{1}).Wait().status()));
  EXPECT_TRUE(absl::IsUnavailable(ActorRef<Gate>().Ask(Double{1}).Wait().status()));
  EXPECT_EQ(loop_.Now(), absl::UnixEpoch());
}

TEST_F(AskTest, AnAskStillQueuedWhenItsReceiverEndsIsUnavailable) {
  auto doubler = system_.Spawn([](Double m) { return m.n; });
  Answers& answers = Keep<Answers>();
  auto asker = system_.Spawn<Asker<decltype(doubler)>>(doubler, Double{1}, answers);
  asker.Send(Go{});
  EXPECT_TRUE(loop_.RunOne());  // the request is in the mailbox
  doubler.Stop();
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(absl::IsUnavailable(answers[0].status()));
}

TEST_F(AskTest, AskingAFullActorIsResourceExhaustedWhateverThePolicy) {
  for (WhenFull policy : {WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest}) {
    auto doubler =
        system_.Spawn({.capacity = 1, .when_full = policy}, [](Double m) { return m.n; });
    doubler.Send(Double{1});
    EXPECT_TRUE(absl::IsResourceExhausted(doubler.Ask(Double{1}).Wait().status()));
    Run();
  }
}

TEST_F(AskTest, AnAskThatIsDroppedToMakeRoomIsResourceExhausted) {
  auto doubler = system_.Spawn({.capacity = 1, .when_full = WhenFull::kDropOldest},
                               [](Double m) { return m.n; });
  Answers& answers = Keep<Answers>();
  auto asker = system_.Spawn<Asker<decltype(doubler)>>(doubler, Double{1}, answers);
  asker.Send(Go{});
  EXPECT_TRUE(loop_.RunOne());
  doubler.Send(Double{2});
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(absl::IsResourceExhausted(answers[0].status()));
}

TEST_F(AskTest, WaitingInAHandlerIsRefusedAndTheRequestNotSent) {
  int handled = 0;
  auto doubler = system_.Spawn([&handled](Double m) {
    ++handled;
    return m.n;
  });
  absl::Status status;
  auto asker =
      system_.Spawn([doubler, &status](Go) { status = doubler.Ask(Double{1}).Wait().status(); });
  asker.Send(Go{});
  Run();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(handled, 0);
}

// ---- the continuation

TEST_F(AskTest, TheContinuationRunsOnTheAskingActor) {
  auto doubler = system_.Spawn([](Double m) { return 2 * m.n; });
  AnyRef in_continuation;
  AnyRef sender;
  class Asking {
   public:
    Asking(Recipient<Double> to, AnyRef& in, AnyRef& sender) : to_(to), in_(in), sender_(sender) {}
    void On(Go, Context& self) {
      to_.Ask(Double{1}).Then(self, [this](absl::StatusOr<int>, Context& self) {
        in_ = self.ref(this);
        sender_ = self.sender();
      });
    }

   private:
    Recipient<Double> to_;
    AnyRef& in_;
    AnyRef& sender_;
  };
  auto asking = system_.Spawn<Asking>(doubler, in_continuation, sender);
  asking.Send(Go{});
  Run();
  EXPECT_EQ(in_continuation, asking);
  EXPECT_EQ(sender, doubler) << "whoever answered";
}

TEST_F(AskTest, TheAskerGoesOnHandlingWhileItsAskIsPending) {
  auto gate = system_.Spawn<Gate>();
  auto& log = Keep<std::vector<std::string>>();
  class Busy {
   public:
    Busy(ActorRef<Gate> gate, std::vector<std::string>& log) : gate_(gate), log_(log) {}
    void On(Go, Context& self) {
      gate_.Ask(Double{1}).Then(self, [this](absl::StatusOr<int>) { log_.push_back("answer"); });
    }
    void On(Work) { log_.push_back("work"); }

   private:
    ActorRef<Gate> gate_;
    std::vector<std::string>& log_;
  };
  auto busy = system_.Spawn<Busy>(gate, log);
  busy.Send(Go{});
  busy.Send(Work{});
  Run();
  gate.Send(Go{});
  Run();
  EXPECT_EQ(log, (std::vector<std::string>{"work", "answer"}));
}

TEST_F(AskTest, TheAnswerArrivesAfterAllThatTheReplierSentTheAskerBefore) {
  auto& log = Keep<std::vector<std::string>>();
  struct Note {
    std::string text;
  };
  class Replier {
   public:
    explicit Replier(Recipient<Note>& asker) : asker_(asker) {}
    int On(Double m) {
      for (int i = 0; i < 3; ++i) asker_.Send(Note{std::to_string(i)});
      return m.n;
    }

   private:
    Recipient<Note>& asker_;
  };
  class Curious {
   public:
    Curious(ActorRef<Replier> to, std::vector<std::string>& log) : to_(to), log_(log) {}
    void On(Go, Context& self) {
      to_.Ask(Double{1}).Then(self, [this](absl::StatusOr<int>) { log_.push_back("answer"); });
    }
    void On(Note m) { log_.push_back(std::move(m.text)); }

   private:
    ActorRef<Replier> to_;
    std::vector<std::string>& log_;
  };
  for (uint32_t capacity : {kUnbounded, 3u}) {  // exempt from the bound, and still in order
    log.clear();
    Recipient<Note> asker;
    auto replier = system_.Spawn<Replier>(asker);
    auto curious = system_.Spawn<Curious>({.capacity = capacity}, replier, log);
    asker = curious;
    curious.Send(Go{});
    Run();
    EXPECT_EQ(log, (std::vector<std::string>{"0", "1", "2", "answer"}));
  }
}

TEST_F(AskTest, AnAskFailsInTheContinuationForEachReasonAtOnce) {
  auto ended = system_.Spawn([](Double m) { return m.n; });
  ended.Stop();
  auto full = system_.Spawn({.capacity = 1}, [](Double m) { return m.n; });
  auto thrower = system_.Spawn([](Double) -> int { throw std::runtime_error("no"); });
  auto dropper = system_.Spawn([](Double, Reply<int>) {});
  Run();
  Answers& answers = Keep<Answers>();
  std::vector<Recipient<Double>> all{ended, full, thrower, dropper};
  auto asker = system_.Spawn([&answers, all, full](Go, Context& self) {
    full.Send(Double{0});
    for (const auto& to : all) {
      to.Ask(Double{1}).Then(self, [&answers](absl::StatusOr<int> a) { answers.push_back(a); });
    }
  });
  asker.Send(Go{});
  Run();
  ASSERT_EQ(answers.size(), 4u);
  int unavailable = 0, exhausted = 0, internal = 0, aborted = 0;
  for (const auto& a : answers) {
    unavailable += absl::IsUnavailable(a.status());
    exhausted += absl::IsResourceExhausted(a.status());
    internal += absl::IsInternal(a.status());
    aborted += absl::IsAborted(a.status());
  }
  EXPECT_EQ(unavailable, 1);
  EXPECT_EQ(internal, 1);
  EXPECT_EQ(aborted, 1);
  EXPECT_EQ(exhausted, 1);
  EXPECT_EQ(loop_.Now(), absl::UnixEpoch());
}

TEST_F(AskTest, AnAskOfNobodyIsContinuedWithUnavailable) {
  Answers& answers = Keep<Answers>();
  system_.Spawn<Asker<ActorRef<Gate>>>(ActorRef<Gate>(), Double{1}, answers).Send(Go{});
  Run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(absl::IsUnavailable(answers[0].status()));
}

TEST_F(AskTest, WhenTheAskerEndsFirstTheContinuationIsDestroyedUncalled) {
  struct Tag;
  auto gate = system_.Spawn<Gate>();
  int called = 0;
  auto asker = system_.Spawn([gate, &called](Go, Context& self) {
    gate.Ask(Double{1}).Then(self, [&called, token = Counted<Tag>()](absl::StatusOr<int>) {
      (void)token;
      ++called;
    });
  });
  asker.Send(Go{});
  Run();
  EXPECT_EQ(Counted<Tag>::alive(), 1);
  asker.Stop();
  Run();
  EXPECT_EQ(Counted<Tag>::alive(), 0);
  gate.Send(Go{});  // answers to nobody
  Advance(absl::Seconds(10));
  EXPECT_EQ(called, 0);
  EXPECT_EQ(loop_.next_deadline(), absl::InfiniteFuture()) << "its deadline went with it";
}

TEST_F(AskTest, AnAnswerThatIsQueuedWhenTheAskerEndsIsDiscarded) {
  struct Tag;
  auto doubler = system_.Spawn([](Double m) { return m.n; });
  int called = 0;
  auto asker = system_.Spawn([doubler, &called](Go, Context& self) {
    doubler.Ask(Double{1}).Then(self, [&called, token = Counted<Tag>()](absl::StatusOr<int>) {
      (void)token;
      ++called;
    });
  });
  asker.Send(Go{});
  EXPECT_TRUE(loop_.RunOne());  // asks
  EXPECT_TRUE(loop_.RunOne());  // answers
  asker.Stop();
  Run();
  EXPECT_EQ(called, 0);
  EXPECT_EQ(Counted<Tag>::alive(), 0);
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u) << "an answer is nobody's letter";
}

TEST_F(AskTest, AContinuationThatThrowsFailsTheAsker) {
  auto doubler = system_.Spawn([](Double m) { return m.n; });
  auto asker = system_.Spawn([doubler](Go, Context& self) {
    doubler.Ask(Double{1}).Then(self, [](absl::StatusOr<int>) { throw std::runtime_error("no"); });
  });
  asker.Send(Go{});
  Run();
  EXPECT_EQ(system_.stats().live, 1u);
}

TEST_F(AskTest, AContinuationMayAskAgainStopAndSend) {
  auto doubler = system_.Spawn([](Double m) { return 2 * m.n; });
  int last = 0;
  class Chain {
   public:
    Chain(Recipient<Double> to, int& last) : to_(to), last_(last) {}
    void On(Go, Context& self) { Next(1, self); }

   private:
    void Next(int n, Context& self) {
      last_ = n;
      if (n >= 64) return self.Stop();
      to_.Ask(Double{n}).Then(
          self, [this](absl::StatusOr<int> answer, Context& self) { Next(*answer, self); });
    }
    Recipient<Double> to_;
    int& last_;
  };
  system_.Spawn<Chain>(doubler, last).Send(Go{});
  Run();
  EXPECT_EQ(last, 64);
  EXPECT_EQ(system_.stats().live, 1u);
}

TEST_F(AskTest, AContinuationMayHoldTheReplyToAnotherAsk) {
  auto doubler = system_.Spawn([](Double m) { return 2 * m.n; });
  auto proxy = system_.Spawn([doubler](Double m, Reply<int> reply, Context& self) {
    doubler.Ask(Double{m.n}).Then(self, [reply = std::move(reply)](absl::StatusOr<int> a) mutable {
      reply.Send(std::move(a));
    });
  });
  EXPECT_EQ(proxy.Ask(Double{9}).Wait().value_or(-1), 18);
}

TEST_F(AskTest, AnActorMayAskItself) {
  int answer = 0;
  class Selfish {
   public:
    explicit Selfish(int& answer) : answer_(answer) {}
    void On(Go, Context& self) {
      self.ref(this).Ask(Double{4}).Then(self, [this](absl::StatusOr<int> a) { answer_ = *a; });
    }
    int On(Double m) { return 2 * m.n; }

   private:
    int& answer_;
  };
  system_.Spawn<Selfish>(answer).Send(Go{});
  Run();
  EXPECT_EQ(answer, 8);
}

TEST_F(AskTest, AnAnswerIsNotRefusedByAFullMailbox) {
  auto doubler = system_.Spawn([](Double m) { return m.n; });
  for (WhenFull policy :
       {WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest, WhenFull::kDropOldest}) {
    Answers& answers = Keep<Answers>();
    auto asker = system_.Spawn<Asker<decltype(doubler)>>(
        {.capacity = 1, .when_full = policy}, doubler, Double{6}, answers, absl::Seconds(1));
    asker.Send(Go{});
    EXPECT_TRUE(loop_.RunOne());
    asker.TrySend(Go{});  // fills the mailbox before the answer comes
    EXPECT_TRUE(loop_.RunOne());
    Run();
    ASSERT_EQ(answers.size(), 2u);
    EXPECT_EQ(answers[0].value_or(-1), 6);
    EXPECT_EQ(answers[1].value_or(-1), 6);
  }
}

}  // namespace
}  // namespace troupe
