#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using DeadLetterTest = Simulated;

struct Letter {
  int n = 0;
};
struct Question {
  using Reply = int;
};

class Reader {
 public:
  void On(Letter) {}
  int On(Question) { return 1; }
};

struct Asleep {};
struct Awake {};
class Sleeper {
 public:
  void On(Awake&, Letter) {}
  StateMachine<Asleep, Awake> state;
};

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// The letters' one kind of reason, checked for what every letter says.
void ExpectLetter(const DeadLetter& letter, DeadLetterReason reason, const AnyRef& target,
                  const AnyRef& sender, uint32_t line) {
  EXPECT_EQ(letter.reason, reason);
  EXPECT_TRUE(EndsWith(letter.message_type, "Letter")) << letter.message_type;
  EXPECT_EQ(letter.mailbox, "");
  EXPECT_EQ(letter.target, target);
  EXPECT_EQ(letter.sender, sender);
  EXPECT_EQ(letter.where.line(), line);
  EXPECT_TRUE(EndsWith(letter.where.file_name(), "dead_letter_test.cc"))
      << letter.where.file_name();
}

TEST_F(DeadLetterTest, AMessageToAnEndedActorSaysWhatWhoAndWhere) {
  auto reader = system_.Spawn<Reader>();
  reader.Stop();
  Run();
  const uint32_t line = __LINE__ + 1;
  reader.Send(Letter{});
  ASSERT_EQ(letters_.size(), 1u);
  ExpectLetter(letters_[0], DeadLetterReason::kNoSuchActor, reader, AnyRef(), line);
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 1u);
}

TEST_F(DeadLetterTest, AQueuedMessageOfAStoppedActorSaysWhatWhoAndWhere) {
  auto reader = system_.Spawn<Reader>();
  const uint32_t line = __LINE__ + 1;
  reader.Send(Letter{});
  reader.Stop();
  EXPECT_TRUE(letters_.empty());
  Run();
  ASSERT_EQ(letters_.size(), 1u);
  ExpectLetter(letters_[0], DeadLetterReason::kStopped, reader, AnyRef(), line);
  EXPECT_EQ(LettersFor(DeadLetterReason::kStopped), 1u);
}

TEST_F(DeadLetterTest, ARefusedMessageSaysWhatWhoAndWhere) {
  auto reader = system_.Spawn<Reader>({.capacity = 1, .when_full = WhenFull::kFail});
  reader.Send(Letter{});
  const uint32_t line = __LINE__ + 1;
  reader.Send(Letter{});
  ASSERT_EQ(letters_.size(), 1u);
  ExpectLetter(letters_[0], DeadLetterReason::kFull, reader, AnyRef(), line);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 1u);
}

TEST_F(DeadLetterTest, ADroppedNewestMessageSaysWhatWhoAndWhere) {
  auto reader = system_.Spawn<Reader>({.capacity = 1, .when_full = WhenFull::kDropNewest});
  reader.Send(Letter{});
  const uint32_t line = __LINE__ + 1;
  reader.Send(Letter{});
  ASSERT_EQ(letters_.size(), 1u);
  ExpectLetter(letters_[0], DeadLetterReason::kDroppedNewest, reader, AnyRef(), line);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedNewest), 1u);
}

TEST_F(DeadLetterTest, ADroppedOldestMessageSaysWhatWhoAndWhere) {
  auto reader = system_.Spawn<Reader>({.capacity = 1, .when_full = WhenFull::kDropOldest});
  const uint32_t line = __LINE__ + 1;
  reader.Send(Letter{});
  reader.Send(Letter{});
  ASSERT_EQ(letters_.size(), 1u);
  ExpectLetter(letters_[0], DeadLetterReason::kDroppedOldest, reader, AnyRef(), line);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 1u);
}

TEST_F(DeadLetterTest, TheSenderIsTheActorWhoseHandlerSent) {
  auto reader = system_.Spawn<Reader>();
  reader.Stop();
  Run();
  uint32_t line = 0;
  auto writer = system_.Spawn([reader, &line](Letter m) {
    line = __LINE__ + 1;
    reader.Send(m);
  });
  writer.Send(Letter{});
  Run();
  ASSERT_EQ(letters_.size(), 1u);
  ExpectLetter(letters_[0], DeadLetterReason::kNoSuchActor, reader, writer, line);
}

