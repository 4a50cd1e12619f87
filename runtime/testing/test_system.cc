#include "troupe/testing/test_system.h"

#include <algorithm>
#include <utility>

namespace troupe::testing {

std::string ToString(const DeadLetter& letter) {
  const std::string target =
      letter.mailbox.empty() ? letter.target.ToString() : "the mailbox " + letter.mailbox;
  return std::string(letter.message_type) + " to " + target + " from " + letter.sender.ToString() +
         ", sent at " + letter.where.file_name() + ":" + std::to_string(letter.where.line()) +
         ": " + std::string(troupe::ToString(letter.reason));
}

std::string ToString(const std::vector<DeadLetter>& letters) {
  std::string text;
  for (const DeadLetter& letter : letters) text += "\n  " + ToString(letter);
  return text;
}

TestSystem::TestSystem(TestOptions options)
    : TestGround(std::move(options)),
      System({.scheduler = &loop, .on_dead_letter = [this](const DeadLetter& d) { log.Add(d); }}) {}

TestSystem::~TestSystem() {
  const std::vector<DeadLetter> letters = TakeDeadLetters();
  if (letters.empty()) return;
  Complain("Troupe: dead letters that the test has not asked about:" + ToString(letters));
}

void TestSystem::RunUntilIdle() { Run(absl::ZeroDuration()); }
void TestSystem::Advance(absl::Duration by) { Run(by); }

void TestSystem::Run(absl::Duration within) {
  RunUntil([] { return false; }, within);
  if (!gave_up_) return;
  Complain("Troupe: gave up after " + std::to_string(options.max_turns) +
           " turns; the actors keep each other busy");
}

bool TestSystem::RunUntil(const std::function<bool()>& done, absl::Duration within) {
  const absl::Time until = Now() + std::max(within, absl::ZeroDuration());
  gave_up_ = false;
  for (int turns = 0; !done(); ++turns) {
    if (loop.idle() && !DueBy(until)) {
      if (until != absl::InfiniteFuture()) loop.AdvanceTo(until);
      return false;
    }
    gave_up_ = turns >= options.max_turns;
    if (gave_up_) return false;
    Turn(until);
  }
  return true;
}

// One turn; or, where nobody waits for one, the next timer and the turn that it brings.
void TestSystem::Turn(absl::Time until) {
  if (loop.RunOne()) return;
  const absl::Time next = std::min(loop.next_deadline(), until);
  if (next != absl::InfiniteFuture()) loop.AdvanceTo(next, 1);
}

bool TestSystem::DueBy(absl::Time until) const {
  const absl::Time next = loop.next_deadline();
  return next <= until && next != absl::InfiniteFuture();
}

// Catches all, since the destructor may be what complains.
void TestSystem::Complain(const std::string& what) noexcept {
  if (options.on_complaint == nullptr) return;
  try {
    options.on_complaint(what);
  } catch (...) {
  }
}

absl::StatusOr<DeadLetter> TestSystem::TakeDeadLetter(std::string_view type) {
  RunUntilIdle();
  const std::optional<DeadLetter> letter = log.TakeOldest(type);
  if (letter.has_value()) return *letter;
  const std::vector<DeadLetter> others = dead_letters();
  return absl::NotFoundError("expected a dead letter of " + std::string(type) + ", but there are " +
                             (others.empty() ? "none" : "only:" + ToString(others)));
}

absl::Status TestSystem::ExpectNoDeadLetters() {
  RunUntilIdle();
  const std::vector<DeadLetter> letters = dead_letters();
  if (letters.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError("expected no dead letters, but there are:" +
                                       ToString(letters));
}

}  // namespace troupe::testing
