// Options: all that can be configured about a System. The defaults are for production; most
// programs set nothing.
#ifndef TROUPE_RUNTIME_OPTIONS_H_
#define TROUPE_RUNTIME_OPTIONS_H_

#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/runtime/dispatcher_options.h"

namespace troupe {

class Scheduler;

struct Options {
  // Worker threads; 0: one for each CPU that the process may use (taskset(1), a container's CPU
  // set; not a share of their time). Without meaning when `scheduler` is set.
  int workers = 0;

  // nullptr: the built-in work-stealing scheduler. Otherwise one of the caller's (ManualScheduler,
  // TaskArenaScheduler, or an own one that passes tests/conformance), which must outlive the System
  // and serves only this one.
  Scheduler* scheduler = nullptr;

  // An activation, that is one turn of one actor, ends after this many messages or, checked between
  // messages, this long. More favours throughput of busy actors, less the others' latency. Leave
  // them alone unless you have measured.
  int messages_per_turn = 128;
  absl::Duration time_per_turn = absl::Microseconds(100);

  // Threads beyond `workers` that may stand in for workers inside Context::Blocking or a blocking
  // Send. When they are used up, a handler that blocks holds its worker's place.
  int max_blocking_threads = 256;

  // Threads of their own for actors whose ActorOptions::dispatcher names them.
  std::vector<DispatcherOptions> dispatchers = {};

  // How long ~System waits for actors to end. See System::Shutdown.
  absl::Duration shutdown_timeout = absl::Seconds(10);

  // Told of every message that reaches no handler. They are counted in stats() in any case.
  DeadLetterHook on_dead_letter = nullptr;

  // An awaited ask that closes a cycle of actors which await each other fails at once (coroutine.h).
  // False: it ends with its deadline, and an awaited ask costs a few nanoseconds less
  // (runtime/notes/0012-coroutine-handlers.md).
  bool find_ask_cycles = true;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_OPTIONS_H_
