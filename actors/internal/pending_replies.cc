#include "troupe/actors/internal/pending_replies.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <utility>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/control.h"

namespace troupe::internal {

// The one timer of an asking actor. Shared by the actor and, for each time it is armed, by whoever
// fires it.
class DeadlineAlarm : public Timer {
 public:
  static DeadlineAlarm& Make(const AnyRef& asker) { return *new DeadlineAlarm(asker); }

  // The asker's: when it is armed for, or a moment before.
  absl::Time at() const {
    return at_ == kNever ? absl::InfiniteFuture() : absl::FromUnixNanos(at_);
  }
  void HasCome() { at_ = kNever; }

  static void* operator new(size_t bytes) { return AllocateObject(bytes); }
  static void operator delete(void* alarm, size_t bytes) { FreeObject(alarm, bytes); }

  void Arm(Timers& timers, absl::Time deadline) {
    references_.fetch_add(1, std::memory_order_relaxed);  // relaxed: the caller holds one
    at_ = absl::ToUnixNanos(deadline);
    timers.Arm(*this, deadline);
  }
  void Disarm(Timers& timers) {
    at_ = kNever;
    if (timers.Cancel(*this)) Release();
  }
  void Release() {
    // acq_rel: what the other holder did happens before the destruction by the last one.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  explicit DeadlineAlarm(const AnyRef& asker) : Timer(&Fire), asker_(asker) {}

  static void Fire(Timer& timer) {
    auto& me = static_cast<DeadlineAlarm&>(timer);
    ActorCell::PostControl(me.asker_, Control::Make(Control::Kind::kAlarm));
    me.Release();
  }

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  int64_t at_ = kNever;  // nanoseconds since 1970: half of an absl::Time
  const AnyRef asker_;
  std::atomic<int> references_{1};
};

static_assert(sizeof(DeadlineAlarm) == 64);

absl::Time PendingReplies::alarm_at() const {
  return alarm_ != nullptr ? alarm_->at() : absl::InfiniteFuture();
}

void PendingReplies::Add(AwaitedReply& reply) {
  reply.older = newest_;
  if (newest_ != nullptr) newest_->newer = &reply;
  newest_ = &reply;
}

void PendingReplies::AddWithDeadline(AwaitedReply& reply, absl::Time deadline, Timers& timers) {
  Add(reply);
  reply.deadline = deadline;
  deadlines_.Push(reply);
  if (deadline < alarm_at()) SetAlarm(deadline, reply.asker_ref, timers);
}

void PendingReplies::Remove(AwaitedReply& reply) {
  deadlines_.Remove(reply);
  (reply.newer != nullptr ? reply.newer->older : newest_) = reply.older;
  if (reply.older != nullptr) reply.older->newer = reply.newer;
  reply.newer = reply.older = nullptr;
}

void PendingReplies::Expire(Timers& timers) noexcept {
  if (alarm_ != nullptr) alarm_->HasCome();
  const absl::Time now = timers.clock().Now();
  while (Timer* expired = deadlines_.PopExpired(now)) expired->fire(*expired);
  if (!deadlines_.empty()) SetAlarm(deadlines_.NextDeadline(), newest_->asker_ref, timers);
}

void PendingReplies::AbandonAll(Timers& timers) {
  while (newest_ != nullptr) {
    AwaitedReply& reply = *newest_;
    Remove(reply);
    std::exchange(reply.abandon, nullptr)(reply);
  }
  DropAlarm(timers);
}

void PendingReplies::DropAlarm(Timers& timers) {
  if (alarm_ == nullptr) return;
  Disarm(timers);
  std::exchange(alarm_, nullptr)->Release();
}

void PendingReplies::Compact(Timers& timers) {
  if (!deadlines_.empty()) return;
  deadlines_.Compact();
  DropAlarm(timers);
}

void PendingReplies::LeaveWaits() {
  for (const AwaitedReply* reply = newest_; reply != nullptr; reply = reply->older) {
    if (reply->wait != 0) LeaveWait(*reply);
  }
}

void PendingReplies::Disarm(Timers& timers) { alarm_->Disarm(timers); }

void PendingReplies::SetAlarm(absl::Time deadline, const AnyRef& asker, Timers& timers) {
  if (alarm_ == nullptr) alarm_ = &DeadlineAlarm::Make(asker);
  alarm_->Disarm(timers);  // if it is armed for later
  alarm_->Arm(timers, deadline);
}

}  // namespace troupe::internal
