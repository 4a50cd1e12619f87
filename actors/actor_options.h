// ActorOptions: what can be chosen for one actor when it is spawned.
#ifndef TROUPE_ACTORS_ACTOR_OPTIONS_H_
#define TROUPE_ACTORS_ACTOR_OPTIONS_H_

#include <cstdint>
#include <limits>
#include <string>

#include "troupe/actors/send_result.h"

namespace troupe {

inline constexpr uint32_t kUnbounded = std::numeric_limits<uint32_t>::max();

// See also Options::dispatchers: threads that several actors share.
enum class Placement : uint8_t {
  kPool,             // on the system's scheduler, with everybody else
  kDedicatedThread,  // on a thread of its own: for handlers that block or compute for long
};

struct ActorOptions {
  // A label for people, shown in stats and shutdown reports. Need not be unique, and nobody is found
  // by it: names by which actors are found are given with Bind (naming.h).
  std::string name = {};

  // Messages that may wait. kUnbounded costs least per message; a bound of n >= 1 is exact, and
  // costs a short lock per message. Stop, Watch, Down and replies are not counted and never
  // refused.
  uint32_t capacity = kUnbounded;
  WhenFull when_full = WhenFull::kBlock;

  // Which threads run it. Not both: std::invalid_argument, which also says so if no dispatcher of that
  // name is in Options::dispatchers, and which ones are.
  //
  // Empty: the system's workers, whatever its parent is on. (As in Akka: where an actor runs can be
  // read where it is spawned, and what a pinned or blocking one spawns does not crowd in with it.)
  std::string dispatcher = {};
  Placement placement = Placement::kPool;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_ACTOR_OPTIONS_H_
