// B. Links: a right to send is the link. It can be weakened before it is given away, and taken back.
#include <atomic>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"
#include "troupe/actors/internal/actor_cell.h"

namespace troupe {
namespace {

struct Get {
  using Reply = int;
};

// What an actor of the tests has handled.
struct Seen {
  Numbers jobs;
  std::vector<AnyRef> senders;
};
struct Shop {
  Seen* seen;
  void On(Job job, Context& self) {
    seen->jobs.push_back(job.number);
    seen->senders.push_back(self.sender());
  }
  int On(Get) { return static_cast<int>(seen->jobs.size()); }
};

class MessagePassingRights : public MessagePassing {
 protected:
  // What came of an ask by somebody; kUnknown while he waits, or 1000 plus the answer.
  int& LetAsk(const Recipient<Get>& whom) {
    auto& told = Keep<int>();
    told = static_cast<int>(StatusCode::kUnknown);
    Let(Somebody(), [&told, whom](Context& self) {
      whom.Ask(Get{}).Then(self, [&told](absl::StatusOr<int> got) {
        told = got.ok() ? 1000 + *got : static_cast<int>(got.status().code());
      });
    });
    return told;
  }
  // `who` watches `whom`, and how he ended is noted.
  std::optional<ExitReason>& LetWatch(const AnyRef& whom) {
    auto& told = Keep<std::optional<ExitReason>>();
    struct Watcher {
      std::optional<ExitReason>* told;
      void On(Down down) { *told = down.reason; }
      void On(Do act, Context& self) { act.what(self); }
    };
    system_.Spawn(Watcher{&told}).Send(Do{[whom](Context& self) { self.Watch(whom); }});
    Run();
    return told;
  }

