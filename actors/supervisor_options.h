// What can be chosen for a supervisor and for each of its children. The words are those of Erlang's
// OTP (supervisor(3)), and so are the defaults.
#ifndef TROUPE_ACTORS_SUPERVISOR_OPTIONS_H_
#define TROUPE_ACTORS_SUPERVISOR_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"

namespace troupe {

// Who is made anew when one child fails.
enum class Strategy : uint8_t {
  kOneForOne,   // that child
  kOneForAll,   // all: the others are ended first, last started first, and all started in order
  kRestForOne,  // that child and those started after it
};

// Which ends of a child are followed by a new life.
enum class Restart : uint8_t {
  kPermanent,  // every one
  kTransient,  // a failure (ExitReason::kFailed)
  kTemporary,  // none, not even for a sibling's sake; the supervisor forgets the child
};

// Whether a supervisor ends when children marked `significant` end by themselves and are not made
// anew.
enum class AutoShutdown : uint8_t {
  kNever,
  kAnySignificant,  // when one has
  kAllSignificant,  // when the last has
};

// What becomes of the messages that wait in the mailbox when a life of the actor ends.
enum class MailboxOnRestart : uint8_t {
  kKeep,  // the next life handles them
  kDrop,  // dead letters; asks among them fail at once. What comes later waits for the next life
};

// How long a failed child waits before its next life: `min`, twice as long for each further failure
// up to `max`, and from that a random part of up to `jitter` is taken away, so that what failed
// together is not started together. It begins with `min` again after a life that was longer than
// SupervisorOptions::period. Exponential backoff as in Metcalfe and Boggs (Ethernet, 1976).
struct Backoff {
  absl::Duration min = absl::ZeroDuration();  // zero, OTP's way: at once, always
  absl::Duration max = absl::Seconds(30);
  double jitter = 0.2;  // 0 to 1
};

struct ChildOptions {
  // By which the supervisor's requests know the child, and its ActorOptions::name. Unique among its
  // siblings, or empty.
  std::string name = {};
  Restart restart = Restart::kPermanent;

  // How long the supervisor waits for the child to end when it ends it, before it goes on to the
  // next. An actor cannot be killed: one whose handler does not return ends when it does, and holds
  // up nobody but its supervisor's own end. Zero does not wait (in place of OTP's brutal_kill).
  // Unset: 5 seconds; for a supervisor, for ever.
  std::optional<absl::Duration> shutdown = std::nullopt;

  bool significant = false;  // see AutoShutdown; not for a permanent child
  Backoff backoff = {};
  MailboxOnRestart mailbox = MailboxOnRestart::kKeep;
  ActorOptions actor = {};  // its name is not used
};

struct SupervisorOptions {
  Strategy strategy = Strategy::kOneForOne;

  // More than `intensity` restarts within `period`, and the supervisor gives up: it ends its children
  // and fails. A restart of many children counts once.
  int intensity = 1;
  absl::Duration period = absl::Seconds(5);

  AutoShutdown auto_shutdown = AutoShutdown::kNever;

  // Of the jitter, for tests. Unset: drawn at random.
  std::optional<uint64_t> seed = std::nullopt;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_SUPERVISOR_OPTIONS_H_
