// How an actor ended, and the message that tells its watchers.
#ifndef TROUPE_ACTORS_EXIT_H_
#define TROUPE_ACTORS_EXIT_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "troupe/actors/any_ref.h"

namespace troupe {

enum class ExitReason : uint8_t {
  kNormal,       // it stopped itself, was stopped, or its parent ended
  kShutdown,     // its System was shut down
  kFailed,       // a handler threw or called Context::Fail; Down::status says what
  kNoSuchActor,  // it had ended before it could be watched, or is nobody
};

std::string_view ToString(ExitReason reason);
inline std::ostream& operator<<(std::ostream& out, ExitReason reason) {
  return out << ToString(reason);
}

// Sent to every watcher when the watched actor ends, after the last message that actor sent to the
// watcher. A supervised actor that is made anew has not ended.
struct Down {
  AnyRef who;
  ExitReason reason = ExitReason::kNormal;
  // kFailed: why. kNoSuchActor: kNotFound, since nobody knows any more how it ended, be it well or
  // badly. Else OK.
  absl::Status status;
  std::string_view type;  // the class of the actor, and
  std::string name;       // ActorOptions::name; both empty with kNoSuchActor
};

// When Stop takes effect.
enum class StopWhen : uint8_t {
  kNow,      // before the messages that are still queued; those become dead letters
  kDrained,  // after the messages queued at the time of the call
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_EXIT_H_
