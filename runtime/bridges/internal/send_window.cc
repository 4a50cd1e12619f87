#include "troupe/runtime/bridges/internal/send_window.h"

#include <utility>

namespace troupe::internal {

bool SendWindow::MayTake(uint64_t target) const {
  const auto at = targets_.find(target);
  return Fits(at == targets_.end() ? 0 : at->second.outstanding, waiting_.size());
}

bool SendWindow::TryTake(uint64_t target, size_t bytes, bool ahead) {
  const auto size = static_cast<int64_t>(bytes);
  const auto found = targets_.find(target);
  if (found == targets_.end()) {
    if (!ahead && !Fits(0, waiting_.size())) return false;
    targets_.emplace(target, Target{.outstanding = size});
  } else {
    Target& at = found->second;
    if (!ahead && !Fits(at.outstanding, waiting_.size())) return false;
    Add(size, target, at);
  }
  free_ -= size;
  return true;
}

void SendWindow::Add(int64_t bytes, uint64_t target, Target& at) {
  if (!at.waits) {
    at.outstanding += bytes;
    return;
  }
  auto place = waiting_.extract({at.outstanding, target});
  at.outstanding += bytes;
  place.key().first = at.outstanding;
  waiting_.insert(std::move(place));
}

void SendWindow::Wait(uint64_t target, Reply<void> waiter, Due& due) {
  Target& at = targets_[target];
  at.waits = true;
  std::swap(waiting_[{at.outstanding, target}], waiter);
  if (waiter) due.answer.push_back(std::move(waiter));  // of one who has ended
  if (at.outstanding > 0) {
    due.say.push_back(target);
  } else if (!std::exchange(said_, true)) {
    due.say.push_back(0);
  }
}

bool SendWindow::Return(uint64_t target, uint64_t bytes) {
  const auto found = targets_.find(target);
  if (found == targets_.end() || bytes == 0) return false;
  Target& at = found->second;
  if (bytes > static_cast<uint64_t>(at.outstanding)) return false;
  const auto size = static_cast<int64_t>(bytes);
  said_ = false;
  free_ += size;
  Add(-size, target, at);
  if (at.waits) {
    unsaid_.push_back(target);
  } else if (at.outstanding == 0) {
    targets_.erase(found);
  }
  return true;
}

void SendWindow::Forget(uint64_t target, Due& due) {
  const auto found = targets_.find(target);
  if (found == targets_.end() || !found->second.waits) return;
  const auto place = waiting_.find({found->second.outstanding, target});
  due.answer.push_back(std::move(place->second));
  waiting_.erase(place);
  found->second.waits = false;
  if (found->second.outstanding == 0) targets_.erase(found);
}

void SendWindow::Wake(Due& due) {
  while (!waiting_.empty()) {
    const auto first = waiting_.begin();
    const auto [outstanding, target] = first->first;
    if (!Fits(outstanding, waiting_.size() - 1)) break;
    due.answer.push_back(std::move(first->second));
    waiting_.erase(first);
    const auto at = targets_.find(target);
    at->second.waits = false;
    if (outstanding == 0) targets_.erase(at);
  }
  for (const uint64_t target : std::exchange(unsaid_, {})) {
    const auto at = targets_.find(target);
    const bool waits = at != targets_.end() && at->second.waits;
    if (waits && at->second.outstanding > 0) due.say.push_back(target);
  }
  if (waiting_.empty() || waiting_.begin()->first.first > 0) return;
  if (!std::exchange(said_, true)) due.say.push_back(0);
}

void SendWindow::WakeAll(Due& due) {
  for (auto& [place, waiter] : waiting_) due.answer.push_back(std::move(waiter));
  waiting_.clear();
  targets_.clear();
}

}  // namespace troupe::internal
