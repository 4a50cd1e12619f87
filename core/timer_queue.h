// TimerQueue: timers in the order of their deadlines.
//
//   Operation      Cost       Effect
//   Push           O(log n)   arms a timer by its `deadline`
//   Remove         O(log n)   disarms it; false if it was not armed
//   PopExpired     O(log n)   disarms and returns the next timer that is due, or nullptr
//   NextDeadline   O(1)       when to look again; InfiniteFuture when empty
//   Compact        O(n)       gives back unused room
//
// Not thread safe: the Timers that uses it (timers.h) brings the lock. Timers due at the same time
// come out in the order they were pushed. Allocates only when it grows beyond the most timers it
// ever held.
//
// Q1  heap_[0] is due first; no entry is due before its parent, that of heap_[i] being heap_[(i -
//     1) / 4].
// Q2  heap_[i].timer->heap_index == i for every i; every other timer's is kNotArmed.
//
// A 4-ary heap: half as deep as a binary one, and four children's keys, kept beside the pointers,
// are two cache lines (LaMarca and Ladner, "The influence of caches on the performance of heaps",
// 1996). A timer wheel would arm in O(1), but rounds deadlines to its ticks and cannot say when the
// next one is without a search.

#ifndef TROUPE_CORE_TIMER_QUEUE_H_
#define TROUPE_CORE_TIMER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "troupe/core/timers.h"

namespace troupe {

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // `timer` must not be armed here or elsewhere. Throws std::bad_alloc, and then has done nothing.
  void Push(Timer& timer);

  // `timer` must be in this queue or not armed at all.
  bool Remove(Timer& timer);

  // Due means deadline <= now. An InfiniteFuture deadline never is.
  Timer* PopExpired(absl::Time now);

  absl::Time NextDeadline() const {
    return heap_.empty() ? absl::InfiniteFuture() : heap_.front().deadline;
  }

  // Gives back room for more timers than there are.
  void Compact() { heap_.shrink_to_fit(); }

  size_t size() const { return heap_.size(); }
  bool empty() const { return heap_.empty(); }

 private:
  struct Entry {
    absl::Time deadline;
    uint64_t sequence;  // breaks ties; 64 bits do not wrap
    Timer* timer;
  };

  static bool DueBefore(const Entry& a, const Entry& b);

  void Place(size_t index, const Entry& entry);     // keeps Q2
  void SiftUp(size_t index, const Entry& entry);    // places `entry` at `index` or above it
  void SiftDown(size_t index, const Entry& entry);  // places `entry` at `index` or below it
  size_t EarliestChild(size_t index) const;         // of heap_[index], or size() if it has none

  std::vector<Entry> heap_;
  uint64_t next_sequence_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_CORE_TIMER_QUEUE_H_
