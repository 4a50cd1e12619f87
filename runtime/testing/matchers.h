// What tests with GoogleTest and GoogleMock need beside the kit. The one header of Troupe that
// includes them.
//
// The matchers of statuses are those of newer Abseils (absl/status/status_matchers.h), by name and
// meaning; Debian 12's has none. MATCHER is how GoogleMock would have them written.
//
// With `using namespace troupe` write ::testing where GoogleTest's namespace is meant.
#ifndef TROUPE_TESTING_MATCHERS_H_
#define TROUPE_TESTING_MATCHERS_H_

#include <concepts>
#include <cstdint>
#include <ostream>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/exit.h"
#include "troupe/core/type_name.h"
#include "troupe/testing/internal/probe_report.h"
#include "troupe/testing/test_system.h"

namespace troupe {

namespace internal {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

template <class M>
constexpr std::string_view WantedType() {
  if constexpr (std::is_void_v<M>) {
    return {};
  } else {
    return TypeName<M>();
  }
}

MATCHER_P2(IsDeadLetter, reason, type,
           (negation ? "is no dead letter" : "is a dead letter") +
               (type.empty() ? std::string() : " of " + std::string(type)) + " with the reason \"" +
               std::string(ToString(reason)) + "\"") {
  *result_listener << "which is " << testing::ToString(arg);
  return arg.reason == reason && (type.empty() || arg.message_type == type);
}

}  // namespace internal

// How GoogleTest prints these two.
inline void PrintTo(const DeadLetter& letter, std::ostream* out) {
  *out << testing::ToString(letter);
}
inline void PrintTo(const Down& down, std::ostream* out) {
  *out << "Down from " << down.who << " (" << internal::HowItEnded(down) << ")";
}

namespace testing {

// For TestOptions::on_complaint: TestSystem system({.on_complaint = FailTest});
inline void FailTest(const std::string& complaint) { ADD_FAILURE() << complaint; }

// EXPECT_THAT(probe.ExpectNothing(absl::Hours(1)), IsOk()); for absl::Status and absl::StatusOr.
MATCHER(IsOk, negation ? "is an error" : "is OK") {
  const absl::Status& status = internal::StatusOf(arg);
  if (!status.ok()) *result_listener << "whose status is " << status.ToString();
  return status.ok();
}

// EXPECT_THAT(probe.Expect<Sum>(), IsOkAndHolds(Field(&Sum::cents, 100)));
MATCHER_P(
    IsOkAndHolds, value,
    (negation ? "is an error or holds no value that " : "is OK and holds a value that ") +
        ::testing::DescribeMatcher<const typename std::decay_t<arg_type>::value_type&>(value)) {
  if (arg.ok()) return ::testing::ExplainMatchResult(value, *arg, result_listener);
  *result_listener << "whose status is " << arg.status().ToString();
  return false;
}

// EXPECT_THAT(account.Ask(Balance{}).Wait(), StatusIs(absl::StatusCode::kUnavailable));
MATCHER_P(StatusIs, code,
          std::string(negation ? "has not the status " : "has the status ") +
              absl::StatusCodeToString(code)) {
  const absl::Status& status = internal::StatusOf(arg);
  *result_listener << "whose status is " << status.ToString();
  return status.code() == code;
}
// EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("nothing came")));
MATCHER_P2(StatusIs, code, message,
           std::string(negation ? "has not the status " : "has the status ") +
               absl::StatusCodeToString(code) + " with a message that " +
               ::testing::DescribeMatcher<std::string>(message)) {
  const absl::Status& status = internal::StatusOf(arg);
  *result_listener << "whose status is " << status.ToString();
  return status.code() == code &&
         ::testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

// EXPECT_THAT(system.TakeDeadLetters(), ElementsAre(DeadLetterIs<Deposit>(kStopped)));
// with a message type or without. For the rest AllOf(DeadLetterIs(...), SentFromLine(12)).
template <class M = void>
auto DeadLetterIs(DeadLetterReason reason) {
  return internal::IsDeadLetter(reason, internal::WantedType<M>());
}
MATCHER_P(SentFromLine, line,
          (negation ? "was not sent from line " : "was sent from line ") +
              ::testing::PrintToString(line)) {
  *result_listener << "which was sent at " << arg.where.file_name() << ":" << arg.where.line();
  return static_cast<uint64_t>(arg.where.line()) == static_cast<uint64_t>(line);
}

// EXPECT_THAT(probe.ExpectDown(worker), IsOkAndHolds(DownIs(troupe::ExitReason::kFailed)));
MATCHER_P(DownIs, reason,
          (negation ? "tells of an end with another reason than \""
                    : "tells of an end with the reason \"") +
              std::string(troupe::ToString(reason)) + "\"") {
  *result_listener << "whose reason is \"" << troupe::ToString(arg.reason) << "\"";
  return arg.reason == reason;
}

// ForEachSeed (seeds.h) for a body of EXPECTs and ASSERTs. Each failure names its seed; no further
// seed is run once the test has failed.
//
//   ForEachSeed(100, [](uint64_t seed) {
//     TestSystem system({.seed = seed, .on_complaint = FailTest});
//     ...
//     EXPECT_THAT(probe.Expect<Done>(), IsOk());
//   });
template <class Body>
  requires std::same_as<std::invoke_result_t<Body&, uint64_t>, void>
void ForEachSeed(int count, Body body,
                 std::source_location where = std::source_location::current()) {
  if (count < 1) ADD_FAILURE() << "ForEachSeed: count must be at least 1";
  for (int seed = 0; seed < count && !::testing::Test::HasFailure(); ++seed) {
    const ::testing::ScopedTrace trace(where.file_name(), static_cast<int>(where.line()),
                                       "seed " + std::to_string(seed));
    body(static_cast<uint64_t>(seed));
  }
}

}  // namespace testing
}  // namespace troupe

#endif  // TROUPE_TESTING_MATCHERS_H_
