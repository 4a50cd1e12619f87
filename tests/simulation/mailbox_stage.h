// Stage: a System whose scheduler draws who runs next, with an account of the messages in it.
#ifndef TROUPE_TESTS_SIMULATION_MAILBOX_STAGE_H_
#define TROUPE_TESTS_SIMULATION_MAILBOX_STAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {

inline constexpr int kKeys = 5;

inline int64_t jobs_alive = 0;
struct Job {
  using Reply = int;
  Job(int id, int key) : id(id), key(key) { ++jobs_alive; }
  Job(const Job& other) : id(other.id), key(other.key) { ++jobs_alive; }
  ~Job() { --jobs_alive; }
  int id;
  int key;
};

struct Stage {
  explicit Stage(uint64_t seed) : loop({.seed = seed}) {}
  ManualScheduler loop;
  std::array<uint64_t, kDeadLetterReasons> letters{};
  System system{{.scheduler = &loop, .on_dead_letter = [this](const DeadLetter& letter) {
                   if (letter.message_type.ends_with("Job")) {
                     ++letters[static_cast<size_t>(letter.reason)];
                   }
                 }}};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SIMULATION_MAILBOX_STAGE_H_
