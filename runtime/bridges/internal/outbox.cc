#include "troupe/runtime/bridges/internal/outbox.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "absl/status/status.h"

namespace troupe::internal {
namespace {

void Answer(std::vector<Reply<void>> waiters) {
  for (Reply<void>& waiter : waiters) waiter.Send();
}

// Shorter frames share a chunk; longer ones are not copied, and are one each.
constexpr size_t kShort = 8 << 10;
constexpr size_t kMostSpare = 32;

}  // namespace

// Not as soon as there is room at all: who is woken for one frame is soon back.
std::vector<Reply<void>> Outbox::TakeWaiters() {
  const bool worth_it = closed_ || bytes_ <= limits_.high_water / 2;
  return worth_it ? std::exchange(waiters_, {}) : std::vector<Reply<void>>();
}

void Outbox::Open(uint64_t window) {
  SendWindow::Due due;
  {
    MutexLock lock(mutex_);
    window_.Open(window);
    window_.Wake(due);
  }
  Answer(std::move(due.answer));
}

bool Outbox::AddCredit(std::span<const Credit> credit, std::vector<uint64_t>& say) {
  SendWindow::Due due;
  {
    MutexLock lock(mutex_);
    if (closed_) return true;
    for (const Credit& more : credit) {
      if (!window_.Return(more.target, more.bytes)) return false;
    }
    window_.Wake(due);
  }
  Answer(std::move(due.answer));
  say = std::move(due.say);
  return true;
}

// ---- buffers

std::string Outbox::Spare(size_t capacity) {
  was_used_ |= capacity >= kShort;  // a heartbeat is none
  const auto last = std::find_if(spare_.rbegin(), spare_.rend(), [&](const std::string& buffer) {
    return buffer.capacity() >= capacity;
  });
  if (last == spare_.rend()) return {};
  std::string buffer = std::move(*last);
  spare_.erase(std::next(last).base());
  spare_bytes_ -= buffer.capacity();
  return buffer;
}

void Outbox::Recycle(std::string buffer) {
  if (buffer.capacity() < kFrameHeaderSize) return;  // nothing on the heap
  if (spare_.size() >= kMostSpare || spare_bytes_ + buffer.capacity() > limits_.high_water) return;
  buffer.clear();
  spare_bytes_ += buffer.capacity();
  spare_.push_back(std::move(buffer));
}

std::string Outbox::TakeBuffer(size_t capacity) {
  MutexLock lock(mutex_);
  return Spare(capacity);
}

void Outbox::Shrink() {
  MutexLock lock(mutex_);
  if (std::exchange(was_used_, false)) return;
  std::vector<std::string>().swap(spare_);
  spare_bytes_ = 0;
}

// ---- what comes in

bool Outbox::IsBulk(size_t size, uint64_t target) {
  if (size > kLongestOrdinary) return true;
  if (target == 0 || bulk_ends_.empty()) return false;
  const auto end = bulk_ends_.find(target);
  return end != bulk_ends_.end() && end->second > bulk_went_;
}

bool Outbox::Append(Lane lane, std::string& frame, uint64_t target) {
  bytes_ += frame.size();
  if (lane == Lane::kOrdinary && IsBulk(frame.size(), target)) {
    lane = Lane::kBulk;
    bulk_came_ += frame.size();
    if (target != 0) bulk_ends_[target] = bulk_came_;
  }
  Queue& queue = waiting_[static_cast<size_t>(lane)];
  if (frame.size() >= kShort) {
    queue.push_back(std::exchange(frame, {}));
  } else {
    if (queue.empty() || queue.back().size() >= kBulkPiece) queue.push_back(Spare(frame.size()));
    queue.back() += frame;
    frame.clear();
  }
  if (duty_ != Duty::kNone) return false;
  duty_ = Duty::kPromised;
  return true;
}

Outbox::Offered Outbox::Offer(std::string& message, uint64_t target, bool ahead) {
  MutexLock lock(mutex_);
  if (closed_) return Offered::kClosed;
  if (ahead ? bytes_ + message.size() > limits_.most : bytes_ >= limits_.high_water) {
    return Offered::kNoRoom;
  }
  if (!window_.TryTake(target, message.size(), ahead)) return Offered::kNoRoom;
  return Append(Lane::kOrdinary, message, target) ? Offered::kTakenFlush : Offered::kTaken;
}

Outbox::Pushed Outbox::Push(Lane lane, std::string& frame, uint64_t target) {
  MutexLock lock(mutex_);
  if (closed_) return Pushed::kClosed;
  if (bytes_ + frame.size() > limits_.most) return Pushed::kOverfull;
  return Append(lane, frame, target) ? Pushed::kTakenFlush : Pushed::kTaken;
}

void Outbox::WhenRoom(uint64_t target, bool ahead, Reply<void> waiter, std::vector<uint64_t>& say) {
  SendWindow::Due due;
  {
    MutexLock lock(mutex_);
    if (closed_) {
      due.answer.push_back(std::move(waiter));
    } else if (bytes_ >= limits_.high_water) {
      waiters_.push_back(std::move(waiter));
    } else if (!ahead && !window_.MayTake(target)) {
      window_.Wait(target, std::move(waiter), due);
    } else {
      due.answer.push_back(std::move(waiter));
    }
  }
  Answer(std::move(due.answer));
  say = std::move(due.say);
}

void Outbox::Forget(uint64_t target, std::vector<uint64_t>& say) {
  SendWindow::Due due;
  {
    MutexLock lock(mutex_);
    window_.Forget(target, due);
    window_.Wake(due);
  }
  Answer(std::move(due.answer));
  say = std::move(due.say);
}

Outbox::LastFrame Outbox::Close(std::string last) {
  SendWindow::Due due;
  std::vector<Reply<void>> waiters;
  LastFrame result = LastFrame::kTakenFlush;  // also if somebody has promised to
  {
    MutexLock lock(mutex_);
    if (duty_ == Duty::kWriting) result = LastFrame::kTaken;
    if (closed_ || duty_ == Duty::kAwaitingTheLink) result = LastFrame::kCannotGo;
    for (const Lane lane :
         {Lane::kOrdinary, Lane::kBulk}) {  // nobody would read what comes behind it
      for (const std::string& chunk : std::exchange(waiting_[static_cast<size_t>(lane)], {})) {
        bytes_ -= chunk.size();
      }
    }
    if (result != LastFrame::kCannotGo) Append(Lane::kControl, last, 0);
    closed_ = true;
    waiters = TakeWaiters();
    window_.WakeAll(due);
  }
  Answer(std::move(waiters));
  Answer(std::move(due.answer));
  return result;
}

bool Outbox::above_high_water() const {
  MutexLock lock(mutex_);
  return bytes_ >= limits_.high_water;
}

bool Outbox::empty() const {
  MutexLock lock(mutex_);
  return bytes_ == 0;
}

// ---- what goes out

// The next piece of the bulk lane, if there is one (O6).
void Outbox::CutBulk() {
  piece_.clear();
  if (bulk_cut_ == bulk_.size()) {
    Recycle(std::exchange(bulk_, {}));
    bulk_cut_ = 0;
    Queue& queue = waiting_[static_cast<size_t>(Lane::kBulk)];
    if (queue.empty()) return bulk_ends_.clear();
    bulk_ = std::move(queue.front());
    queue.erase(queue.begin());
  }
  const std::string_view piece = std::string_view(bulk_).substr(bulk_cut_, kBulkPiece);
  BeginFrame(piece_, {.kind = FrameKind::kBulk, .lane = Lane::kBulk});
  EndFrame(piece_, 0, piece.size());
  bulk_cut_ += piece.size();
  bulk_went_ += piece.size();
  bytes_ += piece_.size();
  parts_ = {piece_, piece};
}

bool Outbox::BeginToWrite() {
  MutexLock lock(mutex_);
  if (duty_ != Duty::kPromised && duty_ != Duty::kAwaitingTheLink) return false;
  duty_ = Duty::kWriting;
  return true;
}

// Control goes first, then ordinary frames; within a lane order is kept. Nothing, or that nothing is left.
std::optional<Outbox::Written> Outbox::Refill() {
  if (first_part_ < parts_.size()) return std::nullopt;
  first_part_ = 0;
  parts_.clear();
  MutexLock lock(mutex_);
  for (std::string& buffer : writing_) Recycle(std::move(buffer));
  writing_.clear();
  for (const Lane lane : {Lane::kControl, Lane::kOrdinary}) {
    Queue& queue = waiting_[static_cast<size_t>(lane)];
    std::move(queue.begin(), queue.end(), std::back_inserter(writing_));
    queue.clear();
  }
  CutBulk();
  parts_.insert(parts_.begin(), writing_.begin(), writing_.end());
  if (!parts_.empty()) return std::nullopt;
  duty_ = Duty::kNone;
  return closed_ ? Written::kLast : Written::kAll;
}

void Outbox::Advance(size_t bytes) {
  std::vector<Reply<void>> waiters;
  {
    MutexLock lock(mutex_);
    bytes_ -= bytes;
    waiters = TakeWaiters();
  }
  Answer(std::move(waiters));
  while (first_part_ < parts_.size() && bytes >= parts_[first_part_].size()) {
    bytes -= parts_[first_part_++].size();
  }
  if (bytes > 0) parts_[first_part_].remove_prefix(bytes);
}

Outbox::Written Outbox::WriteOut(Link& link) {
  if (!BeginToWrite()) return Written::kAll;
  while (true) {
    if (const auto end = Refill()) return *end;
    Advance(link.Write(std::span(parts_).subspan(first_part_)));
    if (first_part_ == parts_.size()) continue;
    {
      MutexLock lock(mutex_);
      if (closed_) return Written::kLast;  // there is no waiting for who reads nothing
      duty_ = Duty::kAwaitingTheLink;
    }
    link.AwaitWritable();
    return Written::kLater;
  }
}

}  // namespace troupe::internal
