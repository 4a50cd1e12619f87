// Random programs of mailbox operations, each compared step by step with a model that is too simple
// to be wrong (mailbox_model.h): who got what, who was told what, what was lost and why, and what the
// mailboxes say of themselves. Who runs next is drawn, too.
//
// A failure names its seed and the fewest steps that still show it; a crash, a sanitizer's report and
// the end of a hang name the seed. TROUPE_SIMULATION_SEED=<seed> runs that program alone (after those
// that share its System), and TROUPE_SIMULATION_PROGRAMS=<n> another number of them.
#include "tests/simulation/mailbox_model.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/simulation/mailbox_program.h"
#include "tests/simulation/mailbox_world.h"
#include "tests/simulation/named_seed.h"
#include "troupe/core/node_pool.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

// What came of all operations and messages.
struct Tally {
  std::map<absl::StatusCode, uint64_t> outcomes;
  std::array<uint64_t, kDeadLetterReasons> letters{};
};

std::optional<std::string> RunOne(Stage& stage, const Program& program, Tally& tally) {
  [[maybe_unused]] const int64_t blocks = OutstandingNodeBlocks();
  std::optional<std::string> wrong;
  {
    World world(stage, program);
    wrong = world.Run();
    for (const auto& [op, outcome] : world.seen()) ++tally.outcomes[outcome.code];
    for (size_t i = 0; i < stage.letters.size(); ++i) tally.letters[i] += stage.letters[i];
  }
  if (!wrong && jobs_alive != 0) wrong = std::to_string(jobs_alive) + " messages are left";
#ifdef TROUPE_SANITIZER  // else each thread keeps some
  if (!wrong && OutstandingNodeBlocks() != blocks) wrong = "blocks are left";
#endif
  jobs_alive = 0;
  return wrong;
}

// The same with every step left out that can be.
Program Shrink(Program program) {
  for (size_t i = program.steps.size(); i-- > 0;) {
    Program less = program;
    less.steps.erase(less.steps.begin() + static_cast<ptrdiff_t>(i));
    Stage stage(less.seed);
    Tally tally;
    if (RunOne(stage, less, tally)) program = std::move(less);
  }
  return program;
}

// So many share a System: what one leaves behind would show in the next, and to make one takes longer
// than to run a program.
constexpr uint64_t kShare = 20;
uint64_t FirstWith(uint64_t seed) { return seed - (seed - 1) % kShare; }

// The number of programs in the first so many parts. Those that share a System are in one part, or else a seed
// would not always give the same run.
constexpr uint64_t kParts = 4;  // for as many processes (shard_count)
constexpr uint64_t ProgramsIn(uint64_t parts, uint64_t all) {
  return parts < kParts ? all * parts / kParts / kShare * kShare : all;
}
static_assert(ProgramsIn(1, 5000) == 1240 && ProgramsIn(2, 5000) == 2500 &&
              ProgramsIn(4, 5000) == 5000);

// `first` is one for which FirstWith is itself. False: one was wrong.
bool RunSeeds(uint64_t first, uint64_t last, Tally& tally) {
  std::optional<Stage> stage;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const NamedSeed named(seed);
    if (seed == FirstWith(seed)) stage.emplace(seed);
    const Program program = Generate(seed);
    const std::optional<std::string> wrong = RunOne(*stage, program, tally);
    if (!wrong) continue;
    const Program least = Shrink(program);
    ADD_FAILURE() << "seed " << seed << ": " << *wrong << "\nat least:\n"
                  << least << RunOne(stage.emplace(seed), least, tally).value_or("not alone");
    return false;
  }
  return true;
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

#ifdef TROUPE_SANITIZER
constexpr uint64_t kPrograms = 5'000;
#else
constexpr uint64_t kPrograms = 100'000;
#endif

class MailboxModelTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(MailboxModelTest, MailboxesDoWhatTheModelDoes) {
  Tally tally;
  if (const uint64_t only = FromEnvironment("TROUPE_SIMULATION_SEED", 0); only != 0) {
    if (GetParam() == 0) RunSeeds(FirstWith(only), only, tally);
    return;
  }
  const uint64_t all = FromEnvironment("TROUPE_SIMULATION_PROGRAMS", kPrograms);
  const uint64_t before = ProgramsIn(GetParam(), all);
  const uint64_t programs = ProgramsIn(GetParam() + 1, all) - before;
  if (!RunSeeds(before + 1, before + programs, tally) || programs < 1000) return;
  // The programs did something of everything.
  using enum absl::StatusCode;
  for (const auto code : {kOk, kDeadlineExceeded, kUnavailable, kResourceExhausted,
                          kPermissionDenied, kFailedPrecondition, kCancelled}) {
    EXPECT_GT(tally.outcomes[code], programs / 50) << absl::StatusCodeToString(code);
  }
  for (size_t i = 0; i < tally.letters.size(); ++i) {
    if (static_cast<DeadLetterReason>(i) == DeadLetterReason::kUnhandled) continue;  // by actors
    EXPECT_GT(tally.letters[i], programs / 50) << ToString(static_cast<DeadLetterReason>(i));
  }
}
INSTANTIATE_TEST_SUITE_P(InParts, MailboxModelTest, ::testing::Range(uint64_t{0}, kParts));

TEST(MailboxModelDeathTest, AProgramThatCrashesOrHangsNamesItsSeed) {
  EXPECT_DEATH((NamedSeed(17), std::abort()), "seed 17\n");
  const auto end_a_hang = [] {
    const NamedSeed named(18);
    std::raise(SIGTERM);
  };
  EXPECT_EXIT(end_a_hang(), ::testing::KilledBySignal(SIGTERM), "seed 18\n");
}

}  // namespace
}  // namespace troupe
