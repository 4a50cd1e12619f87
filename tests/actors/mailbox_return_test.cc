// What goes back to a mailbox, moves from one right to another, or cannot be copied: it keeps its
// place, the bound, and is not lost.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"

namespace troupe {
namespace {

using absl::StatusCode;
using Numbers = std::vector<int>;

struct Job {
  int number;
};

// Does what it is told with a Context at hand.
struct Do {
  std::function<void(Context&)> what;
};
struct Hand {
  void On(Do act, Context& self) { act.what(self); }
};

class MailboxReturnTest : public Simulated {
 protected:
  static Numbers Drain(Receiver<Job>& from) {
    Numbers numbers;
    while (auto job = from.TryReceive()) numbers.push_back(job->message.number);
    return numbers;
  }
  ActorRef<Hand> Act(std::function<void(Context&)> what) {
    auto hand = system_.Spawn<Hand>();
    Act(hand, std::move(what));
    return hand;
  }
  void Act(ActorRef<Hand> hand, std::function<void(Context&)> what) {
    hand.Send(Do{std::move(what)});
    Run();
  }
  // One that waits for a message and will end before it can look at it.
  ActorRef<Hand> Waiter(Receiver<Job>& at) {
    return Act([&at](Context& self) {
      at.Receive().Then(self, [](absl::StatusOr<Received<Job>>) { ADD_FAILURE(); });
    });
  }
  StatusCode& Enqueue(Sender<Job> to, int number) {
    auto& told = Keep<StatusCode>();
    told = StatusCode::kUnknown;
    Act([&told, to, number](Context& self) {
      to.Enqueue(Job{number}).Then(self, [&told](absl::Status s) { told = s.code(); });
    });
    return told;
  }
  static MailboxOptions<Job> ByKey(uint32_t capacity = kUnbounded) {
    return {.capacity = capacity, .receivers = Receivers::kByKey, .key = [](const Job& job) {
              return static_cast<uint64_t>(job.number / 100);
            }};
  }
};

TEST_F(MailboxReturnTest, WhatSeveralGiveBackHasTheOrderInWhichItCame) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  const std::vector waiters{Waiter(inbox), Waiter(inbox), Waiter(inbox)};
  for (int i = 1; i <= 4; ++i) jobs.Send(Job{i});
  for (const auto& waiter : waiters) waiter.Stop();  // the first gives back first
  Run();
  EXPECT_EQ(Drain(inbox), (Numbers{1, 2, 3, 4}));
}

TEST_F(MailboxReturnTest, WhatOneGivesBackHasTheOrderInWhichItCame) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto hand = Waiter(inbox);
  Act(hand, [&inbox = inbox](Context& self) {
    inbox.Receive().Then(self, [](absl::StatusOr<Received<Job>>) { ADD_FAILURE(); });
  });
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});
  hand.Stop();
  Run();
  EXPECT_EQ(Drain(inbox), (Numbers{1, 2, 3}));
}

TEST_F(MailboxReturnTest, TheOldestIsDroppedUntilThereIsRoomAgain) {
  auto [jobs, inbox] =
      system_.OpenMailbox<Job>("", {.capacity = 1, .when_full = WhenFull::kDropOldest});
  auto waiter = Waiter(inbox);
  jobs.Send(Job{1});
  jobs.Send(Job{2});
  waiter.Stop();
  Run();
  EXPECT_EQ(jobs.stats().depth, 2u) << "one more than the capacity";
  EXPECT_EQ(jobs.Send(Job{3}), SendResult::kQueued);
  EXPECT_EQ(Drain(inbox), Numbers{3});
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 2u);
}

TEST_F(MailboxReturnTest, WhatGoesBackGoesWhereItsKeyIsNow) {
  for (int key = 1; key <= 16; ++key) {
    auto [jobs, a] = system_.OpenMailbox<Job>("", ByKey());
    auto waiter = Waiter(a);
    jobs.Send(Job{100 * key});
    jobs.Send(Job{100 * key + 1});
    auto b = *a.Share();  // which half of the keys go to
    waiter.Stop();
    Run();
    const Numbers first = Drain(a);
    EXPECT_EQ(first.empty() ? Drain(b) : first, (Numbers{100 * key, 100 * key + 1}));
  }
}

