// Rights that travel: what a Sender or a Receiver is good for on another node.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bridges/sites.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

// ---- a Sender over there

// The mailbox is in home_, and a Sender of it has been sent to away_.
class SenderTest : public testing::Test {
 protected:
  explicit SenderTest(NodeOptions home = {}, NodeOptions away = {})
      : home_(std::move(home)), away_(std::move(away)) {}

  Sender<Job> SendAway(const Sender<Job>& to) {
    desk_.Send(KeepSender{to});
    return away_.sender->get_future().get();
  }

  Site home_;
  Site away_;
  Peer peer_ = Connect(home_, away_);
  Desk desk_ = FindDesk(peer_);
};

TEST_F(SenderTest, ItSendsIntoTheMailboxInOrder) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const Sender<Job> there = SendAway(jobs);
  for (int i = 1; i <= 5000; ++i) ASSERT_EQ(there.Send(Job{i}), SendResult::kQueued);
  EXPECT_EQ(Receive(inbox, 5000), UpTo(5000));
  EXPECT_EQ(home_.dead_letters() + away_.dead_letters(), 0u);
}

TEST_F(SenderTest, ThatComesHomeItIsTheMailboxsOwn) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const auto back = desk_.Ask(KeepSender{jobs}, kLong).Wait();
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, jobs);
  const auto nobodys = desk_.Ask(KeepSender{}, kLong).Wait();
  ASSERT_TRUE(nobodys.ok()) << nobodys.status();
  EXPECT_FALSE(*nobodys);
}

TEST_F(SenderTest, SentTwiceItIsTheSame) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  ASSERT_TRUE(home_.node.PublishMailbox("jobs", jobs).ok());
  const Sender<Job> first = SendAway(jobs);
  const auto peers = Connect(away_, home_);
  EXPECT_EQ(peers.FindMailbox<Job>("jobs", kLong).Wait().value_or(Sender<Job>()), first);
}

TEST_F(SenderTest, AnAskIsAnsweredByWhoReceivesIt) {
  auto [sums, inbox] = home_.system.OpenMailbox<Sum>("sums");
  ASSERT_TRUE(home_.node.PublishMailbox("sums", sums).ok());
  const auto there = Connect(away_, home_).FindMailbox<Sum>("sums", kLong).Wait();
  ASSERT_TRUE(there.ok()) << there.status();
  auto answer =
      std::async(std::launch::async, [to = *there] { return to.Ask(Sum{2, 3}, kLong).Wait(); });
  auto sum = inbox.Receive(kLong).Wait();
  ASSERT_TRUE(sum.ok()) << sum.status();
  sum->reply.Send(sum->message.a + sum->message.b);
  EXPECT_EQ(answer.get().value_or(-1), 5);
}

TEST_F(SenderTest, AnAskDoesNotWaitForRoom) {
  auto [sums, inbox] = home_.system.OpenMailbox<Sum>("", {.capacity = 1});
  ASSERT_TRUE(home_.node.PublishMailbox("sums", sums).ok());
  const auto there = Connect(away_, home_).FindMailbox<Sum>("sums", kLong).Wait();
  ASSERT_TRUE(there.ok()) << there.status();
  sums.Send(Sum{1, 1});
  EXPECT_EQ(there->Ask(Sum{2, 3}, kLong).Wait().status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(SenderTest, AMailboxIsFoundAsThatAndAnActorAsThat) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  ASSERT_TRUE(home_.node.PublishMailbox("jobs", jobs).ok());
  const Peer peer = Connect(away_, home_);
  EXPECT_EQ(peer.Find<Job>("jobs", kLong).Wait().status().message(),
            "\"jobs\" is a mailbox: FindMailbox");
  EXPECT_EQ(peer.FindMailbox<KeepSender>("desk", kLong).Wait().status().message(),
            "\"desk\" is an actor: Find");
  EXPECT_EQ(peer.FindMailbox<Sum>("jobs", kLong).Wait().status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(home_.node.PublishMailbox("none", Sender<Job>()).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SenderTest, R42_EveryHolderLearnsThatTheMailboxIsClosed) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const Sender<Job> there = SendAway(jobs);
  Site elsewhere;
  const Peer another = Connect(home_, elsewhere);
  FindDesk(another).Send(KeepSender{jobs});
  const Sender<Job> also = elsewhere.sender->get_future().get();
  ASSERT_EQ(there.Send(Job{1}), SendResult::kQueued);
  ASSERT_EQ(Receive(inbox, 1), Numbers{1});
  auto told = std::async(std::launch::async, [&] { return there.Closed(kLong).Wait(); });
  inbox = Receiver<Job>();
  EXPECT_TRUE(told.get().ok());
  EXPECT_TRUE(also.Closed(kLong).Wait().ok());
  EXPECT_EQ(there.Send(Job{2}), SendResult::kClosed);
  EXPECT_EQ(also.Send(Job{3}), SendResult::kClosed);
  EXPECT_EQ(there.Enqueue(Job{4}).Wait().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SenderTest, OneOfAMailboxThatHasBeenClosedIsClosed) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  inbox = Receiver<Job>();
  const Sender<Job> there = SendAway(jobs);
  EXPECT_TRUE(there);
  EXPECT_TRUE(there.Closed(kLong).Wait().ok());
  EXPECT_EQ(there.Send(Job{1}), SendResult::kClosed);
}

TEST_F(SenderTest, R42_WhenItsNodeIsLostWhoWaitsIsToldSo) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const Sender<Job> there = SendAway(jobs);
  std::promise<absl::Status> told;
  std::promise<void> waiting;
  const auto watcher = away_.system.Spawn([&](Job, Context& self) {
    there.Closed().Then(self, [&](absl::Status why) { told.set_value(std::move(why)); });
    waiting.set_value();
  });
  watcher.Send(Job{0});
  waiting.get_future().get();
  peer_.Disconnect();
  const absl::Status why = told.get_future().get();
  EXPECT_TRUE(IsNodeLost(why)) << why;
  EXPECT_EQ(there.Send(Job{1}), SendResult::kClosed);
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kQueued) << "the mailbox itself lives";
}

