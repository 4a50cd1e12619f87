// Who may receive from a mailbox, who gets what, and how it ends.
#include <map>
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
struct Note {
  std::string text;
};

class MailboxRightsTest : public Simulated {
 protected:
  static Numbers Drain(Receiver<Job>& from) {
    Numbers numbers;
    while (auto job = from.TryReceive()) numbers.push_back(job->message.number);
    return numbers;
  }
};

// ---- to whom

TEST_F(MailboxRightsTest, WithOneBacklogWhoeverComesNextTakesTheNext) {
  auto [jobs, a] = system_.OpenMailbox<Job>();
  auto b = *a.Share();
  for (int i = 1; i <= 4; ++i) jobs.Send(Job{i});
  EXPECT_EQ(a.TryReceive()->message.number, 1);
  EXPECT_EQ(b.TryReceive()->message.number, 2);
  EXPECT_EQ(Drain(a), (Numbers{3, 4}));
}

TEST_F(MailboxRightsTest, AllGetACopy) {
  auto [notes, a] = system_.OpenMailbox<Note>("", {.capacity = 2, .receivers = Receivers::kAll});
  auto b = *a.Share();
  notes.Send(Note{"one"});
  auto c = *a.Share();  // from now on
  notes.Send(Note{"two"});
  EXPECT_EQ(notes.TrySend(Note{"three"}), SendResult::kFull) << "the slowest decides";
  EXPECT_EQ(a.TryReceive()->message.text, "one");
  EXPECT_EQ(a.TryReceive()->message.text, "two");
  EXPECT_EQ(notes.TrySend(Note{"three"}), SendResult::kFull);
  EXPECT_EQ(b.TryReceive()->message.text, "one");
  EXPECT_EQ(notes.TrySend(Note{"three"}), SendResult::kQueued);
  EXPECT_EQ(c.TryReceive()->message.text, "two");
  EXPECT_EQ(c.TryReceive()->message.text, "three");
}

