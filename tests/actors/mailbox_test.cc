// A mailbox as an object: the rights to it, what waits in it, and how it ends. Here for plain threads
// and handlers; mailbox_coroutine_test.cc has the coroutines.
#include "troupe/actors/mailbox.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
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

class MailboxTest : public Simulated {
 protected:
  static Numbers Drain(Receiver<Job>& from) {
    Numbers numbers;
    while (auto job = from.TryReceive()) numbers.push_back(job->message.number);
    return numbers;
  }
  static StatusCode WaitCode(Receiver<Job>& from) {
    return from.Receive(absl::Seconds(1)).Wait().status().code();
  }
};

// ---- in and out

TEST_F(MailboxTest, WhatIsSentIsReceivedInOrder) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(jobs.Send(Job{i}), SendResult::kQueued);
  EXPECT_EQ(Drain(inbox), (Numbers{1, 2, 3}));
  EXPECT_FALSE(inbox.TryReceive().has_value());
}

TEST_F(MailboxTest, OneThatNeedsNoNameIsOpenedWithItsOptionsAlone) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>({.capacity = 4});
  EXPECT_EQ(jobs.stats().capacity, 4u);
  EXPECT_EQ(system_.OpenMailbox<Job>().sender.stats().capacity, kUnbounded);
}

TEST_F(MailboxTest, AMessageThatCanOnlyBeMovedPassesThrough) {
  auto [out, in] = system_.OpenMailbox<std::unique_ptr<int>>("", {.capacity = 1});
  out.Send(std::make_unique<int>(7));
  auto received = in.TryReceive();
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(*received->message, 7);
}

struct SendNow {
  Sender<Job> to;
};
TEST_F(MailboxTest, TheReceiverLearnsWhoSent) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto actor = system_.Spawn([](SendNow m) { m.to.Send(Job{1}); });
  actor.Send(SendNow{jobs});
  jobs.Send(Job{2});
  Run();
  EXPECT_EQ(inbox.TryReceive()->sender, AnyRef());
  EXPECT_EQ(inbox.TryReceive()->sender, AnyRef(actor));
}

TEST_F(MailboxTest, NobodysMailboxIsClosed) {
  const Sender<Job> nobody;
  Receiver<Job> none;
  EXPECT_FALSE(nobody);
  EXPECT_EQ(nobody.Send(Job{1}), SendResult::kClosed);
  EXPECT_EQ(nobody.Enqueue(Job{1}).Wait().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(nobody.Closed().Wait().ok());
  EXPECT_EQ(none.Receive().Wait().status().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(none.TryReceive().has_value());
  EXPECT_EQ(none.Share().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(none.Close(Backlog::kDrop), 0u);
  EXPECT_TRUE(nobody.stats().closed);
}

// ---- capacity

TEST_F(MailboxTest, AFullMailboxRefusesATrySend) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 2});
  EXPECT_EQ(jobs.TrySend(Job{1}), SendResult::kQueued);
  EXPECT_EQ(jobs.TrySend(Job{2}), SendResult::kQueued);
  EXPECT_EQ(jobs.TrySend(Job{3}), SendResult::kFull);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 1u);
  EXPECT_EQ(Drain(inbox), (Numbers{1, 2}));
}

TEST_F(MailboxTest, WhatATrySendIsRefusedIsStillTheSenders) {
  using Parcel = std::unique_ptr<int>;
  for (WhenFull policy : {WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest}) {
    auto [out, in] = system_.OpenMailbox<Parcel>("", {.capacity = 1, .when_full = policy});
    auto parcel = std::make_unique<int>(1);
    EXPECT_EQ(out.TrySend(std::move(parcel)), SendResult::kQueued);
    EXPECT_EQ(parcel, nullptr);
    parcel = std::make_unique<int>(2);
    EXPECT_NE(out.TrySend(std::move(parcel)), SendResult::kQueued);
    ASSERT_NE(parcel, nullptr);
    in.TryReceive();
    EXPECT_EQ(out.TrySend(std::move(parcel)), SendResult::kQueued) << "now there is room";
    EXPECT_EQ(*in.TryReceive()->message, 2);
    in.Close(Backlog::kDrop);
    parcel = std::make_unique<int>(3);
    EXPECT_EQ(out.TrySend(std::move(parcel)), SendResult::kClosed);
    ASSERT_NE(parcel, nullptr);
    EXPECT_EQ(Sender<Parcel>().TrySend(std::move(parcel)), SendResult::kClosed);
    EXPECT_EQ(*parcel, 3);
  }
  EXPECT_EQ(letters_.size(), 6u) << "it is reported all the same";
}