TEST_F(SenderTest, WhatHasArrivedStaysWhenTheConnectionGoes) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const Sender<Job> there = SendAway(jobs);
  for (int i = 1; i <= 3; ++i) there.Send(Job{i});
  ASSERT_TRUE(Eventually([jobs = jobs] { return jobs.stats().depth == 3; }));
  peer_.Disconnect();
  ASSERT_TRUE(there.Closed(kLong).Wait().code() != absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Receive(inbox, 3), UpTo(3));
}

TEST_F(SenderTest, ADrainedNodeHasSentWhatWaitedForTheMailbox) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const Sender<Job> there = SendAway(jobs);
  for (int i = 1; i <= 1000; ++i) ASSERT_EQ(there.Send(Job{i}), SendResult::kQueued);
  const absl::Status drained = away_.node.Drain(kLong);
  EXPECT_TRUE(drained.ok()) << drained;
  EXPECT_EQ(there.Send(Job{0}), SendResult::kClosed);
  EXPECT_EQ(Receive(inbox, 1000), UpTo(1000));
}

TEST_F(SenderTest, WithAllEachGetsACopyAndWithAPairOneNodeMaySend) {
  auto [news, first] = home_.system.OpenMailbox<Job>("", {.receivers = Receivers::kAll});
  Receiver<Job> second = *first.Share();
  const Sender<Job> there = SendAway(news);
  for (int i = 1; i <= 3; ++i) there.Send(Job{i});
  EXPECT_EQ(Receive(first, 3), UpTo(3));
  EXPECT_EQ(Receive(second, 3), UpTo(3));

  auto [pair, inbox] = home_.system.OpenMailbox<Job>("", {.receivers = Receivers::kExclusivePair});
  ASSERT_TRUE(home_.node.PublishMailbox("pair", pair).ok());
  const auto mine = Connect(away_, home_).FindMailbox<Job>("pair", kLong).Wait();
  ASSERT_TRUE(mine.ok()) << mine.status();
  mine->Send(Job{1});
  EXPECT_EQ(Receive(inbox, 1), Numbers{1});
  EXPECT_EQ(pair.Send(Job{2}), SendResult::kNotAllowed) << "it has its sender";
}

TEST_F(SenderTest, AWeakerRightToAMailboxTravelsAsARecipient) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const RevocableRecipient<Job> lent = jobs.Limit(1, absl::InfiniteDuration());
  desk_.Send(KeepRecipient{lent});
  const Recipient<Job> there = away_.recipient->get_future().get();
  there.Send(Job{1});
  there.Send(Job{2});
  EXPECT_EQ(Receive(inbox, 1), Numbers{1});
  ASSERT_TRUE(Eventually([&] { return home_.dead_letters() == 1; }));
  lent.Revoke();
  EXPECT_TRUE(away_.system.Join(there, kLong).ok());
  EXPECT_EQ(there.Send(Job{3}), SendResult::kClosed);
}

