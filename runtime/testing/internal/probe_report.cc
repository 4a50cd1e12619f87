#include "troupe/testing/internal/probe_report.h"

#include <vector>

#include "troupe/actors/dead_letter.h"

namespace troupe::internal {

std::string ProbeReport::Opening() const {
  return "probe \"" + probe + "\" expected " + expected + ", but ";
}

absl::Status ProbeReport::Nothing(absl::Duration within, bool probe_ended) const {
  if (probe_ended) return absl::UnavailableError(Opening() + "it has ended");
  std::string text = Opening() + "nothing came";
  if (within > absl::ZeroDuration()) text += " within " + absl::FormatDuration(within);
  text += ": " + WhyNothing();
  const std::vector<DeadLetter> letters = system.dead_letters();
  if (!letters.empty()) text += "; dead letters:" + testing::ToString(letters);
  return system.gave_up() ? absl::ResourceExhaustedError(text) : absl::NotFoundError(text);
}

std::string ProbeReport::WhyNothing() const {
  if (system.gave_up()) return "the actors keep each other busy, and max_turns have passed";
  const absl::Time next = system.scheduler().next_deadline();
  if (next == absl::InfiniteFuture()) return "the actors are idle, and no timer is set";
  return "the actors are idle, and the next timer is due in " +
         absl::FormatDuration(next - system.Now());
}

absl::Status ProbeReport::Came(const std::string& other) const {
  return absl::FailedPreconditionError(Opening() + "got " + other);
}

std::string HowItEnded(const Down& down) {
  std::string text(down.type);
  if (!text.empty()) text += ", ";
  text += ToString(down.reason);
  if (!down.status.ok()) text += ": " + std::string(down.status.message());
  return text;
}

}  // namespace troupe::internal