TEST_F(MailboxTest, WhatATrySendMayNotSendIsStillTheSenders) {
  auto [out, in] = system_.OpenMailbox<std::string>("", {.receivers = Receivers::kExclusivePair});
  system_.Spawn([to = out](Job) { to.Send("mine"); }).Send(Job{});
  Run();
  std::string words = "a text that is too long to lie in the string itself";
  EXPECT_EQ(out.TrySend(std::move(words)), SendResult::kNotAllowed);
  EXPECT_EQ(words, "a text that is too long to lie in the string itself");
}

TEST_F(MailboxTest, ATrySendOfACopyLeavesTheOriginalAlone) {
  auto [out, in] = system_.OpenMailbox<std::string>("", {.capacity = 1});
  const std::string words = "a text that is too long to lie in the string itself";
  EXPECT_EQ(out.TrySend(words), SendResult::kQueued);
  EXPECT_EQ(out.TrySend(words), SendResult::kFull);
  EXPECT_EQ(in.TryReceive()->message, words);
}

// Its fields are what it was made with, so what comes back is made anew.
struct Sealed {
  const std::unique_ptr<int> number;
  Sealed(Sealed&& other) noexcept
      : number(std::move(const_cast<std::unique_ptr<int>&>(other.number))) {}
  explicit Sealed(int n) : number(std::make_unique<int>(n)) {}
};
TEST_F(MailboxTest, WhatCannotBeAssignedComesBackFromARefusedTrySendToo) {
  auto [out, in] = system_.OpenMailbox<Sealed>("", {.capacity = 0});
  Sealed sealed(7);
  EXPECT_EQ(out.TrySend(std::move(sealed)), SendResult::kFull);
  ASSERT_NE(sealed.number, nullptr);
  EXPECT_EQ(*sealed.number, 7);
}

struct Take {
  Receiver<Job> inbox;
};
TEST_F(MailboxTest, AReceiverThatATrySendIsRefusedStaysAliveWithItsBacklog) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  jobs.Send(Job{1});
  auto [desk, rights] = system_.OpenMailbox<Take>("", {.capacity = 0});
  Take take{std::move(inbox)};
  EXPECT_EQ(desk.TrySend(std::move(take)), SendResult::kFull);
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kQueued);
  EXPECT_EQ(Drain(take.inbox), (Numbers{1, 2}));
  auto gone = system_.Spawn([](Take) {});
  gone.Stop();
  Run();
  EXPECT_EQ(gone.TrySend(std::move(take)), SendResult::kClosed);
  EXPECT_EQ(jobs.Send(Job{3}), SendResult::kQueued);
  EXPECT_EQ(Drain(take.inbox), Numbers{3});
}

// ---- beyond the end of the System

struct Outlived {
  Receiver<Job> inbox;
  std::string name;
};
// With a share of the mailbox that is gone already, and of one that had the same cell before.
Outlived OutliveTheSystem(bool closed_before) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto first = system.OpenMailbox<Job>("first");
  Receiver<Job> stale = std::move(first.receiver);
  stale.Close(Backlog::kDrop);
  auto [jobs, inbox] = system.OpenMailbox<Job>("jobs");
  jobs.Send(Job{1});
  inbox.Share().value();
  if (closed_before) inbox.Close(Backlog::kDrain);
  return {std::move(inbox), jobs.ToString()};
}

