// G. Buffering: nothing, so much, or all may wait.
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"

namespace troupe {
namespace {

TEST_F(MessagePassing, R59_WithoutCapacitySenderAndReceiverMeet) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 0});
  const StatusCode& told = LetSend(Somebody(), [out = jobs] { return out.Enqueue(Job{1}); });
  EXPECT_EQ(told, StatusCode::kUnknown);
  EXPECT_EQ(jobs.stats().depth, 0u) << "nothing waits in the mailbox";
  EXPECT_EQ(jobs.TrySend(Job{2}), SendResult::kFull);
  EXPECT_EQ(inbox.TryReceive()->message.number, 1);
  Run();
  EXPECT_EQ(told, StatusCode::kOk);
  EXPECT_FALSE(inbox.TryReceive().has_value());
}

TEST_F(MessagePassing, R60_WhileNotFullTheSenderGoesOnAndThenItWaits) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 2});
  std::vector<const StatusCode*> told;
  for (int i = 1; i <= 4; ++i) {
    told.push_back(&LetSend(Somebody(), [i, out = jobs] { return out.Enqueue(Job{i}); }));
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(*told[i], i < 2 ? StatusCode::kOk : StatusCode::kUnknown);
  }
  EXPECT_EQ(jobs.stats().depth, 2u);
  EXPECT_EQ(Drain(inbox), (Numbers{1, 2, 3, 4})) << "in the order in which they came";
  Run();
  for (const StatusCode* one : told) EXPECT_EQ(*one, StatusCode::kOk);
}

TEST_F(MessagePassing, R60_OrItDoesWhatIsStated) {
  const struct {
    WhenFull when_full;
    SendResult third;
    Numbers left;
  } cases[] = {
      {WhenFull::kFail, SendResult::kFull, {1, 2}},
      {WhenFull::kDropNewest, SendResult::kDropped, {1, 2}},
      {WhenFull::kDropOldest, SendResult::kQueued, {2, 3}},
  };
  for (const auto& one : cases) {
    auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 2, .when_full = one.when_full});
    for (int i = 1; i <= 2; ++i) EXPECT_EQ(jobs.Send(Job{i}), SendResult::kQueued);
    EXPECT_EQ(jobs.Send(Job{3}), one.third);
    EXPECT_EQ(Drain(inbox), one.left);
    EXPECT_EQ(jobs.stats().dropped, 1u);
  }
  EXPECT_EQ(system_.stats().dead_letters[static_cast<size_t>(DeadLetterReason::kFull)], 1u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedNewest), 1u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 1u);
}

TEST_F(MessagePassing, R61_UnboundedTheSenderNeverWaitsAndIsWarned) {
  std::vector<uint64_t> warnings;
  auto [jobs, inbox] = system_.OpenMailbox<Job>(
      "", {.capacity = kUnbounded, .warn_at = 1'000, .on_warning = [&](const MailboxStats& stats) {
             warnings.push_back(stats.depth);
           }});
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(jobs.TrySend(Job{i}), SendResult::kQueued);
  EXPECT_EQ(jobs.stats().depth, 10'000u);
  EXPECT_EQ(warnings, std::vector<uint64_t>{1'000});
}

TEST_F(MessagePassing, R62_AMailboxTellsWhatWentThroughIt) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 2});
  jobs.Send(Job{1});
  Advance(absl::Seconds(3));
  Let(Somebody(), [](Context&) {});  // who runs, and so moves the coarse clock
  jobs.Send(Job{2});
  jobs.TrySend(Job{3});
  const MailboxStats stats = jobs.stats();
  EXPECT_EQ(stats.depth, 2u);
  EXPECT_EQ(stats.oldest_age, absl::Seconds(3));
  EXPECT_EQ(stats.sent, 2u);
  EXPECT_EQ(stats.dropped, 1u);
  EXPECT_EQ(stats.received, 0u);
  EXPECT_EQ(Drain(inbox).size(), 2u);
  EXPECT_EQ(jobs.stats().received, 2u);
}

}  // namespace
}  // namespace troupe