TEST_F(MailboxReturnTest, WhatGoesBackToAMailboxOfTheSystemIsForTheNextReceiver) {
  for (const Receivers receivers : {Receivers::kFirstCome, Receivers::kByKey, Receivers::kAll}) {
    MailboxOptions<Job> options = receivers == Receivers::kByKey ? ByKey() : MailboxOptions<Job>();
    options.receivers = receivers;
    options.owner = MailboxOwner::kSystem;
    auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs", std::move(options));
    auto waiter = Waiter(inbox);
    jobs.Send(Job{1});
    jobs.Send(Job{2});
    inbox = Receiver<Job>();
    waiter.Stop();
    Run();
    auto next = *system_.AttachReceiver<Job>("jobs");
    EXPECT_EQ(Drain(next), (Numbers{1, 2}));
    next.Close(Backlog::kDrop);
  }
}

// ---- room

TEST_F(MailboxReturnTest, AReceiverWithRoomDoesNotTakeACopyThatOthersHaveNoRoomFor) {
  auto [jobs, a] = system_.OpenMailbox<Job>("", {.capacity = 1, .receivers = Receivers::kAll});
  auto b = *a.Share();
  jobs.Send(Job{1});
  EXPECT_EQ(Drain(a), Numbers{1});
  const StatusCode& told = Enqueue(jobs, 2);
  EXPECT_EQ(Drain(a), Numbers{}) << "b is full";
  EXPECT_EQ(told, StatusCode::kUnknown);
  EXPECT_EQ(b.TryReceive()->message.number, 1);
  Run();
  EXPECT_EQ(told, StatusCode::kOk);
  EXPECT_EQ(Drain(a), Numbers{2});
  EXPECT_EQ(Drain(b), Numbers{2});
}

TEST_F(MailboxReturnTest, ANewRightIsRoomForThoseWhoWaitAndNobodyOvertakesThem) {
  for (int key = 1; key <= 16; ++key) {
    auto [jobs, a] = system_.OpenMailbox<Job>("", ByKey(1));
    jobs.Send(Job{100 * key});
    const StatusCode& told = Enqueue(jobs, 100 * key + 1);
    auto b = *a.Share();
    jobs.TrySend(Job{100 * key + 2});  // of the same sender
    Numbers all = Drain(a);
    for (const int number : Drain(b)) all.push_back(number);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    Run();
    EXPECT_EQ(told, StatusCode::kOk);
  }
}

// ---- the end

TEST_F(MailboxReturnTest, ADrainedMailboxHasEndedHoweverItsLastMessageWent) {
  // The last message is withdrawn by its sender.
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
  auto sender =
      Act([to = jobs](Context& self) { to.Deliver(Job{1}).Then(self, [](absl::Status) {}); });
  EXPECT_EQ(inbox.Close(Backlog::kDrain), 1u);
  EXPECT_TRUE(system_.FindMailbox<Job>("jobs").ok());
  sender.Stop();
  Run();
  EXPECT_EQ(system_.FindMailbox<Job>("jobs").status().code(), StatusCode::kNotFound);
  // Or goes with the right it was for.
  auto [copies, a] = system_.OpenMailbox<Job>("copies", {.receivers = Receivers::kAll});
  std::optional<Receiver<Job>> b = *a.Share();
  copies.Send(Job{1});
  EXPECT_EQ(Drain(a), Numbers{1});
  a.Close(Backlog::kDrain);
  b.reset();
  EXPECT_EQ(system_.FindMailbox<Job>("copies").status().code(), StatusCode::kNotFound);
}

TEST_F(MailboxReturnTest, AMailboxThatHasEndedKeepsNothingOfItsUsers) {
  auto captured = std::make_shared<int>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>(
      "", {.warn_at = 1, .on_warning = [captured](const MailboxStats&) {}});
  EXPECT_EQ(captured.use_count(), 2);
  inbox = Receiver<Job>();
  EXPECT_EQ(captured.use_count(), 1);
}

// ---- who waits

TEST_F(MailboxReturnTest, WhoWasServedElsewhereDoesNotKeepOthersFromReceiving) {
  auto [jobs, a] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kOneAtATime});
  auto [others, b] = system_.OpenMailbox<Job>();
  int got = 0;
  Act([&, &a = a, &b = b](Context& self) {
    Select(a, b).Then(self, [&](auto job) { got = std::get<1>(*job).message.number; });
  });
  others.Send(Job{7});
  EXPECT_EQ(a.Receive(absl::ZeroDuration()).Wait().status().code(), StatusCode::kDeadlineExceeded);
  Run();
  EXPECT_EQ(got, 7);
  EXPECT_EQ(jobs.stats().waiting_receivers, 0u);
}