TEST_F(MailboxRightsTest, OfCopiesTheOldestIsDroppedOnlyForThoseWhoAreBehind) {
  auto [jobs, a] = system_.OpenMailbox<Job>(
      "", {.capacity = 2, .when_full = WhenFull::kDropOldest, .receivers = Receivers::kAll});
  auto b = *a.Share();
  for (int i = 1; i <= 2; ++i) jobs.Send(Job{i});
  EXPECT_EQ(Drain(a), (Numbers{1, 2}));
  jobs.Send(Job{3});
  EXPECT_EQ(Drain(a), Numbers{3});
  EXPECT_EQ(Drain(b), (Numbers{2, 3}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 1u);
}

TEST_F(MailboxRightsTest, AReceiverThatLeavesHoldsUpTheOthersNoLonger) {
  auto [jobs, a] = system_.OpenMailbox<Job>("", {.capacity = 1, .receivers = Receivers::kAll});
  std::optional<Receiver<Job>> b = *a.Share();
  jobs.Send(Job{1});
  EXPECT_EQ(Drain(a), Numbers{1});
  EXPECT_EQ(jobs.TrySend(Job{2}), SendResult::kFull);
  b.reset();
  EXPECT_EQ(jobs.TrySend(Job{2}), SendResult::kQueued);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

class ByKeyTest : public MailboxRightsTest {
 protected:
  static constexpr int kKeys = 64;
  OpenedMailbox<Job> Open() {
    return system_.OpenMailbox<Job>(
        "", {.receivers = Receivers::kByKey, .key = [](const Job& j) { return j.number % kKeys; }});
  }
  static void Send(Sender<Job> to, int from, int until) {
    for (int i = from; i < until; ++i) to.Send(Job{i});
  }
  // By key, what each received in the order in which it came. No key may be in two of them.
  static std::map<int, Numbers> Keys(const std::vector<Numbers>& received) {
    std::map<int, Numbers> keys;
    std::map<int, size_t> whose;
    for (size_t r = 0; r < received.size(); ++r) {
      for (int number : received[r]) {
        EXPECT_EQ(whose.try_emplace(number % kKeys, r).first->second, r) << number % kKeys;
        keys[number % kKeys].push_back(number);
      }
    }
    return keys;
  }
};

TEST_F(ByKeyTest, WhatHasTheSameKeyHasTheSameReceiverInOrder) {
  auto [jobs, a] = Open();
  auto b = *a.Share();
  auto c = *a.Share();
  Send(jobs, 0, 3 * kKeys);
  const std::vector<Numbers> received{Drain(a), Drain(b), Drain(c)};
  for (const Numbers& one : received) EXPECT_FALSE(one.empty());
  const auto keys = Keys(received);
  ASSERT_EQ(keys.size(), size_t{kKeys});
  for (const auto& [key, numbers] : keys) {
    EXPECT_EQ(numbers, (Numbers{key, key + kKeys, key + 2 * kKeys}));
  }
}

TEST_F(ByKeyTest, TheBacklogMovesWithItsKeyWhenRightsComeAndGo) {
  auto [jobs, a] = Open();
  Send(jobs, 0, kKeys);
  std::optional<Receiver<Job>> b = *a.Share();
  Send(jobs, kKeys, 2 * kKeys);
  auto c = *a.Share();
  Send(jobs, 2 * kKeys, 3 * kKeys);
  b.reset();
  Send(jobs, 3 * kKeys, 4 * kKeys);
  const auto keys = Keys({Drain(a), Drain(c)});
  ASSERT_EQ(keys.size(), size_t{kKeys});
  for (const auto& [key, numbers] : keys) {
    EXPECT_EQ(numbers, (Numbers{key, key + kKeys, key + 2 * kKeys, key + 3 * kKeys}));
  }
}

TEST_F(ByKeyTest, AFullBacklogHoldsUpItsOwnKeysOnly) {
  auto [jobs, a] = system_.OpenMailbox<Job>(
      "", {.capacity = 1, .receivers = Receivers::kByKey, .key = [](const Job& j) {
             return j.number % kKeys;
           }});
  auto b = *a.Share();
  std::set<int> full;
  std::set<int> taken;
  for (int key = 0; key < kKeys; ++key) {
    (jobs.TrySend(Job{key}) == SendResult::kFull ? full : taken).insert(key);
  }
  EXPECT_EQ(taken.size(), 2u) << "one of each";
  EXPECT_EQ(full.size(), kKeys - 2u);
  EXPECT_EQ(Drain(a).size(), 1u);
  size_t again = 0;
  for (int key : full) again += jobs.TrySend(Job{key}) == SendResult::kQueued;
  EXPECT_EQ(again, 1u) << "only for the one that has room";
  EXPECT_EQ(Drain(b).size(), 1u);
}

// ---- at most two

struct SendNow {
  Sender<Job> to;
  std::vector<SendResult>* results;
};
TEST_F(MailboxRightsTest, AnExclusivePairIsOneSenderAndOneReceiver) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kExclusivePair});
  EXPECT_EQ(inbox.Share().status().code(), StatusCode::kFailedPrecondition);
  auto& results = Keep<std::vector<SendResult>>();
  auto send = [](SendNow m) { m.results->push_back(m.to.Send(Job{1})); };
  auto first = system_.Spawn(send);
  auto second = system_.Spawn(send);
  for (auto actor : {first, second, first}) {
    actor.Send(SendNow{jobs, &results});
    Run();
  }
  EXPECT_EQ(results, (std::vector<SendResult>{SendResult::kQueued, SendResult::kNotAllowed,
                                              SendResult::kQueued}));
  EXPECT_EQ(jobs.Enqueue(Job{2}).Wait().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(LettersFor(DeadLetterReason::kNotAllowed), 2u);
  EXPECT_EQ(Drain(inbox), (Numbers{1, 1}));
}

// ---- ownership

struct Take {
  Receiver<Job> inbox;
};
struct Keeper {
  std::optional<Receiver<Job>> inbox;
  void On(Take take) { inbox = std::move(take.inbox); }
};

TEST_F(MailboxRightsTest, TheReceiveRightTravelsWithItsBacklogAndSendersDoNotNotice) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  jobs.Send(Job{1});
  auto& seen = Keep<Numbers>();
  struct Show {};
  struct Holder : Keeper {
    Numbers* seen;
    using Keeper::On;
    void On(Show) {
      while (auto job = inbox->TryReceive()) seen->push_back(job->message.number);
    }
  };
  Holder holder;
  holder.seen = &seen;
  auto peer = system_.Spawn(std::move(holder));
  peer.Send(Take{std::move(inbox)});
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kQueued);
  peer.Send(Show{});
  Run();
  EXPECT_EQ(seen, (Numbers{1, 2}));
}

TEST_F(MailboxRightsTest, TheEndOfTheOwnerIsTheEndOfTheMailbox) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
  auto owner = system_.Spawn(Keeper());
  owner.Send(Take{std::move(inbox)});
  Run();
  jobs.Send(Job{1});
  owner.Stop();
  Run();
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kClosed);
  EXPECT_TRUE(jobs.Closed().Wait().ok());
  EXPECT_TRUE(jobs.stats().closed);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
  EXPECT_EQ(system_.FindMailbox<Job>("jobs").status().code(), StatusCode::kNotFound);
}

TEST_F(MailboxRightsTest, WhatIsSentToNobodyLosesItsReceiveRight) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto gone = system_.Spawn(Keeper());
  gone.Stop();
  Run();
  EXPECT_EQ(gone.Send(Take{std::move(inbox)}), SendResult::kClosed);
  EXPECT_EQ(jobs.Send(Job{1}), SendResult::kClosed);
}

