#include "troupe/runtime/bridges/internal/reliable_inbound.h"

#include <utility>

namespace troupe::internal {
namespace {

absl::Status Unknown() {
  return absl::NotFoundError("the receiver does not know this channel: it has begun anew");
}

}  // namespace

ReliableInbound::Channel* ReliableInbound::Find(uint64_t channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return nullptr;
  by_use_.splice(by_use_.end(), by_use_, found->second.place);
  return &found->second;
}

absl::StatusOr<uint64_t> ReliableInbound::Resume(const ReliableResume& m) {
  if (const Channel* known = Find(m.channel)) return known->next;
  if (!m.fresh) return Unknown();  // I2
  if (!channels_.empty() && channels_.size() >= max_channels_) {
    channels_.erase(by_use_.front());
    by_use_.pop_front();
  }
  Channel& made = channels_[m.channel];
  made.place = by_use_.insert(by_use_.end(), m.channel);
  return made.next;
}

absl::StatusOr<uint64_t> ReliableInbound::Take(const ReliableSegment& m, PassOn pass_on) {
  Channel* const channel = Find(m.channel);
  if (channel == nullptr) return Unknown();
  if (m.number < channel->next) return channel->next;  // I1: once more
  if (m.number > channel->next)
    return absl::OutOfRangeError("messages before this one are missing");
  if (m.type != type_) return absl::InvalidArgumentError("the receiver is for another message");
  const absl::StatusOr<SendResult> passed =
      pass_on({reinterpret_cast<const char*>(m.message.data()), m.message.size()});
  if (!passed.ok()) return passed.status();
  switch (*passed) {
    case SendResult::kQueued:
    case SendResult::kDropped:  // by the policy that somebody has chosen
      return ++channel->next;   // I3
    case SendResult::kFull:
      return absl::AbortedError("the receiver's mailbox is full");
    case SendResult::kClosed:
    case SendResult::kNotAllowed:
      break;
  }
  return absl::NotFoundError("whom the receiver passes messages to has ended");
}

void ReliableInbound::End(const ReliableEnd& m) {
  const auto found = channels_.find(m.channel);
  if (found == channels_.end()) return;
  by_use_.erase(found->second.place);
  channels_.erase(found);
}

}  // namespace troupe::internal