  Seen& seen_ = Keep<Seen>();
  ActorRef<Shop> shop_ = system_.Spawn(Shop{&seen_});
};

template <class T, class M>
constexpr bool kTakes = std::is_constructible_v<Recipient<M>, T>;
template <class T>
constexpr bool kStops = requires(const T& t) { t.Stop(); };
template <class T>
constexpr bool kRevokes = requires(const T& t) { t.Revoke(); };

template <class Link>
constexpr bool kIsMadeOfText =
    std::is_constructible_v<Link, std::string> || std::is_constructible_v<Link, const char*>;

TEST_F(MessagePassingRights, R13_WithoutALinkNobodyIsReached) {
  EXPECT_EQ(Recipient<Job>().Send(Job{1}), SendResult::kClosed);
  EXPECT_EQ(ActorRef<Shop>().Send(Job{2}), SendResult::kClosed);
  EXPECT_EQ(LetAsk(Recipient<Get>()), static_cast<int>(StatusCode::kUnavailable));
  EXPECT_EQ(system_.Find<Job>("shop").status().code(), StatusCode::kNotFound) << "it has no name";
  // What is printed of a link is none, neither by itself nor as a name.
  const std::string printed = AnyRef(shop_).ToString();
  EXPECT_EQ(system_.Find<Job>(printed).status().code(), StatusCode::kNotFound);
  static_assert(!kIsMadeOfText<ActorRef<Shop>> && !kIsMadeOfText<Recipient<Job>> &&
                !kIsMadeOfText<AnyRef> && !kIsMadeOfText<Sender<Job>>);
  Run();
  EXPECT_EQ(seen_.jobs, Numbers{});
}

TEST_F(MessagePassingRights, R13_OnlyIsTheRightToTheseMessagesAndNothingElse) {
  auto only = shop_.Only<Get>();
  static_assert(std::is_same_v<decltype(only), Recipient<Get>> && !kStops<Recipient<Get>>);
  static_assert(!kTakes<Recipient<Get>, Job> && kTakes<Recipient<Get, Job>, Job>);
  static_assert(std::is_same_v<decltype(shop_.Only<Get, Job>().Only<Job>()), Recipient<Job>>);
  static_assert(sizeof(ActorRef<Shop>) == 16 && sizeof(Recipient<Job>) == 24);
  EXPECT_TRUE(only == shop_.Only<Get>());
  EXPECT_EQ(AnyRef(only), AnyRef(shop_)) << "nobody is in between";
  EXPECT_EQ(LetAsk(only), 1000);
}

TEST_F(MessagePassingRights, R13_WhatPassesIsAsIfThereWereNobodyInBetween) {
  const Recipient<Job, Get> lent = shop_.Only<Job, Get>().Attenuate();
  EXPECT_NE(AnyRef(lent), AnyRef(shop_));
  auto q = Somebody();
  Let(q, [lent](Context&) {
    for (int i = 1; i <= 3; ++i) lent.Send(Job{i});
  });
  EXPECT_EQ(seen_.jobs, (Numbers{1, 2, 3})) << "in order";
  EXPECT_EQ(seen_.senders, (std::vector<AnyRef>{q, q, q}));
  EXPECT_EQ(LetAsk(lent), 1003);
  EXPECT_TRUE(letters_.empty());
}

TEST_F(MessagePassingRights, R13_NoMoreThanTheLimitPassInAnySpan) {
  const Recipient<Job, Get> lent = shop_.Only<Job, Get>().Limit(2, absl::Seconds(1));
  const auto send = [&](int number) {
    EXPECT_EQ(lent.Send(Job{number}), SendResult::kQueued);
    Run();
  };
  send(1);
  Advance(absl::Milliseconds(900));
  send(2);
  send(3);  // two in the last second
  Advance(absl::Milliseconds(100));
  send(4);  // the first is a second ago
  send(5);  // and the other two are not
  EXPECT_EQ(seen_.jobs, (Numbers{1, 2, 4}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 2u);
  ASSERT_EQ(letters_.size(), 2u);
  EXPECT_EQ(letters_[0].target, AnyRef(lent)) << "the letter names the right";
  EXPECT_EQ(LetAsk(lent), static_cast<int>(StatusCode::kResourceExhausted)) << "at once";
  Advance(absl::Seconds(1));
  EXPECT_EQ(LetAsk(lent), 1003);
}

TEST_F(MessagePassingRights, R13_AnySpanIsWithinTheLimitWhateverTheTimes) {
  constexpr int kLimit = 5;
  const absl::Duration span = absl::Milliseconds(100);
  auto& passed = Keep<std::vector<absl::Time>>();
  auto clock = system_.Spawn([&passed](Job, Context& self) { passed.push_back(self.Now()); });
  const Recipient<Job> lent = clock.Only<Job>().Limit(kLimit, span);
  for (int i = 0; i < 1000; ++i) {
    lent.Send(Job{i});
    Run();
    Advance(absl::Milliseconds(i * 7919 % 31));
  }
  ASSERT_GT(passed.size(), 300u) << "those that may do";
  for (size_t i = kLimit; i < passed.size(); ++i) EXPECT_GE(passed[i] - passed[i - kLimit], span);
}

TEST_F(MessagePassingRights, R13_AOneTimeRightIsALimitForEver) {
  const Recipient<Job> once = shop_.Only<Job>().Limit(1, absl::InfiniteDuration());
  once.Send(Job{1});
  Run();
  Advance(absl::Hours(24 * 365));
  once.Send(Job{2});
  Run();
  EXPECT_EQ(seen_.jobs, Numbers{1});
}

TEST_F(MessagePassingRights, R13_ARightExpires) {
  const Recipient<Job, Get> after = shop_.Only<Job, Get>().Expires(absl::Seconds(10));
  const Recipient<Job> at = shop_.Only<Job>().Expires(loop_.Now() + absl::Seconds(10));
  const Recipient<Job> past = shop_.Only<Job>().Expires(loop_.Now());
  auto& down = LetWatch(after);
  past.Send(Job{1});
  Advance(absl::Seconds(9));
  after.Send(Job{2});
  Run();
  at.Send(Job{3});
  Run();
  EXPECT_FALSE(down.has_value());
  Advance(absl::Seconds(1));
  EXPECT_EQ(down, ExitReason::kNormal) << "who watches a right learns of its end";
  EXPECT_EQ(after.Send(Job{4}), SendResult::kClosed);
  EXPECT_EQ(at.Send(Job{5}), SendResult::kClosed);
  EXPECT_EQ(LetAsk(after), static_cast<int>(StatusCode::kPermissionDenied));
  EXPECT_EQ(seen_.jobs, (Numbers{2, 3}));
  EXPECT_EQ(shop_.Send(Job{6}), SendResult::kQueued) << "what it was made of stays";
}

TEST_F(MessagePassingRights, R13_ARightIsTakenBackWithAllThatWasMadeOfIt) {
  const RevocableRecipient<Job, Get> lent = shop_.Only<Job, Get>().Attenuate();
  const RevocableRecipient<Job> sibling = shop_.Only<Job>().Attenuate();
  const Recipient<Job, Get> given = lent;
  static_assert(kRevokes<RevocableRecipient<Job>> && !kRevokes<Recipient<Job>> &&
                !kStops<RevocableRecipient<Job>>);
  const Recipient<Job, Get> derived = given.Limit(5, absl::Seconds(1));
  derived.Send(Job{1});
  Run();
  auto& waiting = Keep<StatusCode>();
  Let(Somebody(), [&waiting, given, lent](Context& self) {
    given.Send(Job{2});
    given.Ask(Get{}).Then(self, [&waiting](auto got) { waiting = got.status().code(); });
    lent.Revoke();
  });
  EXPECT_EQ(waiting, StatusCode::kPermissionDenied) << "what still waited is refused";
  EXPECT_EQ(given.Send(Job{3}), SendResult::kClosed);
  EXPECT_EQ(derived.Send(Job{4}), SendResult::kClosed);
  EXPECT_EQ(LetAsk(given), static_cast<int>(StatusCode::kPermissionDenied));
  EXPECT_EQ(LetAsk(derived), static_cast<int>(StatusCode::kPermissionDenied));
  EXPECT_EQ(seen_.jobs, Numbers{1});
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 2u);
  lent.Revoke();
  sibling.Send(Job{5});
  Run();
  shop_.Send(Job{6});
  Run();
  EXPECT_EQ(seen_.jobs, (Numbers{1, 5, 6})) << "the others stay";
}

TEST_F(MessagePassingRights, R13_WhatIsMadeOfARightIsRevokedWithoutIt) {
  const RevocableRecipient<Job> lent = shop_.Only<Job>().Attenuate();
  const RevocableRecipient<Job> derived = lent.Attenuate();
  derived.Revoke();
  Run();
  EXPECT_EQ(derived.Send(Job{1}), SendResult::kClosed);
  EXPECT_EQ(lent.Send(Job{2}), SendResult::kQueued);
  Run();
  EXPECT_EQ(seen_.jobs, Numbers{2});
}

// G1 of caretaker.h, in the one moment that counts: the caretaker has a message in hand that was sent
// after a Revoke which it has not seen. An actor that is told to stop while it handles something is in
// the same position.
TEST_F(MessagePassingRights, R13_ARevokeThatCameBeforeTheMessageIsObeyedBeforeIt) {
  Let(Somebody(), [shop = shop_](Context& self) {
    internal::StopActor(self.self(), StopWhen::kNow);
    internal::Caretaker caretaker({shop, {}}, {internal::ThunkFor<Shop, Job>()}, {});
    auto* job = internal::EnvelopeOf<Job>::Make(&internal::Caretaker::PassOn<Job, 0>, Job{1},
                                                std::source_location());
    job->address = internal::ActorCell::IncarnationOf(self.self());
    caretaker.Pass(*job, 0, self);
  });
  EXPECT_TRUE(seen_.jobs.empty());
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

TEST(MessagePassingRevoke, R13_NothingThatIsSentAfterARevokePasses) {
  System system({.workers = 1});
  std::atomic<bool> late{false};
  auto receiver = system.Spawn([&late](Job job) { late = late || job.number < 0; });
  AnyRef last;
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    const RevocableRecipient<Job> lent = receiver.Only<Job>().Attenuate();
    for (int i = 0; i < round % 50; ++i) lent.Send(Job{i});
    lent.Revoke();
    lent.Send(Job{-1});
    last = lent;
  }
  ASSERT_TRUE(system.Join(last).ok());
  system.Shutdown(absl::InfiniteDuration());
  EXPECT_FALSE(late);
}

TEST_F(MessagePassingRights, R13_ARightEndsWithItsReceiverAndHowIsTold) {
  const Recipient<Job> lent = shop_.Only<Job>().Attenuate();
  auto party = Somebody();
  const Recipient<Do> to_party = party.Only<Do>().Attenuate();
  auto& stopped = LetWatch(lent);
  auto& failed = LetWatch(to_party);
  shop_.Stop();
  Let(party, [](Context& self) { self.Fail(absl::InternalError("broken")); });
  EXPECT_EQ(stopped, ExitReason::kNormal);
  EXPECT_EQ(failed, ExitReason::kFailed);
  EXPECT_EQ(lent.Send(Job{1}), SendResult::kClosed);
  const Recipient<Job> of_ended = shop_.Only<Job>().Attenuate();
  Run();
  EXPECT_EQ(of_ended.Send(Job{2}), SendResult::kClosed);
  EXPECT_EQ(Recipient<Job>().Attenuate().Send(Job{3}), SendResult::kClosed);
}

TEST_F(MessagePassingRights, R13_WhoIsLinkedWithARightDoesNotEndIt) {
  const Recipient<Job> lent = shop_.Only<Job>().Attenuate();
  Let(Somebody(), [lent](Context& self) {
    self.Link(lent);
    self.Fail(absl::InternalError("broken"));
  });
  lent.Send(Job{1});
  Run();
  EXPECT_EQ(seen_.jobs, Numbers{1});
}

TEST_F(MessagePassingRights, R13_AFullReceiverRefusesAndNobodyWaitsInBetween) {
  auto& seen = Keep<Seen>();
  auto bounded = system_.Spawn<Shop>({.capacity = 1, .when_full = WhenFull::kBlock}, Shop{&seen});
  const Recipient<Job, Get> lent = bounded.Only<Job, Get>().Attenuate();
  Let(Somebody(), [bounded, lent](Context&) {
    bounded.TrySend(Job{1});
    for (int i = 2; i <= 4; ++i) lent.Send(Job{i});
  });
  EXPECT_EQ(seen.jobs.size() + LettersFor(DeadLetterReason::kFull), 4u) << "nothing is lost unsaid";
  EXPECT_GE(LettersFor(DeadLetterReason::kFull), 1u);
  EXPECT_EQ(letters_.at(0).target, AnyRef(bounded));
}

TEST_F(MessagePassingRights, R13_ARightToSendToAMailboxIsWeakenedLikewise) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs", {.capacity = 2});
  const Sender<Job> sender = jobs;
  const RevocableRecipient<Job> lent = sender.Limit(3, absl::Seconds(1));
  auto& down = LetWatch(lent);
  for (int i = 1; i <= 4; ++i) lent.Send(Job{i});
  Run();
  EXPECT_EQ(Drain(inbox), (Numbers{1, 2}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 2u) << "one the mailbox's, one the right's";
  lent.Revoke();
  Run();
  EXPECT_EQ(lent.Send(Job{5}), SendResult::kClosed);
  EXPECT_EQ(jobs.Send(Job{6}), SendResult::kQueued);
  EXPECT_EQ(down, ExitReason::kNormal);
  const Recipient<Job> other = jobs.Expires(absl::Hours(1));
  inbox = {};
  Run();
  EXPECT_EQ(other.Send(Job{7}), SendResult::kClosed) << "it ends with the mailbox";
}

TEST_F(MessagePassingRights, R13_AskingAMailboxThroughARightIsAnswered) {
  auto [gets, inbox] = system_.OpenMailbox<Get>();
  int& told = LetAsk(gets.Attenuate());
  auto get = inbox.TryReceive();
  ASSERT_TRUE(get.has_value());
  get->reply.Send(7);
  Run();
  EXPECT_EQ(told, 1007);
}

TEST_F(MessagePassingRights, R13_ALimitThatNothingMeetsIsRefused) {
  const Recipient<Job> right = shop_.Only<Job>();
  EXPECT_THROW(right.Limit(0, absl::Seconds(1)), std::invalid_argument);
  EXPECT_THROW(right.Limit(1, absl::ZeroDuration()), std::invalid_argument);
}

}  // namespace
}  // namespace troupe
