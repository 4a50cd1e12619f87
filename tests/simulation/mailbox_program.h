// Program: random operations on a few mailboxes, from a seed.
#ifndef TROUPE_TESTS_SIMULATION_MAILBOX_PROGRAM_H_
#define TROUPE_TESTS_SIMULATION_MAILBOX_PROGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <random>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/mailbox_model.h"
#include "troupe/troupe.h"

namespace troupe {

inline constexpr uint32_t kPlayers = 4;

enum class Kind {
  kSend,  // by a plain thread, as all that say Try or Now
  kTrySend,
  kTryReceive,
  kEnqueue,
  kDeliver,
  kReceive,
  kSelect,
  kAsk,
  kClosed,
  kEnqueueNow,  // which does not wait
  kDeliverNow,
  kReceiveNow,
  kBurst,  // TrySend, many, and TryReceive in between
  kDrain,  // TryReceive, as many
  kShare,
  kMove,  // to the same place
  kDropShare,
  kAttach,
  kClose,
  kStop,
  kAdvance,
  kRun,
};
inline std::string_view ToString(Kind kind) {
  constexpr std::array<std::string_view, 22> kNames{
      "Send",      "TrySend",    "TryReceive", "Enqueue",    "Deliver", "Receive", "Select", "Ask",
      "Closed",    "EnqueueNow", "DeliverNow", "ReceiveNow", "Burst",   "Drain",   "Share",  "Move",
      "DropShare", "Attach",     "Close",      "Stop",       "Advance", "Run"};
  return kNames[static_cast<size_t>(kind)];
}

// What the numbers mean depends on what there is when its turn comes, so any part of a program is one.
struct Step {
  Kind kind;
  uint32_t box;
  uint32_t share;
  uint32_t actor;
  uint32_t number;  // a key, a time
  bool awaits;      // in a coroutine
};

inline absl::Duration TimeoutOf(const Step& step, int op) {
  if (step.number < 8) return absl::InfiniteDuration();
  // An ask without time is over before it is sent.
  if (step.number < 11 && step.kind != Kind::kAsk) return absl::ZeroDuration();
  // No two deadlines are the same.
  return absl::Milliseconds(step.number) + absl::Microseconds(1 + op);
}

struct Program {
  uint64_t seed;  // also of who runs next
  std::vector<MailboxModel::Choice> boxes;
  std::vector<Step> steps;
};

inline std::ostream& operator<<(std::ostream& out, const Program& program) {
  for (const auto& box : program.boxes) {
    out << "  mailbox: capacity " << box.capacity << ", when_full "
        << static_cast<int>(box.when_full) << ", receivers " << static_cast<int>(box.receivers)
        << ", owner " << static_cast<int>(box.owner) << "\n";
  }
  for (const Step& s : program.steps) {
    out << "  " << ToString(s.kind) << " mailbox " << s.box << " share " << s.share << " actor "
        << s.actor << " number " << s.number << (s.awaits ? " awaits" : "") << "\n";
  }
  return out;
}

inline Program Generate(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](uint64_t n) { return static_cast<uint32_t>(random() % n); };
  Program program{.seed = seed, .boxes = {}, .steps = {}};
  using enum Receivers;  // one twice, where less happens
  constexpr std::array kPolicies{kFirstCome, kRandom,     kRoundRobin, kByKey,
                                 kAll,       kOneAtATime, kOneAtATime, kExclusivePair};
  for (uint32_t i = 1 + draw(3); i > 0; --i) {
    MailboxModel::Choice box{
        .capacity = std::array{0u, 0u, 1u, 1u, 2u, 2u, 17u, 70u, kUnbounded, kUnbounded}[draw(10)],
        .when_full = static_cast<WhenFull>(draw(2) == 0 ? 0 : draw(4)),
        .receivers = kPolicies[draw(kPolicies.size())],
        .owner = draw(3) == 0 ? MailboxOwner::kSystem : MailboxOwner::kReceiver,
        .seed = random()};
    if (box.receivers == Receivers::kAll && box.capacity == 0) box.capacity = 1;
    program.boxes.push_back(box);
  }
  constexpr std::array kMostly{
      Kind::kTrySend,    Kind::kTrySend,    Kind::kTryReceive, Kind::kEnqueue, Kind::kEnqueue,
      Kind::kDeliver,    Kind::kReceive,    Kind::kReceive,    Kind::kSelect,  Kind::kShare,
      Kind::kDropShare,  Kind::kAdvance,    Kind::kStop,       Kind::kRun,     Kind::kEnqueueNow,
      Kind::kDeliverNow, Kind::kReceiveNow, Kind::kAsk,        Kind::kAsk,     Kind::kClosed,
      Kind::kSend};
  constexpr std::array kSeldom{Kind::kClose, Kind::kAttach, Kind::kMove,
                               Kind::kMove,  Kind::kBurst,  Kind::kDrain};
  for (uint32_t i = 5 + draw(40); i > 0; --i) {
    const Kind kind = draw(12) == 0 ? kSeldom[draw(kSeldom.size())] : kMostly[draw(kMostly.size())];
    program.steps.push_back({kind, draw(6), draw(6), draw(kPlayers), draw(30), draw(2) == 0});
  }
  return program;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_SIMULATION_MAILBOX_PROGRAM_H_