TEST(OutlivedMailboxTest, AReceiverThatOutlivesItsSystemIsThatOfAClosedMailbox) {
  for (bool closed_before : {false, true}) {
    auto [inbox, name] = OutliveTheSystem(closed_before);
    EXPECT_FALSE(inbox.TryReceive().has_value());
    EXPECT_EQ(inbox.Receive().Wait().status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(Select(inbox).Wait().status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(inbox.Share().status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(inbox.Close(Backlog::kDrain), 0u);
    EXPECT_TRUE(inbox.stats().closed);
    EXPECT_EQ("jobs" + inbox.ToString(), name);
    Receiver<Job> moved = std::move(inbox);
    EXPECT_TRUE(moved);
  }
}

TEST(OutlivedMailboxTest, TheRightsOfOneMailboxMayOutliveTheSystemOneByOne) {
  std::vector<Receiver<Job>> rights;
  {
    System system;
    auto [jobs, inbox] = system.OpenMailbox<Job>(
        "jobs", {.receivers = Receivers::kByKey, .key = [](const Job& j) { return j.number; }});
    for (int i = 0; i < 3; ++i) rights.push_back(inbox.Share().value());
    rights.push_back(std::move(inbox));
    for (int i = 0; i < 10; ++i) jobs.Send(Job{i});
  }
  while (!rights.empty()) {
    EXPECT_EQ(rights.back().Receive().Wait().status().code(), StatusCode::kUnavailable);
    rights.pop_back();
  }
}

// A member that is declared before the System is destroyed after it.
TEST(OutlivedMailboxTest, AClassMayDeclareItsReceiverBeforeItsSystem) {
  struct Embedded {
    Receiver<Job> inbox;
    ChannelEnd<Job, Job> end;
    System system;
  };
  Embedded embedded;
  embedded.inbox = std::move(embedded.system.OpenMailbox<Job>("jobs").receiver);
  embedded.end = std::move(OpenChannel<Job, Job>(embedded.system).first);
}

// Around the number of messages that senders leave by themselves (internal/mail_intake.h).
TEST_F(MailboxTest, TheBoundIsExactAndTheOrderKeptHoweverManyWait) {
  for (const uint32_t capacity : {1u, 16u, 17u, 81u, 257u, 600u}) {
    auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = capacity});
    int sent = 0;
    int received = 0;
    for (uint32_t taken = 0; taken <= capacity; taken += 13) {
      while (jobs.TrySend(Job{sent}) == SendResult::kQueued) ++sent;
      EXPECT_EQ(jobs.stats().depth, capacity);
      for (uint32_t i = 0; i < taken; ++i) {
        ASSERT_EQ(inbox.TryReceive()->message.number, received++) << "capacity " << capacity;
      }
    }
    while (auto job = inbox.TryReceive()) EXPECT_EQ(job->message.number, received++);
    EXPECT_EQ(received, sent);
    EXPECT_EQ(jobs.stats().sent, static_cast<uint64_t>(sent));
    EXPECT_EQ(jobs.stats().received, static_cast<uint64_t>(sent));
  }
}

TEST_F(MailboxTest, AFullMailboxDoesWhatItsPolicySays) {
  auto [failing, a] = system_.OpenMailbox<Job>("", {.capacity = 1, .when_full = WhenFull::kFail});
  failing.Send(Job{1});
  EXPECT_EQ(failing.Send(Job{2}), SendResult::kFull);
  EXPECT_EQ(failing.Enqueue(Job{3}).Wait().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Drain(a), Numbers{1});

  auto [newest, b] =
      system_.OpenMailbox<Job>("", {.capacity = 1, .when_full = WhenFull::kDropNewest});
  newest.Send(Job{1});
  EXPECT_EQ(newest.Send(Job{2}), SendResult::kDropped);
  EXPECT_EQ(Drain(b), Numbers{1});

  auto [oldest, c] =
      system_.OpenMailbox<Job>("", {.capacity = 2, .when_full = WhenFull::kDropOldest});
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(oldest.Send(Job{i}), SendResult::kQueued);
  EXPECT_EQ(Drain(c), (Numbers{3, 4}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 2u);
}

TEST_F(MailboxTest, WithoutCapacityATrySendNeedsAReceiverWhoWaits) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 0});
  EXPECT_EQ(jobs.TrySend(Job{1}), SendResult::kFull);
  Numbers& seen = Keep<Numbers>();
  auto actor = system_.Spawn([&seen, inbox = std::move(inbox)](int, Context& self) mutable {
    inbox.Receive().Then(
        self, [&seen](absl::StatusOr<Received<Job>> job) { seen.push_back(job->message.number); });
  });
  actor.Send(0);
  Run();
  EXPECT_EQ(jobs.TrySend(Job{2}), SendResult::kQueued);
  EXPECT_EQ(jobs.TrySend(Job{3}), SendResult::kFull);
  Run();
  EXPECT_EQ(seen, Numbers{2});
}

