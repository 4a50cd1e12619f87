#include "troupe/testing/matchers.h"

#include <memory>
#include <source_location>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe::testing {
namespace {

using ::testing::DescribeMatcher;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointee;
using ::testing::PrintToString;

struct Job {};

const absl::Status& Lost() {
  static const absl::Status lost = absl::DataLossError("gone");
  return lost;
}

// What EXPECT_THAT says of `value` where it does not match.
template <class T, class M>
std::string Explanation(const T& value, M matcher) {
  ::testing::StringMatchResultListener listener;
  EXPECT_FALSE(::testing::ExplainMatchResult(matcher, value, &listener));
  return listener.str();
}

TEST(FailTestTest, FailsTheTestWithTheComplaint) {
  EXPECT_NONFATAL_FAILURE(FailTest("somebody complains"), "somebody complains");
}

TEST(IsOkTest, MatchesStatusesAndResultsThatAreOk) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(1), IsOk());
  EXPECT_THAT(absl::StatusOr<std::unique_ptr<int>>(nullptr), IsOk());
  EXPECT_THAT(Lost(), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(Lost()), Not(IsOk()));
}

TEST(IsOkTest, SaysWhatTheStatusIs) {
  EXPECT_EQ(Explanation(Lost(), IsOk()), "whose status is DATA_LOSS: gone");
  EXPECT_EQ(DescribeMatcher<absl::Status>(IsOk()), "is OK");
  EXPECT_EQ(DescribeMatcher<absl::Status>(Not(IsOk())), "is an error");
}

TEST(IsOkAndHoldsTest, MatchesTheValue) {
  EXPECT_THAT(absl::StatusOr<int>(1), IsOkAndHolds(1));
  EXPECT_THAT(absl::StatusOr<int>(2), IsOkAndHolds(Gt(1)));
  EXPECT_THAT(absl::StatusOr<int>(1), Not(IsOkAndHolds(Gt(1))));
  EXPECT_THAT(absl::StatusOr<int>(Lost()), Not(IsOkAndHolds(Gt(1))));
  EXPECT_THAT(absl::StatusOr<std::string>("text"), IsOkAndHolds("text"));
  EXPECT_THAT(absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(1)),
              IsOkAndHolds(Pointee(1)));
}

TEST(IsOkAndHoldsTest, SaysWhatTheStatusIs) {
  EXPECT_EQ(Explanation(absl::StatusOr<int>(Lost()), IsOkAndHolds(1)),
            "whose status is DATA_LOSS: gone");
  EXPECT_EQ(DescribeMatcher<absl::StatusOr<int>>(IsOkAndHolds(Gt(1))),
            "is OK and holds a value that is > 1");
  EXPECT_EQ(DescribeMatcher<absl::StatusOr<int>>(Not(IsOkAndHolds(Gt(1)))),
            "is an error or holds no value that is > 1");
}

