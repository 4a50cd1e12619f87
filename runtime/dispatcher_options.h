// DispatcherOptions: threads of their own for some actors of a System.
#ifndef TROUPE_RUNTIME_DISPATCHER_OPTIONS_H_
#define TROUPE_RUNTIME_DISPATCHER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

enum class DispatcherKind : uint8_t {
  kPool,      // work-stealing workers, as the system's own: for handlers that compute
  kBlocking,  // a thread for each actor that has something to do: for handlers that wait
};

// Actors run on the system's workers unless ActorOptions::dispatcher names one of these:
//
//   troupe::System system({.dispatchers = {
//       {.name = "disk", .kind = troupe::DispatcherKind::kBlocking, .workers = 8},
//       {.name = "audio", .workers = 1, .cpus = {3}},
//   }});
//   auto mixer = system.Spawn<Mixer>({.dispatcher = "audio"});
//
// What one dispatcher's actors do holds up none of another's. Everything else is the same wherever an
// actor runs: refs, order, asks, timers. A message to another dispatcher's actor wakes a thread there
// if all of them sleep, where one to an actor of the same runs next on the same core.
//
// One actor that wants a thread for itself needs no dispatcher: Placement::kDedicatedThread.
//
// The System's constructor throws std::invalid_argument for a name that is empty or is there twice,
// for numbers out of range, and for CPUs that this process may not use. With a scheduler of the host's
// (Options::scheduler) there are no such threads: then the names stand for that scheduler, so that an
// application with dispatchers is tested as any other, and CPUs are not looked at.
struct DispatcherOptions {
  std::string name;
  DispatcherKind kind = DispatcherKind::kPool;

  // kPool: threads, as Options::workers; 0: one for each of `cpus`, or for each CPU that the
  // process may use. It
  // has Options::max_blocking_threads beside them, for itself. kBlocking: threads at most, started as
  // they are needed and kept; 0: Options::max_blocking_threads. Actors beyond that wait for a thread.
  int workers = 0;

  // Its threads run on these CPUs only, as the kernel numbers them. Empty: wherever the process may.
  std::vector<int> cpus = {};
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_DISPATCHER_OPTIONS_H_
