#include "troupe/actors/internal/pending_replies.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/ask_cycle.h"
#include "troupe/actors/internal/control.h"

namespace troupe::internal {

// The one timer of an asking actor. Shared by the actor and, for each time it is armed, by whoever
// fires it.
class DeadlineAlarm : public Timer {
 public:
  static DeadlineAlarm& Make(const AnyRef& asker) { return *new DeadlineAlarm(asker); }

  // The asker's: when it is armed for. (Only Arm writes Timer::deadline, so whoever arms may read it.)
  absl::Time at() const { return expected_ ? deadline : absl::InfiniteFuture(); }
  void HasCome() { expected_ = false; }

  static void* operator new(size_t bytes) { return AllocateObject(bytes); }
  static void operator delete(void* alarm, size_t bytes) { FreeObject(alarm, bytes); }

  void Arm(Timers& timers, absl::Time at) {
    references_.fetch_add(1, std::memory_order_relaxed);  // relaxed: the caller holds one
    expected_ = true;
    timers.Arm(*this, at);
  }
  void Disarm(Timers& timers) {
    expected_ = false;
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

  const AnyRef asker_;
  std::atomic<int> references_{1};
  bool expected_ = false;
};

static_assert(sizeof(DeadlineAlarm) <= 64);

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

// ---- the glue

namespace {

// What they have in common. False: it is too late to wait, and the caller has to fire it.
[[gnu::always_inline]] inline bool AddIfInTime(ActorCell& asker, AwaitedReply& reply,
                                               absl::Duration timeout, absl::Time latest) {
  // Destroyed together with its system (ActorCell::Reclaim): no answer would find it.
  if (asker.shut()) [[unlikely]] {
    reply.abandon(reply);
    return true;
  }
  PendingReplies& replies = asker.annex().replies;
  Timers& timers = asker.space().timers();
  const bool for_ever = timeout == absl::InfiniteDuration();
  if (for_ever && latest == absl::InfiniteFuture()) {
    replies.Add(reply);
    return true;
  }
  const absl::Time now = timers.clock().RoughNow();
  const absl::Time deadline = for_ever ? latest : std::min(latest, now + timeout);
  if (deadline > now) [[likely]] {
    replies.AddWithDeadline(reply, deadline, timers);
    return true;
  }
  replies.Add(reply);
  return false;
}

// Too late: the request is nobody's from the start. Or else handlers that have no time left could ask
// each other on and on.
[[gnu::always_inline]] inline void AddAwaited(ActorCell& asker, AwaitedReply& reply,
                                              absl::Duration timeout, absl::Time latest) {
  if (!AddIfInTime(asker, reply, timeout, latest)) reply.fire(reply);
}

}  // namespace

void RegisterAwaited(AwaitedReply& reply, const Context& self, absl::Duration timeout,
                     const AnyRef& whom) noexcept {
  ActorCell& asker = *ActorCell::Current();
  reply.other_system = whom && !ActorCell::Of(whom)->SharesSpace(asker);
  AddAwaited(asker, reply, timeout, self.deadline());
}

bool RegisterMailWait(AwaitedReply& reply, const Context& self, absl::Duration timeout) noexcept {
  return AddIfInTime(*ActorCell::Current(), reply, timeout, self.deadline());
}

bool RegisterWait(AwaitedReply& reply, const Context& self, absl::Duration timeout,
                  const AnyRef& whom) noexcept {
  ActorCell& asker = *ActorCell::Current();
  reply.other_system = whom && !ActorCell::Of(whom)->SharesSpace(asker);
  // One that is shut does not wait: the request may take `reply` with it.
  const bool shown =
      whom && !reply.other_system && asker.space().finds_ask_cycles() && !asker.shut();
  // First, since the deadline may have passed already.
  if (shown) reply.wait = asker.wait_edge().Prepare(ActorCell::Of(whom));
  AddAwaited(asker, reply, timeout, self.deadline());
  return shown;
}

absl::Status EnterWait(const AwaitedReply& reply, const AnyRef& whom) {
  ActorCell& asker = *ActorCell::Current();
  // Whoever lives now lived when the request was sent. If not, his cell may be another's, who will turn
  // it away unanswered, or even the asker's own (W5).
  if (!ActorCell::Of(whom)->IsLive(ActorCell::IncarnationOf(whom))) [[unlikely]]
    return absl::OkStatus();
  asker.wait_edge().Enter(reply.wait);
  // Usually he waits for nobody.
  if (!ActorCell::Of(whom)->wait_edge().there()) [[likely]]
    return absl::OkStatus();
  absl::Status cycle = CheckAskCycle(asker);
  if (!cycle.ok()) LeaveWait(reply);  // W3
  return cycle;
}

void LeaveWait(const AwaitedReply& reply) {
  ActorCell::Of(reply.asker_ref)->wait_edge().Leave(reply.wait);
}

void RegisterSleep(AwaitedReply& reply, absl::Duration duration) noexcept {
  AddAwaited(*ActorCell::Current(), reply, duration, absl::InfiniteFuture());
}

void UnregisterAwaited(AwaitedReply& reply) { ActorCell::Current()->annex().replies.Remove(reply); }

void PostReply(AwaitedReply& reply) {
  if (reply.wait != 0) LeaveWait(reply);  // before the asker can learn of it
  reply.sender = ActorCell::CurrentRef();
  reply.address = ActorCell::IncarnationOf(reply.asker_ref) | kExempt | kAnswer;
  ActorCell::Post(reply.asker_ref, reply, PostMode::kNeverBlock);
}

}  // namespace troupe::internal