class SmallSenderTest : public SenderTest {
 protected:
  SmallSenderTest() : SenderTest({.window = 1000}, {.capacity = 4, .when_full = WhenFull::kFail}) {}
};

TEST_F(SmallSenderTest, AFullMailboxHoldsUpItsSendersThereAndLosesNothing) {
  for (const uint32_t capacity : {2u, kUnbounded}) {  // what nobody has received counts
    auto [jobs, inbox] = home_.system.OpenMailbox<Job>("", {.capacity = capacity});
    ASSERT_TRUE(home_.node.PublishMailbox("jobs", jobs).ok());
    const auto there = Connect(away_, home_).FindMailbox<Job>("jobs", kLong).Wait();
    ASSERT_TRUE(there.ok()) << there.status();
    const uint64_t before = home_.dead_letters() + away_.dead_letters();
    int sent = 0;
    while (there->Send(Job{sent + 1}) == SendResult::kQueued) ++sent;
    EXPECT_LT(sent, 1000);
    EXPECT_EQ(Receive(inbox, sent), UpTo(sent));
    EXPECT_EQ(home_.dead_letters() + away_.dead_letters(), before + 1) << "the refused one";
  }
}

// ---- a Receiver that goes there

// Opened at home_, and sent to away_.
class ReceiverTest : public SenderTest {
 protected:
  using SenderTest::SenderTest;

  Receiver<Job> HandOver(Receiver<Job> inbox) {
    desk_.Send(TakeOver<Job>{std::move(inbox)});
    return away_.jobs->get_future().get();
  }
};

TEST_F(ReceiverTest, R49_ItGoesWithTheBacklogAndSendersDoNotNotice) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  for (int i = 1; i <= 1000; ++i) jobs.Send(Job{i});
  desk_.Send(TakeOver<Job>{std::move(inbox)});
  for (int i = 1001; i <= 2000; ++i) ASSERT_EQ(jobs.Send(Job{i}), SendResult::kQueued);
  Receiver<Job> there = away_.jobs->get_future().get();
  for (int i = 2001; i <= 3000; ++i) ASSERT_EQ(jobs.Send(Job{i}), SendResult::kQueued);
  EXPECT_EQ(Receive(there, 3000), UpTo(3000));
  EXPECT_EQ(home_.dead_letters() + away_.dead_letters(), 0u);
}

TEST_F(ReceiverTest, R49_TheEndOfTheNewOwnerIsTheEndOfTheMailbox) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  for (int i = 1; i <= 100; ++i) jobs.Send(Job{i});
  {
    Receiver<Job> there = HandOver(std::move(inbox));
    EXPECT_EQ(Receive(there, 7), UpTo(7));  // of so few it is not told home that they were taken
    EXPECT_FALSE(jobs.stats().closed);
  }
  EXPECT_TRUE(jobs.Closed(kLong).Wait().ok());
  EXPECT_EQ(jobs.Send(Job{101}), SendResult::kClosed);
  // All that was not received is a dead letter, here or there, and so is the refused one.
  const auto lost = [&] { return home_.dead_letters() + away_.dead_letters(); };
  EXPECT_TRUE(Eventually([&] { return lost() == 94; })) << lost();
}

TEST_F(ReceiverTest, R49_NoMoreThanAFewMessagesGoAheadOfWhoReceives) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  for (int i = 1; i <= 100; ++i) jobs.Send(Job{i});
  Receiver<Job> there = HandOver(std::move(inbox));
  ASSERT_TRUE(Eventually([&] { return there.stats().depth == 16; }));
  EXPECT_EQ(jobs.stats().depth, 84u);
  EXPECT_EQ(Receive(there, 100), UpTo(100));
}

TEST_F(ReceiverTest, R49_WhenTheMailboxIsClosedWhatIsLeftCanBeReceivedAndThenItsEnd) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  for (int i = 1; i <= 100; ++i) jobs.Send(Job{i});
  Receiver<Job> here = *inbox.Share();
  Receiver<Job> there = HandOver(std::move(inbox));
  here.Close(Backlog::kDrain);
  EXPECT_EQ(Receive(there, 100), UpTo(100));
  const absl::Status end = there.Receive(kLong).Wait().status();
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(IsNodeLost(end)) << end;
}

