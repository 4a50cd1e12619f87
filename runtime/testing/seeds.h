// ForEachSeed: the same test under many orders of events.
#ifndef TROUPE_TESTING_SEEDS_H_
#define TROUPE_TESTING_SEEDS_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/status/status.h"

namespace troupe::testing {

// Calls `body` with the seeds 0, 1 ... count-1, each for a TestSystem of its own, until one returns
// an error, and returns that with the seed in front: "seed 17: ...". What `body` throws comes out.
// kInvalidArgument if count is not positive, since a test that runs nothing would always pass.
//
//   absl::Status result = ForEachSeed(100, [](uint64_t seed) {
//     TestSystem system({.seed = seed});
//     ...
//     return system.ExpectNoDeadLetters();
//   });
//
// For a body of EXPECTs, which returns void, see matchers.h.
//
// A seed draws who runs next among the actors that have something to do (ManualScheduler::Options).
// It finds orders and proves nothing about those it has not drawn; some it draws more often than
// others (Sen, "Effective random testing of concurrent programs", ASE 2007).
template <class Body>
  requires std::same_as<std::invoke_result_t<Body&, uint64_t>, absl::Status>
absl::Status ForEachSeed(int count, Body body) {
  if (count < 1) return absl::InvalidArgumentError("ForEachSeed: count must be at least 1");
  for (uint64_t seed = 0; seed < static_cast<uint64_t>(count); ++seed) {
    const absl::Status result = body(seed);
    if (result.ok()) continue;
    return absl::Status(result.code(),
                        "seed " + std::to_string(seed) + ": " + std::string(result.message()));
  }
  return absl::OkStatus();
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SEEDS_H_
