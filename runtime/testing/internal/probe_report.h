// ProbeReport: what a Probe says when something else happens than the test expects.
#ifndef TROUPE_TESTING_INTERNAL_PROBE_REPORT_H_
#define TROUPE_TESTING_INTERNAL_PROBE_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/exit.h"
#include "troupe/testing/test_system.h"

namespace troupe::internal {

struct ProbeReport {
  const testing::TestSystem& system;
  std::string probe;     // its name
  std::string expected;  // in words

  absl::Status Nothing(absl::Duration within, bool probe_ended) const;
  absl::Status Came(const std::string& other) const;

 private:
  std::string Opening() const;
  std::string WhyNothing() const;
};

// "Account, failed: out of paper".
std::string HowItEnded(const Down& down);

}  // namespace troupe::internal

#endif  // TROUPE_TESTING_INTERNAL_PROBE_REPORT_H_
