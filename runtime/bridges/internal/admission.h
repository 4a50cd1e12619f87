// Admission: which of the peers that connect to a node may shake hands.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_ADMISSION_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_ADMISSION_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/node_options.h"

namespace troupe::internal {

// Handshakes are what strangers can make us pay for, so they are limited: in their rate by a token
// bucket, and by how many go on at the same time.
//
// Thread safety  Any thread.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Admission(const NodeOptions& options)
      : per_second_(options.handshakes_per_second),
        burst_(options.handshake_burst),
        max_half_open_(options.max_half_open),
        tokens_(burst_) {}

  // Held while a peer shakes hands. May outlive the Admission.
  using Pass = std::shared_ptr<void>;

  // kResourceExhausted: a limit has been reached. `now` does not go back.
  absl::StatusOr<Pass> Begin(Clock::time_point now);
  // Passes are taken under mutex_ only, so there are never more than it says.
  size_t half_open() const { return static_cast<size_t>(open_.use_count()) - 1; }

 private:
  const double per_second_;
  const double burst_;
  const size_t max_half_open_;
  const Pass open_ = std::make_shared<char>();  // a pass is a share of it

  Mutex mutex_;
  double tokens_ ABSL_GUARDED_BY(mutex_);  // handshakes that may begin at once
  Clock::time_point filled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_ADMISSION_H_