TEST_F(MailboxTest, AWarningComesOnceUntilTheDepthHasFallenToHalf) {
  std::vector<uint64_t> depths;
  auto [jobs, inbox] = system_.OpenMailbox<Job>(
      "", {.warn_at = 4, .on_warning = [&](const MailboxStats& s) { depths.push_back(s.depth); }});
  for (int i = 0; i < 6; ++i) jobs.Send(Job{i});
  EXPECT_EQ(depths, std::vector<uint64_t>{4});
  for (int i = 0; i < 3; ++i) inbox.TryReceive();
  for (int i = 0; i < 3; ++i) jobs.Send(Job{i});
  EXPECT_EQ(depths, std::vector<uint64_t>{4}) << "it was never below two";
  for (int i = 0; i < 5; ++i) inbox.TryReceive();
  for (int i = 0; i < 3; ++i) jobs.Send(Job{i});
  EXPECT_EQ(depths, (std::vector<uint64_t>{4, 4}));
}

// ---- waiting senders

struct Post {
  Job job;
};
// Enqueues or delivers what it is told, and notes what came of it.
class Clerk {
 public:
  enum class How { kEnqueue, kDeliver };
  Clerk(Sender<Job> out, How how, absl::Duration timeout, std::vector<StatusCode>* told)
      : out_(out), how_(how), timeout_(timeout), told_(told) {}
  void On(Post post, Context& self) {
    auto pending =
        how_ == How::kEnqueue ? out_.Enqueue(post.job, timeout_) : out_.Deliver(post.job, timeout_);
    std::move(pending).Then(
        self, [told = told_](absl::Status status) { told->push_back(status.code()); });
  }

 private:
  const Sender<Job> out_;
  const How how_;
  const absl::Duration timeout_;
  std::vector<StatusCode>* const told_;
};

class WaitingSenderTest : public MailboxTest {
 protected:
  ActorRef<Clerk> SpawnClerk(Sender<Job> out, Clerk::How how,
                             absl::Duration timeout = absl::InfiniteDuration()) {
    return system_.Spawn<Clerk>(out, how, timeout, &told_);
  }
  void Post(ActorRef<Clerk> clerk, int number) {
    clerk.Send(troupe::Post{Job{number}});
    Run();
  }
  std::vector<StatusCode>& told_ = Keep<std::vector<StatusCode>>();
};

TEST_F(WaitingSenderTest, SendersThatWaitForRoomGetInInTheOrderInWhichTheyCame) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  jobs.Send(Job{0});
  auto clerk = SpawnClerk(jobs, Clerk::How::kEnqueue);
  for (int i = 1; i <= 3; ++i) Post(clerk, i);
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(jobs.stats().waiting_senders, 3u);
  EXPECT_EQ(jobs.stats().depth, 1u);
  for (int i = 0; i <= 3; ++i) {
    EXPECT_EQ(inbox.TryReceive()->message.number, i);
    Run();
    EXPECT_EQ(told_.size(), std::min<size_t>(i + 1, 3));
    EXPECT_LE(jobs.stats().depth, 1u);
  }
}

TEST_F(WaitingSenderTest, DeliverIsDoneWhenAReceiverHasTheMessage) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 8});
  auto clerk = SpawnClerk(jobs, Clerk::How::kDeliver);
  Post(clerk, 1);
  EXPECT_EQ(jobs.stats().depth, 1u);
  EXPECT_TRUE(told_.empty());
  inbox.TryReceive();
  Run();
  EXPECT_EQ(told_, std::vector<StatusCode>{StatusCode::kOk});
}