TEST_F(MailboxReturnTest, WhatAnActorEnqueuesAsItEndsGoesInIfThereIsRoom) {
  struct Testator {
    Sender<Job> out;
    void On(int) {}
    void OnStop(Context& self) {
      for (int i = 1; i <= 2; ++i) out.Enqueue(Job{i}).Then(self, [](absl::Status) { FAIL(); });
    }
  };
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  auto actor = system_.Spawn(Testator{jobs});
  Run();
  actor.Stop();
  Run();
  EXPECT_EQ(Drain(inbox), Numbers{1});
  EXPECT_EQ(jobs.stats().waiting_senders, 0u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
}

TEST_F(MailboxReturnTest, WhoHasNoTimeIsDoneOnlyIfThereIsNothingToWaitFor) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  std::vector<StatusCode> sent;
  Numbers got;
  Act([&, to = jobs, &in = inbox](Context& self) {
    const absl::Duration none = absl::ZeroDuration();
    const auto note = [&sent](absl::Status status) { sent.push_back(status.code()); };
    const auto take = [&got](absl::StatusOr<Received<Job>> job) {
      got.push_back(job.ok() ? job->message.number : -static_cast<int>(job.status().code()));
    };
    to.Deliver(Job{1}, none).Then(self, note);
    to.Enqueue(Job{2}, none).Then(self, note);
    to.Enqueue(Job{3}, none).Then(self, note);
    in.Receive(none).Then(self, take);
    in.Receive(none).Then(self, take);
    in.Receive(absl::Seconds(1)).Then(self, take);
    to.Deliver(Job{4}, none).Then(self, note);
    to.Closed(none).Then(self, note);
  });
  const StatusCode late = StatusCode::kDeadlineExceeded;
  EXPECT_EQ(sent, (std::vector{late, StatusCode::kOk, late, StatusCode::kOk, late}));
  EXPECT_EQ(got, (Numbers{2, -static_cast<int>(late), 4}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 2u);
  EXPECT_EQ(jobs.stats().waiting_senders + jobs.stats().waiting_receivers, 0u);
}

// ---- copies

struct Square {
  using Reply = int;
  int number;
};

TEST_F(MailboxReturnTest, OfTheCopiesOfAnAskThatOfTheOldestRightHasTheReply) {
  auto& told = Keep<std::vector<absl::StatusOr<int>>>();
  auto [squares, a] = system_.OpenMailbox<Square>(
      "", {.capacity = 1, .when_full = WhenFull::kDropOldest, .receivers = Receivers::kAll});
  auto b = *a.Share();
  const auto ask = [&told, to = squares](Context& self) {
    to.Ask(Square{3}).Then(self, [&told](absl::StatusOr<int> got) { told.push_back(got); });
  };
  Act(ask);
  EXPECT_FALSE(b.TryReceive()->reply);
  EXPECT_TRUE(told.empty());
  a.TryReceive()->reply.Send(9);
  Run();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(*told[0], 9);
  Act(ask);
  EXPECT_EQ(b.TryReceive()->message.number, 3);
  squares.Send(Square{4});  // for which a's copy is dropped
  Run();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].status().code(), StatusCode::kResourceExhausted) << "though b has got it";
  EXPECT_EQ(b.TryReceive()->message.number, 4);
  a = {};
  Act(ask);
  EXPECT_TRUE(b.TryReceive()->reply) << "the oldest that is left";
}

// ---- copies that fail

struct Fragile {
  explicit Fragile(bool* breaks) : breaks(breaks) {}
  Fragile(Fragile&&) = default;
  Fragile(const Fragile& other) : breaks(other.breaks) {
    if (*breaks) throw std::runtime_error("broken");
  }
  bool* breaks;
};

