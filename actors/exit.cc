#include "troupe/actors/exit.h"

#include "troupe/actors/dead_letter.h"
#include "troupe/actors/send_result.h"

namespace troupe {

std::string_view ToString(ExitReason reason) {
  switch (reason) {
    case ExitReason::kNormal:
      return "normal";
    case ExitReason::kShutdown:
      return "shutdown";
    case ExitReason::kFailed:
      return "failed";
    case ExitReason::kNoSuchActor:
      return "no such actor";
  }
  return "unknown";
}

std::string_view ToString(SendResult result) {
  switch (result) {
    case SendResult::kQueued:
      return "queued";
    case SendResult::kFull:
      return "full";
    case SendResult::kDropped:
      return "dropped";
    case SendResult::kClosed:
      return "closed";
    case SendResult::kNotAllowed:
      return "not allowed";
  }
  return "unknown";
}

std::string_view ToString(DeadLetterReason reason) {
  switch (reason) {
    case DeadLetterReason::kNoSuchActor:
      return "no such actor";
    case DeadLetterReason::kStopped:
      return "stopped";
    case DeadLetterReason::kFull:
      return "full";
    case DeadLetterReason::kDroppedNewest:
      return "dropped newest";
    case DeadLetterReason::kDroppedOldest:
      return "dropped oldest";
    case DeadLetterReason::kExpired:
      return "expired";
    case DeadLetterReason::kUnhandled:
      return "unhandled";
    case DeadLetterReason::kNotAllowed:
      return "not allowed";
  }
  return "unknown";
}

}  // namespace troupe