TEST_F(WaitingSenderTest, ASendThatTimedOutIsNeverDelivered) {
  for (const Clerk::How how : {Clerk::How::kEnqueue, Clerk::How::kDeliver}) {
    for (const uint32_t capacity : {0u, 1u, 8u}) {
      auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = capacity});
      const bool fills = capacity == 1;
      if (fills) jobs.Send(Job{0});
      if (how == Clerk::How::kEnqueue && capacity == 8) continue;  // does not wait
      told_.clear();
      auto clerk = SpawnClerk(jobs, how, absl::Seconds(1));
      Post(clerk, 1);
      Post(clerk, 2);
      EXPECT_TRUE(told_.empty());
      Advance(absl::Seconds(2));
      EXPECT_EQ(told_, std::vector<StatusCode>(2, StatusCode::kDeadlineExceeded));
      EXPECT_EQ(Drain(inbox), fills ? Numbers{0} : Numbers{});
      EXPECT_EQ(jobs.stats().waiting_senders, 0u);
    }
  }
}

TEST_F(WaitingSenderTest, TheRoomOfASendThatTimedOutIsForTheNext) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  auto impatient = SpawnClerk(jobs, Clerk::How::kDeliver, absl::Seconds(1));
  auto patient = SpawnClerk(jobs, Clerk::How::kEnqueue);
  Post(impatient, 1);  // is in the mailbox
  Post(patient, 2);    // waits for room
  Advance(absl::Seconds(2));
  EXPECT_EQ(told_, (std::vector<StatusCode>{StatusCode::kDeadlineExceeded, StatusCode::kOk}));
  EXPECT_EQ(Drain(inbox), Numbers{2});
}

TEST_F(WaitingSenderTest, WhatASenderThatEndedHadStillToSendIsLost) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  jobs.Send(Job{0});
  auto clerk = SpawnClerk(jobs, Clerk::How::kEnqueue);
  Post(clerk, 1);
  clerk.Stop();
  Run();
  EXPECT_EQ(Drain(inbox), Numbers{0});
  EXPECT_EQ(jobs.stats().waiting_senders, 0u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
  EXPECT_TRUE(told_.empty());
}

TEST_F(WaitingSenderTest, ClosingTellsAllWhoWait) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  Post(SpawnClerk(jobs, Clerk::How::kDeliver), 1);
  Post(SpawnClerk(jobs, Clerk::How::kEnqueue), 2);
  EXPECT_EQ(inbox.Close(Backlog::kDrop), 1u);
  Run();
  EXPECT_EQ(told_, std::vector<StatusCode>(2, StatusCode::kUnavailable));
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 2u);
}

TEST_F(MailboxTest, ABlockingSendOfAPlainThreadWaitsWhileTheLoopRuns) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  Numbers& seen = Keep<Numbers>();
  auto reader = system_.Spawn([&seen, inbox = std::move(inbox)](int) mutable {
    seen.push_back(inbox.TryReceive()->message.number);
  });
  EXPECT_EQ(jobs.Send(Job{1}), SendResult::kQueued);
  reader.Send(0);  // which the next line runs
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kQueued);
  EXPECT_EQ(seen, Numbers{1});
  EXPECT_EQ(jobs.Send(Job{3}), SendResult::kFull) << "nobody is left who could make room";
}

TEST_F(MailboxTest, AHandlerOfAHostDrivenSystemDoesNotBlock) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  std::vector<SendResult> results;
  auto actor = system_.Spawn([&](SendNow m) { results.push_back(m.to.Send(Job{1})); });
  for (int i = 0; i < 2; ++i) actor.Send(SendNow{jobs});
  Run();
  EXPECT_EQ(results, (std::vector<SendResult>{SendResult::kQueued, SendResult::kFull}));
}

// ---- waiting receivers

struct Listen {};
// Receives once for each Listen.
class Reader {
 public:
  Reader(Receiver<Job> in, absl::Duration timeout, int name, std::vector<std::pair<int, int>>* seen)
      : in_(std::move(in)), timeout_(timeout), name_(name), seen_(seen) {}
  void On(Listen, Context& self) {
    in_.Receive(timeout_).Then(self, [this](absl::StatusOr<Received<Job>> job) {
      const int what = job.ok() ? job->message.number : -static_cast<int>(job.status().code());
      seen_->emplace_back(name_, what);
    });
  }

