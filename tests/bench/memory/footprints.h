// What memory.cc measures. Each is said above its function.
#ifndef TROUPE_TESTS_BENCH_MEMORY_FOOTPRINTS_H_
#define TROUPE_TESTS_BENCH_MEMORY_FOOTPRINTS_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace troupe::bench {

// By how many KiB the resident set grew by n things, all there at once. In a process that did nothing
// before: what was freed would be used again. An error means that the things were not what they
// should be.
using Footprint = absl::StatusOr<int64_t> (*)(int64_t n);

absl::StatusOr<int64_t> IdleActor(int64_t n);
absl::StatusOr<int64_t> QueuedMessage(int64_t n);
absl::StatusOr<int64_t> QueuedBounded(int64_t n);
absl::StatusOr<int64_t> PendingTimer(int64_t n);
absl::StatusOr<int64_t> PendingAsk(int64_t n);
absl::StatusOr<int64_t> Watched(int64_t n);
absl::StatusOr<int64_t> Linked(int64_t n);
absl::StatusOr<int64_t> Child(int64_t n);
absl::StatusOr<int64_t> Named(int64_t n);
#if defined(__clang__) || __GNUC__ >= 13              // see core/task.h
absl::StatusOr<int64_t> SuspendedHandler(int64_t n);  // all of one actor
absl::StatusOr<int64_t> SuspendedActor(int64_t n);    // each of an actor of its own, which counts
#endif

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_MEMORY_FOOTPRINTS_H_
