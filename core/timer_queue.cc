#include "troupe/core/timer_queue.h"

#include <algorithm>
#include <cassert>

namespace troupe {
namespace {

constexpr size_t kArity = 4;

size_t ParentOf(size_t index) { return (index - 1) / kArity; }
size_t FirstChildOf(size_t index) { return index * kArity + 1; }

}  // namespace

void TimerQueue::Push(Timer& timer) {
  assert(timer.heap_index == Timer::kNotArmed && "a timer can be armed only once at a time");
  heap_.emplace_back();  // may throw, before anything has changed
  SiftUp(heap_.size() - 1, Entry{timer.deadline, next_sequence_++, &timer});
}

bool TimerQueue::Remove(Timer& timer) {
  const size_t hole = timer.heap_index;
  if (hole == Timer::kNotArmed) return false;
  assert(hole < heap_.size() && heap_[hole].timer == &timer &&
         "the timer is armed in another queue");
  timer.heap_index = Timer::kNotArmed;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (hole == heap_.size()) return true;
  // The last one may belong above the hole: it comes from another branch.
  if (hole > 0 && DueBefore(last, heap_[ParentOf(hole)])) {
    SiftUp(hole, last);
  } else {
    SiftDown(hole, last);
  }
  return true;
}

Timer* TimerQueue::PopExpired(absl::Time now) {
  const absl::Time next = NextDeadline();
  if (next > now || next == absl::InfiniteFuture()) return nullptr;
  Timer* const timer = heap_.front().timer;
  Remove(*timer);
  return timer;
}

bool TimerQueue::DueBefore(const Entry& a, const Entry& b) {
  return a.deadline < b.deadline || (a.deadline == b.deadline && a.sequence < b.sequence);
}

void TimerQueue::Place(size_t index, const Entry& entry) {
  heap_[index] = entry;
  entry.timer->heap_index = index;
}

void TimerQueue::SiftUp(size_t index, const Entry& entry) {
  while (index > 0 && DueBefore(entry, heap_[ParentOf(index)])) {
    Place(index, heap_[ParentOf(index)]);
    index = ParentOf(index);
  }
  Place(index, entry);
}

void TimerQueue::SiftDown(size_t index, const Entry& entry) {
  for (size_t child = EarliestChild(index); child < heap_.size() && DueBefore(heap_[child], entry);
       child = EarliestChild(index)) {
    Place(index, heap_[child]);
    index = child;
  }
  Place(index, entry);
}

size_t TimerQueue::EarliestChild(size_t index) const {
  const size_t begin = std::min(FirstChildOf(index), heap_.size());
  const size_t end = std::min(begin + kArity, heap_.size());
  return static_cast<size_t>(
      std::min_element(heap_.begin() + begin, heap_.begin() + end, DueBefore) - heap_.begin());
}

}  // namespace troupe
