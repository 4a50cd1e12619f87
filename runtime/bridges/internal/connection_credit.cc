// The credit of a Connection: what comes back from the peer, what is said to it of who waits, and what it gets.
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/credit.h"

namespace troupe::internal {

absl::Status Connection::TakeCredit(const Frame& frame) {
  std::vector<Credit> credit;
  Decoder in(frame.payload);
  DecodeValue(in, credit);
  if (!in.ok()) return in.status();
  std::vector<uint64_t> blocked;
  if (!outbox_.AddCredit(credit, blocked)) {
    return absl::InvalidArgumentError("protocol: credit for what was not sent");
  }
  SayBlocked(blocked);
  return absl::OkStatus();
}

// Behind what has been sent there (F4 of inflow.h).
void Connection::SayBlocked(std::span<const uint64_t> targets) {
  for (const uint64_t target : targets) {
    Push(Lane::kOrdinary, MakeFrame({.kind = FrameKind::kBlocked, .target = target}),
         /*here=*/true, target);
  }
}

// A proxy may have ended meanwhile: ForgetImport either sees it waiting, or is seen here.
void Connection::WhenRoom(uint64_t target, bool ahead, Reply<void> waiter) {
  std::vector<uint64_t> blocked;
  outbox_.WhenRoom(target, ahead, std::move(waiter), blocked);
  SayBlocked(blocked);
  bool is_there;
  {
    MutexLock lock(mutex_);
    is_there = imports_.contains(target);
  }
  if (!is_there) StopWaiting(target);
}

void Connection::StopWaiting(uint64_t target) {
  std::vector<uint64_t> blocked;
  outbox_.Forget(target, blocked);
  SayBlocked(blocked);
}

// While a peer does not read, it gets none, so that answers to it do not pile up.
void Connection::SendCredit() {
  if (outbox_.above_high_water()) return;  // WriteOut does it later
  const std::vector<Credit> credit = inflow_->TakeCredit();
  // As many as the shortest frame takes that a Hello may allow.
  constexpr size_t kMost = (kShortestMaxFrame - kFrameHeaderSize - 5) / kLongestCredit;
  for (std::span<const Credit> left = credit; !left.empty();) {
    const std::span<const Credit> now = left.first(std::min(kMost, left.size()));
    left = left.subspan(now.size());
    PushControl({.kind = FrameKind::kCredit}, Encode(std::vector<Credit>(now.begin(), now.end())));
  }
}

}  // namespace troupe::internal
