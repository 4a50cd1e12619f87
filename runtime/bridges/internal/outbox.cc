#include "troupe/runtime/bridges/internal/outbox.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"

namespace troupe::internal {
namespace {

void Answer(std::vector<Reply<void>> waiters) {
  for (Reply<void>& waiter : waiters) waiter.Send();
}

// An idle connection keeps no large buffers.
void Clear(std::string& buffer) {
  if (buffer.capacity() > 4096) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

std::vector<Reply<void>> Outbox::TakeWaiters() {
  return closed_ || HasRoom() ? std::exchange(waiters_, {}) : std::vector<Reply<void>>();
}

void Outbox::AddCredit(uint64_t bytes) {
  std::vector<Reply<void>> waiters;
  {
    MutexLock lock(mutex_);
    credit_ += static_cast<int64_t>(bytes);
    waiters = TakeWaiters();
  }
  Answer(std::move(waiters));
}

bool Outbox::Append(Lane lane, std::string_view frame) {
  waiting_[static_cast<size_t>(lane)] += frame;
  bytes_ += frame.size();
  return !std::exchange(flushing_, true);
}

Outbox::Offered Outbox::Offer(std::string_view message) {
  MutexLock lock(mutex_);
  if (closed_) return Offered::kClosed;
  if (!HasRoom()) return Offered::kNoRoom;
  credit_ -= static_cast<int64_t>(message.size());
  return Append(Lane::kOrdinary, message) ? Offered::kTakenFlush : Offered::kTaken;
}

Outbox::Pushed Outbox::Push(Lane lane, std::string_view frame) {
  MutexLock lock(mutex_);
  if (closed_) return Pushed::kClosed;
  if (bytes_ + frame.size() > limits_.most) return Pushed::kOverfull;
  return Append(lane, frame) ? Pushed::kTakenFlush : Pushed::kTaken;
}

void Outbox::WhenRoom(Reply<void> waiter) {
  {
    MutexLock lock(mutex_);
    if (!closed_ && !HasRoom()) {
      waiters_.push_back(std::move(waiter));
      return;
    }
  }
  waiter.Send();
}

void Outbox::Close() {
  std::vector<Reply<void>> waiters;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    waiters = TakeWaiters();
  }
  Answer(std::move(waiters));
}

bool Outbox::above_high_water() const {
  MutexLock lock(mutex_);
  return bytes_ >= limits_.high_water;
}

bool Outbox::empty() const {
  MutexLock lock(mutex_);
  return bytes_ == 0;
}

// Control goes first; within a lane order is kept.
bool Outbox::Refill() {
  if (offset_ < writing_[0].size() + writing_[1].size()) return true;
  offset_ = 0;
  for (std::string& buffer : writing_) Clear(buffer);
  MutexLock lock(mutex_);
  writing_.swap(waiting_);
  flushing_ = !writing_[0].empty() || !writing_[1].empty();
  return flushing_;
}

void Outbox::Written(size_t bytes) {
  std::vector<Reply<void>> waiters;
  {
    MutexLock lock(mutex_);
    bytes_ -= bytes;
    waiters = TakeWaiters();
  }
  Answer(std::move(waiters));
}

bool Outbox::WriteOut(Link& link) {
  while (Refill()) {
    const std::string_view control(writing_[0]);
    const std::string_view ordinary(writing_[1]);
    const std::array<std::string_view, 2> parts{
        control.substr(std::min(offset_, control.size())),
        ordinary.substr(offset_ - std::min(offset_, control.size()))};
    const size_t taken = link.Write(parts);
    offset_ += taken;
    const bool all = taken == parts[0].size() + parts[1].size();
    Written(taken);
    if (!all) {
      link.AwaitWritable();
      return false;
    }
  }
  return true;
}

}  // namespace troupe::internal