TEST_F(MailboxRightsTest, AMailboxOfTheSystemOutlivesItsReceivers) {
  for (const Receivers receivers : {Receivers::kFirstCome, Receivers::kByKey, Receivers::kAll}) {
    MailboxOptions<Job> options{.receivers = receivers, .owner = MailboxOwner::kSystem};
    if (receivers == Receivers::kByKey) options.key = [](const Job& j) { return j.number; };
    auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs", std::move(options));
    jobs.Send(Job{1});
    EXPECT_EQ(system_.AttachReceiver<Job>("jobs").status().code(), StatusCode::kFailedPrecondition);
    inbox = Receiver<Job>();
    EXPECT_EQ(jobs.Send(Job{2}), SendResult::kQueued);
    auto next = *system_.AttachReceiver<Job>("jobs");
    EXPECT_EQ(Drain(next), (Numbers{1, 2}));
    next.Close(Backlog::kDrop);
    EXPECT_EQ(system_.AttachReceiver<Job>("jobs").status().code(), StatusCode::kNotFound);
  }
}

TEST_F(MailboxRightsTest, ClosingDropsTheBacklogOrLetsItDrain) {
  auto [dropped, a] = system_.OpenMailbox<Job>();
  auto [drained, b] = system_.OpenMailbox<Job>();
  for (int i = 1; i <= 3; ++i) {
    dropped.Send(Job{i});
    drained.Send(Job{i});
  }
  EXPECT_EQ(a.Close(Backlog::kDrop), 3u);
  EXPECT_EQ(b.Close(Backlog::kDrain), 3u);
  for (auto& jobs : {dropped, drained}) EXPECT_EQ(jobs.Send(Job{4}), SendResult::kClosed);
  EXPECT_EQ(Drain(a), Numbers{});
  EXPECT_EQ(Drain(b), (Numbers{1, 2, 3}));
  EXPECT_EQ(b.Receive().Wait().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(b.Close(Backlog::kDrop), 0u);
}

TEST_F(MailboxRightsTest, ShutdownClosesAllMailboxes) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs", {.owner = MailboxOwner::kSystem});
  jobs.Send(Job{1});
  system_.Shutdown(absl::Seconds(1));
  EXPECT_EQ(jobs.Send(Job{2}), SendResult::kClosed);
  EXPECT_EQ(inbox.Receive().Wait().status().code(), StatusCode::kUnavailable);
  auto [late, none] = system_.OpenMailbox<Job>();
  EXPECT_FALSE(late);
  EXPECT_FALSE(none);
}

TEST_F(MailboxRightsTest, AStaleSenderDoesNotReachTheNextMailbox) {
  auto [old, inbox] = system_.OpenMailbox<Job>("jobs");
  inbox = Receiver<Job>();
  auto [jobs, next] = system_.OpenMailbox<Job>("jobs");
  EXPECT_EQ(old.Send(Job{1}), SendResult::kClosed);
  EXPECT_NE(old, jobs);
  EXPECT_TRUE(Drain(next).empty());
}

// ---- asking whoever receives

struct Square {
  using Reply = int;
  int number;
};
struct AskNow {
  Sender<Square> whom;
};

class MailboxAskTest : public MailboxRightsTest {
 protected:
  // Asks from an actor, which notes the answers.
  std::vector<absl::StatusOr<int>>& answers_ = Keep<std::vector<absl::StatusOr<int>>>();
  void Ask(Sender<Square> whom) {
    auto asker = system_.Spawn([answers = &answers_](AskNow m, Context& self) {
      m.whom.Ask(Square{7}, absl::Seconds(1)).Then(self, [answers](absl::StatusOr<int> answer) {
        answers->push_back(std::move(answer));
      });
    });
    asker.Send(AskNow{whom});
    Run();
  }
  StatusCode Last() {
    Run();
    EXPECT_FALSE(answers_.empty());
    return answers_.empty() ? StatusCode::kUnknown : answers_.back().status().code();
  }
};

TEST_F(MailboxAskTest, WhoReceivesARequestOwesAnAnswer) {
  auto [squares, inbox] = system_.OpenMailbox<Square>();
  Ask(squares);
  auto request = inbox.TryReceive();
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(request->reply);
  request->reply.Send(request->message.number * request->message.number);
  Run();
  EXPECT_EQ(answers_.back().value(), 49);
}

