// TestSystem: a System for the tests of actors: no threads, its own time, and no dead letter lost.
#ifndef TROUPE_TESTING_TEST_SYSTEM_H_
#define TROUPE_TESTING_TEST_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/runtime/system.h"
#include "troupe/testing/internal/dead_letter_log.h"

namespace troupe {

namespace testing {

struct TestOptions {
  // Set: who runs next is drawn at random from this seed. See ForEachSeed (seeds.h).
  std::optional<uint64_t> seed = std::nullopt;

  absl::Time start = absl::UnixEpoch();

  // After so many turns without an end, actors that keep each other busy are left alone.
  int max_turns = 1'000'000;

  // Told what the test has not asked about: dead letters that are left at the end, turns without an
  // end. With GoogleTest: FailTest (matchers.h). What it throws is dropped.
  std::function<void(const std::string&)> on_complaint = nullptr;
};

}  // namespace testing

namespace internal {

// What a System needs while it lives, so that a TestSystem has it before and after.
struct TestGround {
  explicit TestGround(testing::TestOptions o)
      : options(std::move(o)), loop({.start = options.start, .seed = options.seed}) {}

  const testing::TestOptions options;
  ManualScheduler loop;
  DeadLetterLog log;
};

}  // namespace internal

namespace testing {

// A System whose actors run on the test's own thread, when the test says so. Spawn and all else are
// System's own. Beside it a test has Probes (probe.h), which stand in for the other actors.
//
//   troupe::testing::TestSystem system;
//   auto account = system.Spawn<Account>();
//   account.Send(Deposit{100});
//   EXPECT_EQ(account.Ask(Balance{}).Wait().value(), 100);   // turns the system meanwhile
//   account.Stop();
//   system.RunUntilIdle();
//   account.Send(Deposit{1});
//   absl::StatusOr<troupe::DeadLetter> lost = system.ExpectDeadLetter<Deposit>();
//
// Not for tests of blocking handlers, data races or speed: those want a System with threads. For
// tests alone; Bazel: //runtime/testing, and //runtime/testing:matchers with GoogleTest. CMake:
// troupe::testing.
//
// Time           Virtual: it moves only in Advance and in functions that are told a duration, from
//                timer to timer; and in Wait() and Join(), which jump to the next timer when
//                nothing else is left to do.
// Determinism    Same program, same seed: same order, same result.
// Thread safety  As ManualScheduler: the thread that makes it turns it; sends come from any thread.
// Lifetime       Its refs are valid while it lives; so is what a DeadLetter refers to.
// Errors         As absl::Status, so that they serve any test framework:
//                  kNotFound            what was expected did not come
//                  kFailedPrecondition  something else came
//                  kResourceExhausted   it did not come in max_turns turns
//                  kUnavailable         the probe has ended
class TestSystem final : private internal::TestGround, public System {
 public:
  explicit TestSystem(TestOptions options = {});
  // Complains (TestOptions::on_complaint) of dead letters that nobody has taken, then shuts down.
  // What is still under way then is nobody's concern.
  ~TestSystem();

  // Turns until there is nothing to do now. Time stands still.
  void RunUntilIdle();
  // Moves time forward, stopping at each timer on the way.
  void Advance(absl::Duration by);
  // Turns until `done()`, which is asked before every turn, letting time go on by `within` at most.
  // Time stops where `done()` became true. False: time is up, or nothing is left to do at all, or
  // it gave up.
  bool RunUntil(const std::function<bool()>& done, absl::Duration within = absl::ZeroDuration());

  // Whether the last of these three has ended because max_turns had passed.
  bool gave_up() const { return gave_up_; }

  absl::Time Now() const { return loop.Now(); }
  // For all else: who waits for a turn, when the next timer is due.
  ManualScheduler& scheduler() { return loop; }
  const ManualScheduler& scheduler() const { return loop; }

  // ---- dead letters: those that are taken are no cause for complaint

  // Runs until idle and takes the oldest dead letter that was an M; also what an Ask lost.
  template <class M>
  absl::StatusOr<DeadLetter> ExpectDeadLetter() {
    return TakeDeadLetter(TypeName<M>());
  }
  // Runs until idle; the error lists the dead letters, which stay.
  absl::Status ExpectNoDeadLetters();
  // All there are so far, in the order in which they were lost. These two turn nothing.
  std::vector<DeadLetter> TakeDeadLetters() { return log.TakeAll(); }
  std::vector<DeadLetter> dead_letters() const { return log.letters(); }

 private:
  void Run(absl::Duration within);
  void Turn(absl::Time until);
  bool DueBy(absl::Time until) const;
  void Complain(const std::string& what) noexcept;
  absl::StatusOr<DeadLetter> TakeDeadLetter(std::string_view type);

  bool gave_up_ = false;
};

// "Deposit to Account#5e1f09c2 from nobody, sent at bank_test.cc:12: stopped".
std::string ToString(const DeadLetter& letter);
// Each on a line of its own, indented.
std::string ToString(const std::vector<DeadLetter>& letters);

}  // namespace testing
}  // namespace troupe

#endif  // TROUPE_TESTING_TEST_SYSTEM_H_