 private:
  Receiver<Job> in_;
  const absl::Duration timeout_;
  const int name_;
  std::vector<std::pair<int, int>>* const seen_;
};

class WaitingReceiverTest : public MailboxTest {
 protected:
  using Seen = std::vector<std::pair<int, int>>;
  ActorRef<Reader> SpawnReader(Receiver<Job> in, int name,
                               absl::Duration timeout = absl::InfiniteDuration()) {
    return system_.Spawn<Reader>(std::move(in), timeout, name, &seen_);
  }
  void Tell(ActorRef<Reader> reader) {
    reader.Send(Listen{});
    Run();
  }
  // Three that share a mailbox and wait in this order.
  std::vector<ActorRef<Reader>> ThreeReaders(Receiver<Job> in) {
    std::vector<ActorRef<Reader>> readers;
    auto second = in.Share();
    auto third = in.Share();
    readers.push_back(SpawnReader(std::move(in), 1));
    readers.push_back(SpawnReader(*std::move(second), 2));
    readers.push_back(SpawnReader(*std::move(third), 3));
    return readers;
  }
  Seen& seen_ = Keep<Seen>();
};

TEST_F(WaitingReceiverTest, AReceiveThatTimedOutEatsNothing) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto reader = SpawnReader(std::move(inbox), 1, absl::Seconds(1));
  Tell(reader);
  Advance(absl::Seconds(2));
  jobs.Send(Job{1});
  Run();
  EXPECT_EQ(seen_, (Seen{{1, -static_cast<int>(StatusCode::kDeadlineExceeded)}}));
  EXPECT_EQ(jobs.stats().depth, 1u);
  Tell(reader);
  EXPECT_EQ(seen_.back(), std::pair(1, 1));
}

TEST_F(WaitingReceiverTest, WhatWasOnItsWayToAnActorThatEndedGoesBackToTheHead) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto other = *inbox.Share();
  auto reader = SpawnReader(std::move(inbox), 1);
  Tell(reader);
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});  // the first is in the reader's own mailbox
  EXPECT_EQ(jobs.stats().depth, 2u);
  reader.Stop();
  Run();
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(Drain(other), (Numbers{1, 2, 3}));
  EXPECT_EQ(jobs.stats().received, 3u);
}

TEST_F(WaitingReceiverTest, WhatGoesBackIsForAnotherWhoWaits) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto readers = ThreeReaders(std::move(inbox));
  Tell(readers[0]);
  Tell(readers[1]);
  jobs.Send(Job{7});
  readers[0].Stop();
  Run();
  EXPECT_EQ(seen_, (Seen{{2, 7}}));
}

TEST_F(WaitingReceiverTest, WhoHasWaitedLongestIsServedFirst) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto readers = ThreeReaders(std::move(inbox));
  for (int i : {2, 0, 1}) Tell(readers[i]);
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});
  Run();
  EXPECT_EQ(seen_, (Seen{{3, 1}, {1, 2}, {2, 3}}));
}

TEST_F(WaitingReceiverTest, RoundRobinServesOneAfterTheOther) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kRoundRobin});
  auto readers = ThreeReaders(std::move(inbox));
  for (int round = 0; round < 2; ++round) {
    for (int i : {2, 1, 0}) Tell(readers[i]);
    for (int i = 0; i < 3; ++i) jobs.Send(Job{i});
    Run();
  }
  EXPECT_EQ(seen_, (Seen{{1, 0}, {2, 1}, {3, 2}, {1, 0}, {2, 1}, {3, 2}}));
}