TEST_F(MailboxAskTest, ThereIsAnErrorAtOnceIfThereWillBeNoAnswer) {
  auto [squares, inbox] = system_.OpenMailbox<Square>("", {.capacity = 2});
  Ask(squares);
  EXPECT_TRUE(answers_.empty());
  inbox.TryReceive();  // which drops the Reply
  EXPECT_EQ(Last(), StatusCode::kAborted);
  for (int i = 0; i < 3; ++i) Ask(squares);
  EXPECT_EQ(Last(), StatusCode::kResourceExhausted);
  EXPECT_EQ(answers_.size(), 2u);
  inbox = {};
  EXPECT_EQ(Last(), StatusCode::kUnavailable);
  EXPECT_EQ(answers_.size(), 4u);
  Ask(squares);
  EXPECT_EQ(Last(), StatusCode::kUnavailable);
  EXPECT_EQ(Sender<Square>().Ask(Square{1}).Wait().status().code(), StatusCode::kUnavailable);
}

TEST_F(MailboxAskTest, ADeadlineEndsAnAsk) {
  auto [squares, inbox] = system_.OpenMailbox<Square>();
  Ask(squares);
  Advance(absl::Seconds(2));
  EXPECT_EQ(Last(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(inbox.TryReceive()->reply) << "nobody waits any more";
}

// ---- names and identity

TEST_F(MailboxRightsTest, AMailboxIsFoundByItsName) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
  auto found = system_.FindMailbox<Job>("jobs");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, jobs);
  EXPECT_EQ(system_.FindMailbox<Note>("jobs").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(system_.FindMailbox<Job>("none").status().code(), StatusCode::kNotFound);
  EXPECT_THROW(system_.OpenMailbox<Job>("jobs"), std::invalid_argument);
}

TEST_F(MailboxRightsTest, OfSeveralWhoBindANameOneHasItUntilItsMailboxEnds) {
  auto [first, first_inbox] = system_.OpenMailbox<Job>();
  auto [second, second_inbox] = system_.OpenMailbox<Job>();
  EXPECT_TRUE(system_.BindMailbox("jobs", first).ok());
  EXPECT_EQ(system_.BindMailbox("jobs", second).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(system_.BindMailbox("jobs", first).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(system_.FindMailbox<Job>("jobs").value(), first);
  first_inbox = Receiver<Job>();
  EXPECT_TRUE(system_.BindMailbox("jobs", second).ok());
  EXPECT_EQ(system_.FindMailbox<Job>("jobs").value(), second);
  EXPECT_EQ(system_.BindMailbox("", second).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(system_.BindMailbox("none", Sender<Job>()).code(), StatusCode::kInvalidArgument);
}

TEST_F(MailboxRightsTest, TheIdentityIsUniqueAndPrintable) {
  auto [a, in_a] = system_.OpenMailbox<Job>("jobs");
  auto [b, in_b] = system_.OpenMailbox<Job>();
  EXPECT_NE(a, b);
  EXPECT_EQ(a.ToString().substr(0, 5), "jobs#");
  EXPECT_EQ(a.ToString(), in_a.ToString());
  EXPECT_NE(a.ToString(), b.ToString());
  EXPECT_EQ(Sender<Job>().ToString(), "nobody");
}

TEST_F(MailboxRightsTest, OptionsThatMakeNoSenseAreRefused) {
  const auto refuses = [this](MailboxOptions<Job> options) {
    EXPECT_THROW(system_.OpenMailbox<Job>("", std::move(options)), std::invalid_argument);
  };
  refuses({.receivers = Receivers::kByKey});
  refuses({.key = [](const Job&) { return 0; }});
  refuses({.capacity = 0, .receivers = Receivers::kAll});
  refuses({.warn_at = 0});
  EXPECT_THROW(system_.OpenMailbox<std::unique_ptr<int>>("", {.receivers = Receivers::kAll}),
               std::invalid_argument);
}

TEST_F(MailboxRightsTest, StatsTellDepthAgeAndWhatWentThrough) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 2});
  auto somebody = system_.Spawn([](int) {});  // who runs, and so moves the coarse clock
  jobs.Send(Job{1});
  Advance(absl::Seconds(3));
  somebody.Send(0);
  Run();
  jobs.Send(Job{2});
  jobs.TrySend(Job{3});
  MailboxStats stats = jobs.stats();
  EXPECT_EQ(stats.depth, 2u);
  EXPECT_EQ(stats.oldest_age, absl::Seconds(3));
  EXPECT_EQ(stats.sent, 2u);
  EXPECT_EQ(stats.received, 0u);
  EXPECT_EQ(stats.dropped, 1u);
  EXPECT_EQ(stats.capacity, 2u);
  inbox.TryReceive();
  stats = inbox.stats();
  EXPECT_EQ(stats.depth, 1u);
  EXPECT_EQ(stats.oldest_age, absl::ZeroDuration());
  EXPECT_EQ(stats.received, 1u);
}

}  // namespace
}  // namespace troupe
