// E. Whose a mailbox is, what he may do, and what happens when he ends.
#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"

namespace troupe {
namespace {

struct Take {
  Receiver<Job> inbox;
};
struct Show {
  Numbers* to;
};
struct Await {
  Numbers* to;
};
struct Keeper {
  std::optional<Receiver<Job>> inbox;
  void On(Take take) { inbox = std::move(take.inbox); }
  void On(Show show) {
    while (auto job = inbox->TryReceive()) show.to->push_back(job->message.number);
  }
  void On(Await await, Context& self) {
    inbox->Receive().Then(self, [to = await.to](absl::StatusOr<Received<Job>> job) {
      to->push_back(job->message.number);
    });
  }
};

TEST_F(MessagePassing, R38_AMailboxIsAnActorsOrTheSystems) {
  auto [actors, a] = system_.OpenMailbox<Job>("actors");
  auto [systems, b] = system_.OpenMailbox<Job>("systems", {.owner = MailboxOwner::kSystem});
  auto p = system_.Spawn<Keeper>();
  auto q = system_.Spawn<Keeper>();
  p.Send(Take{std::move(a)});
  q.Send(Take{std::move(b)});
  Run();
  p.Stop();
  q.Stop();
  Run();
  EXPECT_TRUE(actors.stats().closed);
  EXPECT_FALSE(systems.stats().closed);
}

template <class T>
constexpr bool kSends = requires(T& t) { t.Send(Job{1}); };
template <class T>
constexpr bool kReceives = requires(T& t) { t.Receive(); } || requires(T& t) { t.TryReceive(); };
template <class T>
constexpr bool kGivesSender = requires(T& t) { t.sender(); };
template <class T>
constexpr bool kCloses = requires(T& t) { t.Close(Backlog::kDrop); };

TEST_F(MessagePassing, R40_AnOwnerOnlyReceivesAndAUserOnlySends) {
  using In = Receiver<Job>;
  using Out = Sender<Job>;
  static_assert(kReceives<In> && kCloses<In> && !kSends<In>);
  static_assert(!kGivesSender<In>, "whoever is given the one right has not the other");
  static_assert(kSends<Out> && !kReceives<Out> && !kCloses<Out>);
  static_assert(!std::constructible_from<In, Out> && !std::is_assignable_v<In&, Out>);
}

TEST_F(MessagePassing, R42_TheEndOfTheOwnerIsKnownToAllAtOnce) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 0});
  auto owner = system_.Spawn<Keeper>();
  owner.Send(Take{std::move(inbox)});
  Run();
  const StatusCode& waiting = LetSend(Somebody(), [out = jobs] { return out.Deliver(Job{1}); });
  auto& closed = Keep<StatusCode>();
  closed = StatusCode::kUnknown;
  Let(Somebody(), [&closed, out = jobs](Context& self) {
    out.Closed().Then(self, [&closed](absl::Status status) { closed = status.code(); });
  });
  EXPECT_EQ(waiting, StatusCode::kUnknown);
  EXPECT_EQ(closed, StatusCode::kUnknown);
  owner.Stop();
  Run();
  EXPECT_EQ(waiting, StatusCode::kUnavailable);
  EXPECT_EQ(closed, StatusCode::kOk);
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kClosed);
}

struct Price {
  using Reply = int;
};
struct PriceList {
  Receiver<Price> in;
  void On(const Note&) {}
};

TEST_F(MessagePassing, R42_AsksThatWaitInItFailAtOnce) {
  auto [prices, in] = system_.OpenMailbox<Price>();
  auto owner = system_.Spawn<PriceList>(PriceList{std::move(in)});
  auto& told = Keep<std::vector<StatusCode>>();
  for (int i = 0; i < 2; ++i) {
    Let(Somebody(), [&told, prices = prices](Context& self) {
      prices.Ask(Price{}, absl::InfiniteDuration()).Then(self, [&told](absl::StatusOr<int> price) {
        told.push_back(price.status().code());
      });
    });
  }
  EXPECT_TRUE(told.empty());
  owner.Stop();
  Run();
  EXPECT_EQ(told, (std::vector<StatusCode>{StatusCode::kUnavailable, StatusCode::kUnavailable}));
}

