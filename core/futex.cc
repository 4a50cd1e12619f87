#include "troupe/core/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace troupe {
namespace {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t),
              "the kernel wants a plain 32-bit word");

timespec ToTimespec(SteadyTime deadline) {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  // The kernel refuses negative times; a deadline before the machine started has passed all the
  // same.
  const auto since_boot =
      std::max<SteadyTime::duration>(deadline.time_since_epoch(), nanoseconds(0));
  const auto whole = std::chrono::duration_cast<seconds>(since_boot);
  return timespec{static_cast<time_t>(whole.count()),
                  static_cast<long>(nanoseconds(since_boot - whole).count())};
}

}  // namespace

SteadyTime SteadyDeadline(absl::Duration timeout) {
  if (timeout >= absl::Hours(24 * 365)) return kNoDeadline;
  return std::chrono::steady_clock::now() +
         absl::ToChronoNanoseconds(std::max(timeout, absl::ZeroDuration()));
}

bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected, SteadyTime deadline) {
  const timespec until = ToTimespec(deadline);
  // WAIT_BITSET rather than WAIT: its timeout is absolute, so a wait that is resumed needs no
  // arithmetic.
  const long rc =
      syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
              deadline == kNoDeadline ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  return rc == 0 || errno != ETIMEDOUT;
}

int FutexWake(const std::atomic<uint32_t>& word, int count) {
  return static_cast<int>(
      syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0));
}

}  // namespace troupe