TEST(StatusIsTest, MatchesTheCodeAndTheMessage) {
  EXPECT_THAT(Lost(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Lost(), StatusIs(absl::StatusCode::kDataLoss, "gone"));
  EXPECT_THAT(absl::StatusOr<int>(Lost()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("on")));
  EXPECT_THAT(Lost(), Not(StatusIs(absl::StatusCode::kInternal)));
  EXPECT_THAT(Lost(), Not(StatusIs(absl::StatusCode::kInternal, "gone")));
  EXPECT_THAT(Lost(), Not(StatusIs(absl::StatusCode::kDataLoss, "here")));
  EXPECT_THAT(absl::OkStatus(), StatusIs(absl::StatusCode::kOk));
}

TEST(StatusIsTest, SaysWhatTheStatusIs) {
  EXPECT_EQ(Explanation(Lost(), StatusIs(absl::StatusCode::kInternal)),
            "whose status is DATA_LOSS: gone");
  EXPECT_EQ(Explanation(absl::StatusOr<int>(1), StatusIs(absl::StatusCode::kInternal, "gone")),
            "whose status is OK");
  EXPECT_EQ(DescribeMatcher<absl::Status>(StatusIs(absl::StatusCode::kDataLoss)),
            "has the status DATA_LOSS");
  EXPECT_EQ(DescribeMatcher<absl::Status>(Not(StatusIs(absl::StatusCode::kDataLoss))),
            "has not the status DATA_LOSS");
  EXPECT_EQ(DescribeMatcher<absl::Status>(StatusIs(absl::StatusCode::kDataLoss, "gone")),
            "has the status DATA_LOSS with a message that is equal to \"gone\"");
}

const DeadLetter kLetter{.reason = DeadLetterReason::kFull,
                         .message_type = TypeName<Job>(),
                         .target = AnyRef(),
                         .sender = AnyRef(),
                         .where = std::source_location::current()};

TEST(DeadLetterMatcherTest, MatchesReasonAndType) {
  EXPECT_THAT(kLetter, DeadLetterIs(DeadLetterReason::kFull));
  EXPECT_THAT(kLetter, DeadLetterIs<Job>(DeadLetterReason::kFull));
  EXPECT_THAT(kLetter, Not(DeadLetterIs(DeadLetterReason::kStopped)));
  EXPECT_THAT(kLetter, Not(DeadLetterIs<Job>(DeadLetterReason::kStopped)));
  EXPECT_THAT(kLetter, Not(DeadLetterIs<int>(DeadLetterReason::kFull)));
}

TEST(DeadLetterMatcherTest, MatchesTheSourceLine) {
  EXPECT_THAT(kLetter, SentFromLine(kLetter.where.line()));
  EXPECT_THAT(kLetter, Not(SentFromLine(1)));
}

TEST(DeadLetterMatcherTest, SaysWhatTheLetterIs) {
  const std::string letter = ToString(kLetter);
  EXPECT_THAT(letter, HasSubstr("Job to nobody from nobody, sent at "));
  EXPECT_THAT(letter, HasSubstr("matchers_test.cc:" + std::to_string(kLetter.where.line())));
  EXPECT_THAT(letter, HasSubstr(": full"));
  EXPECT_EQ(PrintToString(kLetter), letter);
  EXPECT_EQ(Explanation(kLetter, DeadLetterIs<int>(DeadLetterReason::kFull)), "which is " + letter);
  EXPECT_THAT(Explanation(kLetter, SentFromLine(1)), HasSubstr("which was sent at "));
  EXPECT_EQ(DescribeMatcher<DeadLetter>(DeadLetterIs<int>(DeadLetterReason::kFull)),
            "is a dead letter of int with the reason \"full\"");
  EXPECT_EQ(DescribeMatcher<DeadLetter>(Not(DeadLetterIs(DeadLetterReason::kFull))),
            "is no dead letter with the reason \"full\"");
  EXPECT_EQ(DescribeMatcher<DeadLetter>(SentFromLine(1)), "was sent from line 1");
  EXPECT_EQ(DescribeMatcher<DeadLetter>(Not(SentFromLine(1))), "was not sent from line 1");
}

TEST(DownIsTest, MatchesTheReasonAndSaysIt) {
  const Down down{.who = AnyRef(),
                  .reason = ExitReason::kFailed,
                  .status = Lost(),
                  .type = "Worker",
                  .name = ""};
  EXPECT_THAT(down, DownIs(ExitReason::kFailed));
  EXPECT_THAT(down, Not(DownIs(ExitReason::kNormal)));
  EXPECT_EQ(Explanation(down, DownIs(ExitReason::kNormal)), "whose reason is \"failed\"");
  EXPECT_EQ(DescribeMatcher<Down>(DownIs(ExitReason::kNormal)),
            "tells of an end with the reason \"normal\"");
  EXPECT_EQ(DescribeMatcher<Down>(Not(DownIs(ExitReason::kNormal))),
            "tells of an end with another reason than \"normal\"");
  EXPECT_EQ(PrintToString(down), "Down from nobody (Worker, failed: gone)");
  EXPECT_EQ(PrintToString(Down()), "Down from nobody (normal)");
}

}  // namespace
}  // namespace troupe::testing
