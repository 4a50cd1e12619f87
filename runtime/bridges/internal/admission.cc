#include "troupe/runtime/bridges/internal/admission.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe::internal {

absl::StatusOr<Admission::Pass> Admission::Begin(Clock::time_point now) {
  const MutexLock lock(mutex_);  // so no two passes are given for the last place
  if (half_open() >= max_half_open_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("too many handshakes at the same time: ", max_half_open_));
  }
  const std::chrono::duration<double> since = now - filled_;
  filled_ = now;
  tokens_ = std::min(burst_, tokens_ + since.count() * per_second_);
  if (tokens_ < 1) {
    return absl::ResourceExhaustedError(
        absl::StrCat("too many handshakes: ", per_second_, " per second"));
  }
  tokens_ -= 1;
  return open_;
}

}  // namespace troupe::internal