TEST_F(DeadLetterTest, AMessageToAMailboxNamesTheMailbox) {
  auto [jobs, inbox] = system_.OpenMailbox<Letter>("jobs", {.capacity = 1});
  const std::string name = jobs.ToString();
  EXPECT_EQ(jobs.TrySend(Letter{}), SendResult::kQueued);
  EXPECT_TRUE(absl::IsDeadlineExceeded(jobs.Enqueue(Letter{}, absl::ZeroDuration()).Wait()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(jobs.Deliver(Letter{}, absl::ZeroDuration()).Wait()));
  inbox.Close(Backlog::kDrop);
  ASSERT_EQ(letters_.size(), 3u);
  for (const DeadLetter& letter : letters_) {
    EXPECT_EQ(letter.mailbox, name) << letter.reason;
    EXPECT_FALSE(letter.target);
  }
}

TEST_F(DeadLetterTest, AMessageToAMailboxThatDropsNamesTheMailbox) {
  for (WhenFull policy : {WhenFull::kDropOldest, WhenFull::kDropNewest, WhenFull::kFail}) {
    auto [latest, inbox] =
        system_.OpenMailbox<Letter>("latest", {.capacity = 1, .when_full = policy});
    latest.Send(Letter{});
    latest.Send(Letter{});
    ASSERT_EQ(letters_.size(), 1u);
    EXPECT_EQ(letters_.back().mailbox, latest.ToString()) << letters_.back().reason;
    inbox.TryReceive();
    letters_.clear();
  }
}

TEST_F(DeadLetterTest, AMessageToAMailboxThatHadEndedHasTheNumberOfTheMailbox) {
  auto [jobs, inbox] = system_.OpenMailbox<Letter>("jobs");
  const std::string name = jobs.ToString();
  inbox.Close(Backlog::kDrop);
  jobs.Send(Letter{});
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ("jobs" + letters_[0].mailbox, name);
}

TEST_F(DeadLetterTest, AMailboxWithoutANameIsNamedByItsMessages) {
  auto [letters, inbox] = system_.OpenMailbox<Letter>();
  const std::string name = letters.ToString();
  letters.Send(Letter{});
  inbox = Receiver<Letter>();
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_EQ(letters_[0].mailbox, name);
  EXPECT_NE(name.find("Letter"), std::string::npos) << name;
}

TEST_F(DeadLetterTest, EveryWayToSendSaysItsOwnSourceLine) {
  auto reader = system_.Spawn<Reader>();
  const Recipient<Letter, Question> recipient = reader;
  reader.Stop();
  Run();
  std::vector<uint32_t> lines;
  lines.push_back(__LINE__ + 1);
  reader.TrySend(Letter{});
  lines.push_back(__LINE__ + 1);
  recipient.Send(Letter{});
  lines.push_back(__LINE__ + 1);
  recipient.TrySend(Letter{});
  lines.push_back(__LINE__ + 1);
  (void)reader.Ask(Question{}).Wait();
  lines.push_back(__LINE__ + 1);
  (void)recipient.Ask(Question{}).Wait();
  lines.push_back(__LINE__ + 1);
  system_.SendAfter(absl::Seconds(1), reader, Letter{});
  Advance(absl::Seconds(1));
  lines.push_back(__LINE__ + 1);
  system_.SendEvery(absl::Seconds(1), recipient, Letter{});
  Advance(absl::Seconds(1));
  ASSERT_EQ(letters_.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(letters_[i].where.line(), lines[i]);
    EXPECT_EQ(letters_[i].target, reader);
  }
}

TEST_F(DeadLetterTest, ARequestThatIsLostIsALetterToo) {
  auto reader = system_.Spawn<Reader>();
  reader.Stop();
  Run();
  EXPECT_FALSE(reader.Ask(Question{}).Wait().ok());
  ASSERT_EQ(letters_.size(), 1u);
  EXPECT_TRUE(EndsWith(letters_[0].message_type, "Question")) << letters_[0].message_type;
}

TEST_F(DeadLetterTest, WhatAnActorSendsToNobodyIsALetterOfItsSystem) {
  auto writer = system_.Spawn([](Letter m) {
    ActorRef<Reader>().Send(m);
    Recipient<Letter>().TrySend(m);
  });
  writer.Send(Letter{});
  Run();
  ASSERT_EQ(letters_.size(), 2u);
  EXPECT_FALSE(letters_[0].target);
  EXPECT_EQ(letters_[0].sender, writer);
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 2u);
}