TEST_F(MailboxReturnTest, WhatCannotBeCopiedIsADeadLetterAndNobodyGetsIt) {
  bool breaks = true;
  auto [out, a] = system_.OpenMailbox<Fragile>("", {.capacity = 1, .receivers = Receivers::kAll});
  auto b = *a.Share();
  EXPECT_EQ(out.TrySend(Fragile(&breaks)), SendResult::kDropped);
  EXPECT_EQ(out.Enqueue(Fragile(&breaks)).Wait().code(), StatusCode::kInternal);
  auto& told = Keep<StatusCode>();
  const auto enqueue = [&told, &breaks, out = out](Context& self) {
    out.Enqueue(Fragile(&breaks)).Then(self, [&told](absl::Status s) { told = s.code(); });
  };
  Act(enqueue);
  EXPECT_EQ(told, StatusCode::kInternal);
  told = StatusCode::kOk;
  breaks = false;
  out.Send(Fragile(&breaks));
  Act(enqueue);  // waits for room
  breaks = true;
  EXPECT_TRUE(a.TryReceive().has_value());
  EXPECT_TRUE(b.TryReceive().has_value());
  Run();
  EXPECT_EQ(told, StatusCode::kInternal);
  EXPECT_FALSE(a.TryReceive().has_value() || b.TryReceive().has_value());
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedNewest), 4u);
  EXPECT_EQ(out.stats().dropped, 4u);
}

// ---- ListenTo

struct Attentive {
  std::optional<Receiver<Job>> jobs;
  Numbers* seen;
  void OnStart(Context& self) { ListenTo(this, self, *std::move(jobs)); }
  void On(Job job) { seen->push_back(job.number); }
};

TEST_F(MailboxReturnTest, AnActorDoesNotListenToWhatOnlyOthersHaveStillToReceive) {
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kAll});
  auto other = *inbox.Share();
  jobs.Send(Job{1});
  system_.Spawn(Attentive{std::move(inbox), &seen});
  Run();
  other.Close(Backlog::kDrain);
  EXPECT_LT(loop_.RunUntilIdle(1000), 1000) << "it asks again and again";
  EXPECT_EQ(seen, Numbers{1});
  EXPECT_EQ(Drain(other), Numbers{1});
}

TEST_F(MailboxReturnTest, AnActorThatMayNotListenFails) {
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kOneAtATime});
  auto other = *inbox.Share();
  Act([&inbox = inbox](Context& self) {
    inbox.Receive().Then(self, [](absl::StatusOr<Received<Job>>) {});
  });
  auto actor = system_.Spawn(Attentive{std::move(other), &seen});
  EXPECT_LT(loop_.RunUntilIdle(1000), 1000) << "it asks again and again";
  EXPECT_EQ(actor.Send(Job{1}), SendResult::kClosed);
}

// What is left of an envelope's time in a mailbox shows only with some times and numbers.
TEST_F(MailboxReturnTest, WhoListensLosesNoAskThatHasExpiredWithoutADeadLetter) {
  struct Answerer {
    Receiver<Square> inbox;
    void OnStart(Context& self) { ListenTo(this, self, std::move(inbox)); }
    int On(Square square) { return square.number * square.number; }
  };
  auto [squares, inbox] = system_.OpenMailbox<Square>();
  constexpr uint64_t kAsks = 16;
  for (uint64_t i = 0; i < kAsks; ++i) {
    Act([to = squares](Context& self) {
      to.Ask(Square{1}, absl::Seconds(1)).Then(self, [](absl::StatusOr<int>) {});
    });
    Advance(absl::Milliseconds(1));
  }
  Advance(absl::Seconds(2));
  system_.Spawn(Answerer{std::move(inbox)});
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), kAsks);
}

struct TakeOver {
  using Reply = int;
  Receiver<Job> inbox;
};
struct Heir {
  Numbers* seen;
  int On(TakeOver take, Context& self) {
    ListenTo(this, self, std::move(take.inbox));
    return 0;
  }
  void On(Job job) { seen->push_back(job.number); }
};

TEST_F(MailboxReturnTest, WhoBeginsToListenAsHeAnswersListensOnAfterTheDeadlineOfTheAsk) {
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto heir = system_.Spawn(Heir{&seen});
  Act([heir, &inbox = inbox](Context& self) {
    heir.Ask(TakeOver{std::move(inbox)}).Then(self, [](absl::StatusOr<int> done) {
      EXPECT_TRUE(done.ok());
    });
  });
  Advance(2 * kDefaultAskTimeout);
  EXPECT_EQ(jobs.Send(Job{1}), SendResult::kQueued);
  Run();
  EXPECT_EQ(seen, Numbers{1});
}

}  // namespace
}  // namespace troupe