TEST_F(ReceiverTest, R49_WhenTheNodeIsLostTheMailboxIsClosedAndItsMessagesAreDeadLetters) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  for (int i = 1; i <= 100; ++i) jobs.Send(Job{i});
  Receiver<Job> there = HandOver(std::move(inbox));
  EXPECT_EQ(Receive(there, 1), UpTo(1));
  ASSERT_TRUE(Eventually([&] { return there.stats().depth == 15; }));
  peer_.Disconnect();
  EXPECT_TRUE(jobs.Closed(kLong).Wait().ok());
  EXPECT_TRUE(Eventually([&] { return home_.dead_letters() == 84; }));
  Numbers rest = Receive(there, 15);  // what has come can be received
  EXPECT_EQ(rest.size(), 15u);
  const absl::Status end = there.Receive(kLong).Wait().status();
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable) << end;
}

TEST_F(ReceiverTest, R49_WhoWaitsWhenTheNodeOfTheMailboxIsLostIsToldSo) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  Receiver<Job> there = HandOver(std::move(inbox));
  auto waiting = std::async(std::launch::async, [&] { return there.Receive(kLong).Wait(); });
  ASSERT_TRUE(Eventually([&] { return there.stats().waiting_receivers == 1; }));
  peer_.Disconnect();
  const absl::Status end = waiting.get().status();
  EXPECT_TRUE(IsNodeLost(end)) << end;
}

TEST_F(ReceiverTest, R49_AMailboxOfTheSystemsSurvivesTheNodeThatHadItsRight) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>("jobs", {.owner = MailboxOwner::kSystem});
  for (int i = 1; i <= 100; ++i) jobs.Send(Job{i});
  Receiver<Job> there = HandOver(std::move(inbox));
  ASSERT_TRUE(Eventually([&] { return there.stats().depth == 16; }));
  peer_.Disconnect();
  absl::StatusOr<Receiver<Job>> next;
  ASSERT_TRUE(Eventually([&] {
    next = home_.system.AttachReceiver<Job>("jobs");
    return next.ok();
  }));
  EXPECT_EQ(next->TryReceive()->message.number, 17);
}

TEST_F(ReceiverTest, R49_ARequestInTheBacklogIsAnsweredByTheNewOwner) {
  auto [sums, inbox] = home_.system.OpenMailbox<Sum>();
  auto answer =
      std::async(std::launch::async, [to = sums] { return to.Ask(Sum{2, 3}, kLong).Wait(); });
  ASSERT_TRUE(Eventually([&, to = sums] { return to.stats().depth == 1; }));
  desk_.Send(TakeOver<Sum>{std::move(inbox)});
  Receiver<Sum> there = away_.sums->get_future().get();
  auto sum = there.Receive(kLong).Wait();
  ASSERT_TRUE(sum.ok()) << sum.status();
  sum->reply.Send(sum->message.a + sum->message.b);
  EXPECT_EQ(answer.get().value_or(-1), 5);
}

TEST_F(ReceiverTest, R50_AShareThatGoesIsOneMoreReceiver) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  Receiver<Job> there = HandOver(*inbox.Share());
  for (int i = 1; i <= 100; ++i) jobs.Send(Job{i});
  ASSERT_TRUE(Eventually([&] { return there.stats().depth == 16; }));
  Numbers here;
  while (auto job = inbox.TryReceive()) here.push_back(job->message.number);
  EXPECT_EQ(here.size(), 84u);
  Numbers both = Receive(there, 16);
  both.insert(both.end(), here.begin(), here.end());
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, UpTo(100));
  there = Receiver<Job>();
  EXPECT_EQ(jobs.Send(Job{101}), SendResult::kQueued) << "the other still has his right";
}

TEST_F(ReceiverTest, R49_ItGoesOnToAThirdNode) {
  Site third;
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  for (int i = 1; i <= 100; ++i) jobs.Send(Job{i});
  FindDesk(Connect(away_, third)).Send(TakeOver<Job>{HandOver(std::move(inbox))});
  Receiver<Job> there = third.jobs->get_future().get();
  for (int i = 101; i <= 200; ++i) ASSERT_EQ(jobs.Send(Job{i}), SendResult::kQueued);
  EXPECT_EQ(Receive(there, 200), UpTo(200));
  there = Receiver<Job>();
  EXPECT_TRUE(jobs.Closed(kLong).Wait().ok());
}

TEST_F(ReceiverTest, R49_NobodysReceiverIsNobodysThere) { EXPECT_FALSE(HandOver(Receiver<Job>())); }

// It answers no request.
class RefusingNodeTest : public ReceiverTest {
 protected:
  RefusingNodeTest() : ReceiverTest({}, {.max_requests = 0}) {}
};

struct Adopt {
  using Reply = void;
  Receiver<Job> inbox;
};
struct Adopter {
  void On(Adopt) { ADD_FAILURE() << "this has been refused"; }
};

