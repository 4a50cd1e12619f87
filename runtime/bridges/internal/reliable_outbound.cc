#include "troupe/runtime/bridges/internal/reliable_outbound.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "troupe/actors/internal/backoff.h"
#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {
namespace {

constexpr Backoff kTryAgain = {
    .min = absl::Milliseconds(10), .max = absl::Seconds(1), .jitter = 0.2};

// As reliable_port.h says. A message that is too long is kInvalidArgument; kResourceExhausted is a want of
// room, which passes.
bool IsFinal(const absl::Status& why) {
  return absl::IsNotFound(why) || absl::IsInvalidArgument(why);
}

}  // namespace

ReliableOutbound::ReliableOutbound(const ReliablePort& to, uint64_t type,
                                   void (*lose)(std::string_view), uint32_t window,
                                   absl::Duration give_up_after)
    : to_(to),
      channel_(DrawIncarnation()),
      type_(type),
      lose_(lose),
      window_(std::max<uint32_t>(window, 1)),
      give_up_after_(give_up_after),
      random_(DrawIncarnation()) {}

void ReliableOutbound::OnStart(Context& self) {
  self.Watch(to_);
  Resume(self);
}

// ---- from the sender

void ReliableOutbound::On(Put m, Context& self) {
  --promised_;
  unacknowledged_.emplace_back(m.message.begin(), m.message.end());
  if (unacknowledged_.size() == 1) progress_ = self.Now();
  if (is_open_) SendNumber(first_ + unacknowledged_.size() - 1, self);
  if (!is_checked_ && give_up_after_ != absl::InfiniteDuration()) {
    is_checked_ = true;
    self.SendAfter(give_up_after_, self.ref(this), Check{});
  }
}

void ReliableOutbound::On(AwaitRoom, Reply<uint32_t> reply) {
  wants_room_ = std::move(reply);
  GiveRoom();
}

// In portions of half a window, so that there is not a question for each message.
void ReliableOutbound::GiveRoom() {
  const uint32_t room = window_ - static_cast<uint32_t>(unacknowledged_.size()) - promised_;
  if (!wants_room_ || room < (window_ + 1) / 2) return;
  promised_ += room;
  wants_room_.Send(room);
}

void ReliableOutbound::On(Flush m) {
  if (unacknowledged_.empty()) return m.reply.Send();
  flushes_.emplace_back(first_ + unacknowledged_.size() - 1, std::move(m.reply));
}

// ---- to the receiver

void ReliableOutbound::Resume(Context& self) {
  is_open_ = false;
  const uint64_t attempt = ++attempt_;
  to_.Ask(ReliableResume{.channel = channel_, .fresh = fresh_}, absl::InfiniteDuration())
      .Then(self, [this, attempt](const absl::StatusOr<uint64_t>& next, Context& now) {
        if (attempt != attempt_) return;
        if (!next.ok()) return Broken(next.status(), now);
        Acknowledge(*next, now);
        is_open_ = true;
        const uint64_t end = first_ + unacknowledged_.size();
        for (uint64_t number = first_; number < end; ++number) SendNumber(number, now);
      });
}

void ReliableOutbound::SendNumber(uint64_t number, Context& self) {
  fresh_ = false;
  to_.Ask(ReliableSegment{.channel = channel_,
                          .number = number,
                          .type = type_,
                          .message = unacknowledged_[number - first_]},
          absl::InfiniteDuration())
      .Then(self, [this, attempt = attempt_](const absl::StatusOr<uint64_t>& next, Context& now) {
        if (next.ok()) return Acknowledge(*next, now);
        if (attempt == attempt_ && is_open_) Broken(next.status(), now);  // S2
      });
}

// What a receiver says that was not sent is not believed.
void ReliableOutbound::Acknowledge(uint64_t next, Context& self) {
  const uint64_t end = first_ + unacknowledged_.size();
  if (next > end) {
    return GiveUp(absl::InternalError("the receiver acknowledges what was not sent"), self);
  }
  if (next <= first_) return;
  unacknowledged_.erase(unacknowledged_.begin(),
                        unacknowledged_.begin() + static_cast<ptrdiff_t>(next - first_));
  first_ = next;
  failures_ = 0;
  progress_ = self.Now();
  while (!flushes_.empty() && flushes_.front().first < first_) {
    flushes_.front().second.Send();
    flushes_.pop_front();
  }
  GiveRoom();
}

// ---- failures

void ReliableOutbound::Broken(const absl::Status& why, Context& self) {
  is_open_ = false;
  ++attempt_;
  if (IsFinal(why)) return GiveUp(why, self);
  self.SendAfter(DelayBeforeNextTry(kTryAgain, failures_++, random_), self.ref(this), TryAgain{});
}

void ReliableOutbound::On(Check, Context& self) {
  is_checked_ = false;
  if (unacknowledged_.empty()) return;  // the next Put begins again
  const absl::Duration silence = self.Now() - progress_;
  if (silence >= give_up_after_) {
    return GiveUp(absl::DeadlineExceededError(
                      absl::StrCat("nothing was acknowledged for ", absl::FormatDuration(silence))),
                  self);
  }
  is_checked_ = true;
  self.SendAfter(give_up_after_ - silence, self.ref(this), Check{});
}

void ReliableOutbound::On(const Down& down, Context& self) {
  GiveUp(down.reason != ExitReason::kFailed ? absl::UnavailableError("the receiver has ended")
                                            : down.status,
         self);
}

void ReliableOutbound::GiveUp(const absl::Status& why, Context& self) {
  self.Fail(absl::DataLossError(absl::StrCat("reliable channel: ", why.message(),
                                             "; not acknowledged: ", unacknowledged_.size(),
                                             " messages, from number ", first_, " on")));
}

void ReliableOutbound::OnStop() {
  if (unacknowledged_.empty()) {
    to_.TrySend(ReliableEnd{channel_});
    return;
  }
  for (const std::vector<unsigned char>& message : unacknowledged_) {  // S3
    lose_({reinterpret_cast<const char*>(message.data()), message.size()});
  }
}

}  // namespace troupe::internal
