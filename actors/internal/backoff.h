// How long to wait before the next try, as Backoff (supervisor_options.h) says.
#ifndef TROUPE_ACTORS_INTERNAL_BACKOFF_H_
#define TROUPE_ACTORS_INTERNAL_BACKOFF_H_

#include <algorithm>
#include <random>

#include "absl/time/time.h"
#include "troupe/actors/supervisor_options.h"

namespace troupe::internal {

// `failures`: how many tries have failed before the last one, which has, too.
inline absl::Duration DelayBeforeNextTry(const Backoff& backoff, int failures,
                                         std::mt19937_64& random) {
  absl::Duration delay = backoff.min;
  for (int i = 0; i < failures && delay < backoff.max; ++i) delay *= 2;
  delay = std::min(delay, std::max(backoff.min, backoff.max));
  return delay * (1 - backoff.jitter * std::uniform_real_distribution<>()(random));
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_BACKOFF_H_