TEST_F(WaitingReceiverTest, AtRandomEachIsServedAndTheSeedDecides) {
  const auto served = [this](uint64_t seed) {
    seen_.clear();
    auto [jobs, inbox] =
        system_.OpenMailbox<Job>("", {.receivers = Receivers::kRandom, .seed = seed});
    auto readers = ThreeReaders(std::move(inbox));
    for (int round = 0; round < 32; ++round) {
      for (auto& reader : readers) Tell(reader);
      for (int i = 0; i < 3; ++i) jobs.Send(Job{round});
      Run();
    }
    return seen_;
  };
  const Seen once = served(1);
  EXPECT_EQ(once, served(1));
  EXPECT_NE(once, served(2));
  std::set<int> first;
  for (size_t i = 0; i < once.size(); i += 3) first.insert(once[i].first);
  EXPECT_EQ(first, (std::set<int>{1, 2, 3}));
}

TEST_F(WaitingReceiverTest, OneAtATimeASecondReceiveIsRefused) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kOneAtATime});
  auto second = *inbox.Share();
  auto reader = SpawnReader(std::move(inbox), 1);
  Tell(reader);
  EXPECT_EQ(WaitCode(second), StatusCode::kFailedPrecondition);
  jobs.Send(Job{1});
  Run();
  EXPECT_EQ(seen_, (Seen{{1, 1}}));
  EXPECT_EQ(WaitCode(second), StatusCode::kDeadlineExceeded) << "nobody else waits now";
}

// The new owner is one who has not begun to receive when the message comes.
TEST_F(WaitingReceiverTest, WhoHasGivenTheRightAwayGetsNothing) {
  struct TakeOver {
    Receiver<Job> inbox;
  };
  for (const Receivers receivers :
       {Receivers::kFirstCome, Receivers::kOneAtATime, Receivers::kByKey, Receivers::kAll}) {
    MailboxOptions<Job> options{.receivers = receivers};
    if (receivers == Receivers::kByKey) options.key = [](const Job&) { return 7; };
    auto [jobs, inbox] = system_.OpenMailbox<Job>("", std::move(options));
    Receiver<Job> heir;
    auto taker = system_.Spawn([&heir](TakeOver over) { heir = std::move(over.inbox); });
    std::vector<StatusCode> told;
    auto giver = system_.Spawn([&, &inbox = inbox](Listen, Context& self) {
      inbox.Receive().Then(
          self, [&](absl::StatusOr<Received<Job>> job) { told.push_back(job.status().code()); });
    });
    giver.Send(Listen{});
    Run();
    taker.Send(TakeOver{std::move(inbox)});
    jobs.Send(Job{1});
    Run();
    EXPECT_EQ(told, std::vector<StatusCode>{StatusCode::kCancelled});
    auto job = heir.Receive().Wait();
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(job->message.number, 1);
  }
}

TEST_F(WaitingReceiverTest, AMoveEndsOnlyWhatWaitsByThatRight) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto second = *inbox.Share();
  std::vector<int> told;
  auto actor = system_.Spawn([&, &inbox = inbox](Listen, Context& self) {
    inbox.Receive().Then(self, [&](auto job) { told.push_back(job.ok() ? 1 : -1); });
    second.Receive().Then(self, [&](auto job) { told.push_back(job.ok() ? 2 : -2); });
  });
  actor.Send(Listen{});
  Run();
  Receiver<Job> moved = std::move(inbox);  // within its owner it is the same
  Run();
  EXPECT_EQ(told, Numbers{-1});
  jobs.Send(Job{1});
  Run();
  EXPECT_EQ(told, (Numbers{-1, 2}));
  jobs.Send(Job{2});
  EXPECT_EQ(Drain(moved), Numbers{2});
}

TEST_F(WaitingReceiverTest, AReceiverThatIsDestroyedWaitsNoLonger) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  std::optional<Receiver<Job>> second = *inbox.Share();
  std::vector<StatusCode> told;
  auto actor = system_.Spawn([&](Listen, Context& self) {
    second->Receive().Then(
        self, [&](absl::StatusOr<Received<Job>> job) { told.push_back(job.status().code()); });
  });
  actor.Send(Listen{});
  Run();
  second.reset();
  Run();
  EXPECT_EQ(told, std::vector<StatusCode>{StatusCode::kCancelled});
  jobs.Send(Job{1});
  EXPECT_EQ(Drain(inbox), Numbers{1});
}

}  // namespace
}  // namespace troupe