TEST_F(MessagePassing, R43_TheBacklogOfTheSystemsMailboxSurvivesItsReaders) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs", {.owner = MailboxOwner::kSystem});
  auto& seen = Keep<Numbers>();
  auto reader = Somebody();
  LetReceive(reader, inbox, seen);
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});  // the first is on its way to the reader
  reader.Stop();
  inbox = Receiver<Job>();
  Run();
  EXPECT_TRUE(seen.empty());
  jobs.Send(Job{4});
  auto next = *system_.AttachReceiver<Job>("jobs");
  EXPECT_EQ(Drain(next), (Numbers{1, 2, 3, 4}));
}

TEST_F(MessagePassing, R44_CreateSendReceiveAndDeleteAreOperationsOfTheSystem) {
  for (const Backlog backlog : {Backlog::kDrop, Backlog::kDrain}) {
    auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
    for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});
    EXPECT_EQ(inbox.TryReceive()->message.number, 1);
    EXPECT_EQ(inbox.Close(backlog), 2u) << "it says how many";
    EXPECT_EQ(jobs.Send(Job{4}), SendResult::kClosed);
    EXPECT_EQ(Drain(inbox), backlog == Backlog::kDrain ? (Numbers{2, 3}) : Numbers{});
    EXPECT_FALSE(system_.FindMailbox<Job>("jobs").ok());
  }
}

TEST_F(MessagePassing, R47_WhoOpensAMailboxOwnsItAndReceivesAlone) {
  static_assert(std::movable<Receiver<Job>> && !std::copy_constructible<Receiver<Job>> &&
                !std::is_copy_assignable_v<Receiver<Job>>);
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
  EXPECT_EQ(system_.AttachReceiver<Job>("jobs").status().code(), StatusCode::kFailedPrecondition);
  jobs.Send(Job{1});
  EXPECT_EQ(Drain(inbox), Numbers{1});
}

TEST_F(MessagePassing, R49_TheReceiveRightIsPassedOnWithTheBacklogAndSendersDoNotNotice) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto& seen = Keep<Numbers>();
  auto peer = system_.Spawn<Keeper>();
  jobs.Send(Job{1});
  peer.Send(Take{std::move(inbox)});
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kQueued) << "on its way";
  Run();
  EXPECT_EQ(jobs.Send(Job{3}), SendResult::kQueued);
  peer.Send(Show{&seen});
  Run();
  EXPECT_EQ(seen, (Numbers{1, 2, 3}));
}

TEST_F(MessagePassing, R50_APassedShareIsOneMoreReceiver) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto& seen = Keep<Numbers>();
  auto peer = system_.Spawn<Keeper>();
  peer.Send(Take{*inbox.Share()});
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});
  EXPECT_EQ(inbox.TryReceive()->message.number, 1);
  peer.Send(Show{&seen});
  Run();
  EXPECT_EQ(seen, (Numbers{2, 3}));
  peer.Stop();
  Run();
  EXPECT_EQ(jobs.Send(Job{4}), SendResult::kQueued) << "the other still has his right";
}

TEST_F(MessagePassing, R50_WhichOfThoseWhoWaitReceivesTheMailboxDecidesAsR34Says) {
  for (const Receivers receivers : {Receivers::kFirstCome, Receivers::kRoundRobin}) {
    auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.receivers = receivers});
    auto& mine = Keep<Numbers>();
    auto& theirs = Keep<Numbers>();
    auto peer = system_.Spawn<Keeper>();
    peer.Send(Take{*inbox.Share()});
    peer.Send(Await{&theirs});  // first
    Run();
    LetReceive(Somebody(), inbox, mine);
    jobs.Send(Job{1});
    jobs.Send(Job{2});
    Run();
    const bool in_turn = receivers == Receivers::kRoundRobin;
    EXPECT_EQ(mine, Numbers{in_turn ? 1 : 2});
    EXPECT_EQ(theirs, Numbers{in_turn ? 2 : 1});
  }
}

}  // namespace
}  // namespace troupe
