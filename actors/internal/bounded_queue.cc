#include "troupe/actors/internal/bounded_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::internal {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMostPatience(64);

Envelope* NextOf(Envelope* e) { return static_cast<Envelope*>(e->next); }
bool IsCounted(const Envelope& e) { return (e.address & kExempt) == 0; }
bool IsAnswer(const Envelope& e) { return (e.address & kAnswer) != 0; }

}  // namespace

void BoundedQueue::Open(uint64_t incarnation, uint32_t capacity, WhenFull when_full) {
  MutexLock lock(lock_);
  owner_ = incarnation;
  capacity_ = capacity;
  when_full_ = when_full;
  owes_wake_ = waits_end_ = false;
  last_full_ = {};
  holds_ = false;
}

BoundedQueue::Offered BoundedQueue::Offer(Envelope& e, MailWaiter* waiter) {
  MutexLock lock(lock_);
  if (owner_ == 0 || owner_ != (e.address & ~kAddressFlags)) return {SendResult::kClosed};  // B1
  if (!IsCounted(e) || counted_ < capacity_) {
    Append(e);
    return {SendResult::kQueued};
  }
  switch (when_full_) {
    case WhenFull::kDropNewest:
      return {SendResult::kDropped};
    case WhenFull::kDropOldest: {
      if (held_ == counted_) return {SendResult::kDropped};
      Envelope* oldest = RemoveOldest(IsCounted, nullptr);  // there is one (B2)
      Append(e);
      return {SendResult::kQueued, oldest};
    }
    case WhenFull::kBlock:
      if (waits_end_) break;
      if (waiter != nullptr) {
        waiter->message = &e;
        senders_.Add(*waiter, MailWaiter::State::kForRoom);
      }
      return {.result = SendResult::kFull, .may_wait = true};
    case WhenFull::kFail:
      break;
  }
  return {SendResult::kFull};
}

bool BoundedQueue::Withdraw(MailWaiter& waiter) {
  MutexLock lock(lock_);
  if (waiter.state != MailWaiter::State::kForRoom) return false;
  senders_.Remove(waiter);
  return true;
}

BoundedQueue::Linked BoundedQueue::RemoveSender() {
  MailWaiter* const w = senders_.first();
  if (w == nullptr) return {};
  senders_.Remove(*w);
  return {w->message, w->told_slot};
}

BoundedQueue::Linked BoundedQueue::NextSender() {
  MutexLock lock(lock_);
  return RemoveSender();
}

// Whom to tell, if anybody. Claimed under the lock: a thread that gives up finds itself linked no more, and
// must not claim the slot before this.
ReplySlotOf<void>* BoundedQueue::AdmitSender() {
  MutexLock lock(lock_);
  while (counted_ < capacity_ && senders_.first() != nullptr) {
    const Linked sender = RemoveSender();
    Append(*sender.message);
    if (sender.slot->Claim()) return sender.slot;
    sender.slot->Release();
  }
  return nullptr;
}

void BoundedQueue::GiveWake() {
  while (ReplySlotOf<void>* const slot = AdmitSender()) slot->Fulfil(absl::OkStatus());
  room_.NotifyAll();
}

void BoundedQueue::WaitForRoom(uint64_t incarnation) {
  milliseconds patience = pace_.first_look;
  while (!room_.Await([&] { return MayHaveRoom(incarnation); },
                      std::chrono::steady_clock::now() + patience)) {
    patience = std::max(patience, std::min(2 * patience, kMostPatience));
  }
}

bool BoundedQueue::MayHaveRoom(uint64_t incarnation) {
  MutexLock lock(lock_);
  return owner_ != incarnation || counted_ < capacity_ || waits_end_;
}

void BoundedQueue::ReleaseWaiters() {
  {
    MutexLock lock(lock_);
    waits_end_ = true;
  }
  room_.NotifyAll();
}

Envelope* BoundedQueue::Pop() {
  bool wakes;
  Envelope* e;
  {
    MutexLock lock(lock_);
    if (first_ == nullptr) return nullptr;
    const bool was_full = counted_ == capacity_;
    e = RemoveOldest([](const Envelope&) { return true; }, nullptr);
    const bool is_held = holds_ && IsCounted(*e);
    counted_ += is_held;
    held_ += is_held;
    wakes = OwesWakeNow(was_full && counted_ < capacity_);
  }
  if (wakes) GiveWake();
  return e;
}

// B4
bool BoundedQueue::OwesWakeNow(bool was_full) {
  if (was_full) {
    const auto now = std::chrono::steady_clock::now();
    const bool long_ago = now - std::exchange(last_full_, now) >= pace_.long_since_full;
    owes_wake_ = true;
    if (long_ago) return std::exchange(owes_wake_, false);
  }
  const bool half_is_free = counted_ - held_ <= (capacity_ - held_) / 2;
  return half_is_free && std::exchange(owes_wake_, false);
}

bool BoundedQueue::WakeSenders() {
  if (!std::exchange(owes_wake_, false)) return false;
  GiveWake();
  return true;
}

void BoundedQueue::HoldRoom() {
  MutexLock lock(lock_);
  holds_ = true;
}

void BoundedQueue::MakeRoom() {
  bool wakes;
  {
    MutexLock lock(lock_);
    if (held_ == 0) return;
    const bool was_full = counted_ == capacity_;
    --counted_;
    --held_;
    wakes = OwesWakeNow(was_full);
  }
  if (wakes) GiveWake();
}

Envelope* BoundedQueue::PopAnswer() {
  MutexLock lock(lock_);
  return !HasAnswers() ? nullptr : RemoveOldest(IsAnswer, no_answer_to_);
}

Envelope* BoundedQueue::Close() {
  Envelope* left;
  {
    MutexLock lock(lock_);
    left = first_;
    first_ = last_ = no_answer_to_ = nullptr;
    owner_ = 0;
    counted_ = held_ = 0;
    size_.store(0, std::memory_order_relaxed);  // relaxed, both: as in Count
    answers_.store(0, std::memory_order_relaxed);
  }
  room_.NotifyAll();
  return left;
}

WhenFull BoundedQueue::when_full() const {
  MutexLock lock(lock_);
  return when_full_;
}

void BoundedQueue::Append(Envelope& e) {
  e.next = nullptr;
  if (last_ == nullptr) {
    first_ = &e;
  } else {
    last_->next = &e;
  }
  last_ = &e;
  Count(e, 1);
}

void BoundedQueue::Count(const Envelope& e, int32_t by) {
  constexpr auto kRelaxed =
      std::memory_order_relaxed;  // by one thread at a time, that with the lock
  size_.store(size_.load(kRelaxed) + by, kRelaxed);
  if (IsCounted(e)) counted_ += by;
  if (IsAnswer(e)) answers_.store(answers_.load(kRelaxed) + by, kRelaxed);
}

// There is one, behind `after` (nullptr: at all).
template <class Predicate>
Envelope* BoundedQueue::RemoveOldest(Predicate wanted, Envelope* after) {
  Envelope* before = after;
  Envelope* e = after == nullptr ? first_ : NextOf(after);
  while (!wanted(*e)) {
    before = e;
    e = NextOf(e);
  }
  if (before == nullptr) {
    first_ = NextOf(e);
  } else {
    before->next = e->next;
  }
  if (last_ == e) last_ = before;
  if (no_answer_to_ == e || IsAnswer(*e)) no_answer_to_ = before;
  Count(*e, -1);
  return e;
}

}  // namespace troupe::internal