TEST_F(DeadLetterTest, WhatAPlainThreadSendsToNobodyIsCountedByNoSystem) {
  EXPECT_EQ(ActorRef<Reader>().Send(Letter{}), SendResult::kClosed);
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(DeadLetterTest, TheLettersOfAStoppedActorComeInTheOrderTheyWereSent) {
  auto reader = system_.Spawn<Reader>();
  std::vector<uint32_t> lines;
  lines.push_back(__LINE__ + 1);
  reader.Send(Letter{});
  lines.push_back(__LINE__ + 1);
  reader.Send(Letter{});
  lines.push_back(__LINE__ + 1);
  reader.Send(Letter{});
  reader.Stop();
  Run();
  ASSERT_EQ(letters_.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(letters_[i].where.line(), lines[i]);
}

TEST_F(DeadLetterTest, WhatWasHandledIsNoLetter) {
  auto reader = system_.Spawn<Reader>();
  reader.Send(Letter{});
  EXPECT_TRUE(reader.Ask(Question{}).Wait().ok());
  Run();
  EXPECT_TRUE(letters_.empty());
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(DeadLetterTest, TheTotalIsTheSumOverTheReasons) {
  auto full = system_.Spawn<Reader>({.capacity = 1, .when_full = WhenFull::kFail});
  auto newest = system_.Spawn<Reader>({.capacity = 1, .when_full = WhenFull::kDropNewest});
  auto oldest = system_.Spawn<Reader>({.capacity = 1, .when_full = WhenFull::kDropOldest});
  for (int i = 0; i < 3; ++i) {
    full.Send(Letter{});
    newest.Send(Letter{});
    oldest.Send(Letter{});
  }
  EXPECT_FALSE(system_.Spawn<Reader>().Ask(Question{}, absl::ZeroDuration()).Wait().ok());
  full.Stop();
  system_.Spawn<Sleeper>().Send(Letter{});
  Run();
  full.Send(Letter{});
  auto [pair, inbox] = system_.OpenMailbox<Letter>("", {.receivers = Receivers::kExclusivePair});
  pair.Send(Letter{});
  system_.Spawn([to = pair](Letter) { to.Send(Letter{}); }).Send(Letter{});
  inbox.TryReceive();
  Run();
  const SystemStats stats = system_.stats();
  for (int reason = 0; reason < kDeadLetterReasons; ++reason) {
    EXPECT_GT(stats.dead_letters[reason], 0u) << ToString(static_cast<DeadLetterReason>(reason));
  }
  EXPECT_EQ(stats.dead_letters_total(), 2u + 2 + 2 + 1 + 1 + 1 + 1 + 1);
  EXPECT_EQ(letters_.size(), stats.dead_letters_total());
}

TEST_F(DeadLetterTest, ReasonsHaveNames) {
  EXPECT_EQ(ToString(DeadLetterReason::kNoSuchActor), "no such actor");
  EXPECT_EQ(ToString(DeadLetterReason::kStopped), "stopped");
  EXPECT_EQ(ToString(DeadLetterReason::kFull), "full");
  EXPECT_EQ(ToString(DeadLetterReason::kDroppedNewest), "dropped newest");
  EXPECT_EQ(ToString(DeadLetterReason::kDroppedOldest), "dropped oldest");
  EXPECT_EQ(ToString(DeadLetterReason::kExpired), "expired");
  EXPECT_EQ(ToString(DeadLetterReason::kUnhandled), "unhandled");
  EXPECT_EQ(ToString(DeadLetterReason::kNotAllowed), "not allowed");
}

TEST(DeadLetterHookTest, LettersAreCountedWithoutAHook) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto reader = system.Spawn<Reader>();
  reader.Stop();
  loop.RunUntilIdle();
  reader.Send(Letter{});
  EXPECT_EQ(system.stats().dead_letters_total(), 1u);
}

TEST(DeadLetterHookTest, TheHookMaySend) {
  std::vector<std::string> heard;
  Recipient<std::string> listener;
  ManualScheduler loop;
  System system({.scheduler = &loop, .on_dead_letter = [&](const DeadLetter& letter) {
                   listener.Send(std::string(ToString(letter.reason)));
                 }});
  listener = system.Spawn([&heard](std::string m) { heard.push_back(std::move(m)); });
  auto reader = system.Spawn<Reader>({.capacity = 1, .when_full = WhenFull::kDropOldest});
  reader.Send(Letter{});
  reader.Send(Letter{});
  reader.Stop();
  loop.RunUntilIdle();
  reader.Send(Letter{});
  loop.RunUntilIdle();
  EXPECT_EQ(heard, (std::vector<std::string>{"dropped oldest", "stopped", "no such actor"}));
  listener = Recipient<std::string>();  // what the shutdown loses needs no answer
}

}  // namespace
}  // namespace troupe
