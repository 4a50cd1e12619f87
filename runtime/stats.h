// SystemStats, ActorStats, ShutdownReport: what a System tells about itself. Snapshots: taken
// without stopping anything, so numbers that belong together may be an instant apart.
#ifndef TROUPE_RUNTIME_STATS_H_
#define TROUPE_RUNTIME_STATS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/runtime/worker_stats.h"

namespace troupe {

struct DispatcherStats {
  std::string name;
  std::vector<WorkerStats>
      workers;  // kBlocking: the threads started so far; the first one's `queued`
                // is that of all. Empty with a host's scheduler
};

struct SystemStats {
  uint64_t spawned = 0;
  uint64_t ended = 0;
  uint64_t live = 0;
  std::array<uint64_t, kDeadLetterReasons> dead_letters{};  // by DeadLetterReason
  std::vector<WorkerStats> workers;          // empty unless the built-in scheduler is used
  std::vector<DispatcherStats> dispatchers;  // as in Options::dispatchers

  uint64_t dead_letters_total() const {
    uint64_t sum = 0;
    for (uint64_t n : dead_letters) sum += n;
    return sum;
  }
};

struct ActorStats {
  AnyRef ref;
  std::string_view type;      // the class
  std::string name;           // ActorOptions::name
  uint64_t queued = 0;        // messages waiting
  uint64_t handled = 0;       // messages taken out of the mailbox so far
  absl::Duration oldest_age;  // no waiting message is older; zero if none waits. To about a
                              // millisecond and one batch
  std::string_view handling;  // the message whose handler is running, or is suspended and keeps the
                              // others waiting; empty if there is none
};

// An actor that had not ended at the deadline of a Shutdown.
struct StuckActor {
  AnyRef ref;
  std::string_view type;
  std::string name;
  std::string_view handling;   // the message whose handler does not return; empty: it waits for a
                               // child that is stuck
  absl::Duration running_for;  // at most that long
};

struct ShutdownReport {
  bool complete = true;           // every actor has ended and every thread has been joined
  std::vector<StuckActor> stuck;  // otherwise: who has not

  std::string ToString() const;  // one line per stuck actor
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_STATS_H_