TEST_F(RefusingNodeTest, R49_WithARequestThatIsRefusedTheRightEndsAsWithAnyThatIsLost) {
  ASSERT_TRUE(away_.node.Publish<Adopt>("adopter", away_.system.Spawn<Adopter>()).ok());
  const auto adopter = peer_.Find<Adopt>("adopter", kLong).Wait();
  ASSERT_TRUE(adopter.ok()) << adopter.status();
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  jobs.Send(Job{1});
  EXPECT_EQ(adopter->Ask(Adopt{std::move(inbox)}, kLong).Wait().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(jobs.Closed(kLong).Wait().ok());
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kClosed);
}

class SmallFrameTest : public ReceiverTest {
 protected:
  SmallFrameTest() : ReceiverTest({.capacity = 1}, {.max_frame = 4096}) {}

  // That is what comes there before all others.
  void ExpectFirst(Receiver<Sum> inbox, int a) {
    desk_.Send(TakeOver<Sum>{std::move(inbox)});
    Receiver<Sum> there = away_.sums->get_future().get();
    const auto sum = there.Receive(kLong).Wait();
    ASSERT_TRUE(sum.ok()) << sum.status();
    EXPECT_EQ(sum->message.a, a);
  }
};

TEST_F(SmallFrameTest, R49_WithAMessageThatCannotBeSentTheRightEndsAsWithAnyThatIsLost) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  desk_.Send(TakeOver<Job>{std::move(inbox), std::string(5000, 'x')});
  EXPECT_TRUE(jobs.Closed(kLong).Wait().ok());
}

TEST_F(SmallFrameTest, R49_MessagesThatAreTooLongDoNotHoldUpTheOthers) {
  auto [sums, inbox] = home_.system.OpenMailbox<Sum>();
  for (int i = 0; i < 40; ++i) sums.Send(Sum{1, 1, std::string(5000, 'x')});
  sums.Send(Sum{2, 3});
  ExpectFirst(std::move(inbox), 2);
  EXPECT_EQ(home_.dead_letters(), 40u);
}

// What nobody reads has all the credit that it may have of the node that is to read it.
class SmallWindowTest : public ReceiverTest {
 protected:
  SmallWindowTest() : ReceiverTest({.window = 2000}, {.window = 2000}) {}
};

TEST_F(SmallWindowTest, R49_TheRightGoesToWhoeverHasSentAllThatHeMay) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  const Sender<Job> there = SendAway(jobs);
  for (int i = 1; i <= 200; ++i) ASSERT_EQ(there.Send(Job{i}), SendResult::kQueued);
  // Some 20 fill half of the window, which is what one may have.
  ASSERT_TRUE(Eventually([&, &all = jobs] { return all.stats().depth >= 20; }));
  Receiver<Job> back = HandOver(std::move(inbox));
  EXPECT_EQ(Receive(back, 200), UpTo(200));
}

TEST_F(SmallFrameTest, R49_AsksThatHaveExpiredDoNotHoldUpTheOthers) {
  auto [sums, inbox] = home_.system.OpenMailbox<Sum>();
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(sums.Ask(Sum{1, 1}, absl::Milliseconds(1)).Wait().status().code(),
              absl::StatusCode::kDeadlineExceeded);
  }
  sums.Send(Sum{2, 3});
  ExpectFirst(std::move(inbox), 2);
}

// Of whatever a right's proxies hold nothing is dropped.
TEST_F(SmallFrameTest, R49_TheCapacityTowardsOtherNodesDoesNotMatter) {
  auto [jobs, inbox] = home_.system.OpenMailbox<Job>();
  for (int i = 1; i <= 1000; ++i) jobs.Send(Job{i});
  Receiver<Job> there = HandOver(std::move(inbox));
  EXPECT_EQ(Receive(there, 1000), UpTo(1000));
}

// The proxy that was to empty it had ended before it was told.
TEST(EarlyLossTest, ASenderOfAConnectionThatWasLostAtOnceIsToldSo) {
  System system;
  auto [jobs, inbox] = system.OpenMailbox<Job>();
  internal::TakeMail lost(internal::AnyReceiver(inbox.id(), inbox.share()), nullptr);
  inbox.Release();
  std::promise<absl::Status> told;
  system
      .Spawn([&, jobs = jobs](Job, Context& self) {
        jobs.Closed().Then(self, [&](absl::Status why) { told.set_value(std::move(why)); });
        const internal::TakeMail ends(std::move(lost));
      })
      .Send(Job{1});
  const absl::Status why = told.get_future().get();
  EXPECT_TRUE(IsNodeLost(why)) << why;
}

}  // namespace
}  // namespace troupe
