#include "troupe/actors/select.h"

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace troupe {
namespace internal {
namespace {

constexpr char kSelectIndex[] = "type.troupe/select-index";

}  // namespace

absl::Status ErrorAt(uint8_t index, absl::Status error) {
  if (index != MailWaiter::kOnly) {
    const char payload = static_cast<char>(index);
    error.SetPayload(kSelectIndex, absl::Cord(absl::string_view(&payload, 1)));
  }
  return error;
}

absl::Status NobodyToSelect() { return absl::UnavailableError("all Receivers are nobody's"); }

void BeginSelect(std::span<const MailSource> sources, ReplySlotOf<Mail>& slot,
                 std::span<MailWaiter> waiters) {
  for (size_t i = 1; i < sources.size(); ++i) slot.Retain();
  absl::Status first_error;
  uint32_t unused = 0;  // references
  for (size_t i = 0; i < sources.size(); ++i) {
    waiters[i].index = static_cast<uint8_t>(i);
    absl::Status refused;
    if (sources[i].id.cell != nullptr) {
      refused = TakeOrWait(sources[i], slot, waiters[i]);
      if (refused.ok()) continue;
    }
    if (first_error.ok()) first_error = ErrorAt(waiters[i].index, std::move(refused));
    ++unused;
  }
  if (unused == sources.size() && first_error.ok()) first_error = NobodyToSelect();
  if (!first_error.ok()) {
    slot.Settle(std::move(first_error));
    --unused;
  }
  if (unused > 0) slot.Release(unused);
}

}  // namespace internal

std::optional<size_t> SelectErrorIndex(const absl::Status& error) {
  const auto index = error.GetPayload(internal::kSelectIndex);
  if (!index.has_value() || index->empty()) return std::nullopt;
  return static_cast<uint8_t>((*index)[0]);
}

}  // namespace troupe
