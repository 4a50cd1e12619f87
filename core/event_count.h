// EventCount: lets threads sleep until a condition held in some lock-free structure may have become
// true. A condition variable without the mutex; whoever makes the condition true pays one atomic
// operation when nobody waits.
//
//   Operation     Who             Effect
//   PrepareWait   a waiter        announces that it may sleep; returns the key
//   CancelWait    the same waiter takes that back: the condition turned out to be true
//   CommitWait    the same waiter sleeps, unless there was a notification since PrepareWait
//   Await         a waiter        all of that: sleeps until the condition is true, or a deadline
//   NotifyOne     any thread      wakes at least one of those who sleep or are about to
//   NotifyAll     any thread      wakes all of them
//
//   waiting                                          making it true
//     while (!queue.TryPop(item)) {                    queue.Push(item);            // N1
//       auto key = events.PrepareWait();       // W1   events.NotifyOne();          // N2
//       if (queue.TryPop(item)) {              // W2
//         events.CancelWait();
//         break;
//       }
//       events.CommitWait(key);                // W3
//     }
// Every PrepareWait is followed by exactly one CancelWait or CommitWait. Waking is a hint: look
// again, somebody else may have been faster. A deadline that has passed is reported after the wait;
// look again all the same.
//
// E1  A notification is not slept through: once N1 and N2 are done, W2 has seen N1, or W3 returns.
//     W1 and N2 are both read-modify-writes of waiters_, so one of them comes first.
//     N2 before W1: W1 reads what N2 wrote, or a later write in its release sequence. So N1 happens
//       before W2.
//     W1 before N2: N2 sees a waiter, increments epoch_ (N3), then wakes (N4). PrepareWait reads
//       its key after W1. A key from N3 or later: N1 happens before W2 (acquire against release of
//       the epoch). An older key: the kernel compares it with the epoch when W3 goes to sleep, and
//       either finds that it has changed, or has put the thread to sleep before N4, which wakes it.
// E2  A wake that goes to a waiter who came late is not missing for one who came early: the late
//     one's key is from N3 or later, so its W2 has seen N1. If it sleeps nonetheless, then somebody
//     has consumed what N1 brought.
// E3  If nobody is between PrepareWait and the end of CommitWait, Notify makes no system call.
//
// An epoch of 32 bits would let a waiter sleep on if a multiple of 2^32 notifications came between
// its PrepareWait and the kernel's comparison: at one every 10 ns, a thread that is stopped for 43
// seconds to the nanosecond.
//
// After Dmitry Vyukov's eventcount and folly/synchronization/EventCount.h. Two words rather than
// folly's one: the epoch is then a plain futex word, and is written only when somebody waits.

#ifndef TROUPE_CORE_EVENT_COUNT_H_
#define TROUPE_CORE_EVENT_COUNT_H_

#include <atomic>
#include <cstdint>

#include "troupe/core/futex.h"

namespace troupe {

class EventCount {
 public:
  using Key = uint32_t;

  EventCount() = default;
  EventCount(const EventCount&) = delete;
  EventCount& operator=(const EventCount&) = delete;

  [[nodiscard]] Key PrepareWait() {
    // W1. Acquire: pairs with the release in N2 (E1, first case).
    waiters_.fetch_add(1, std::memory_order_acquire);
    // Acquire: pairs with the release in N3.
    return epoch_.load(std::memory_order_acquire);
  }

  void CancelWait() { Leave(); }

  // False: the deadline has passed.
  bool CommitWait(Key key, SteadyTime deadline = kNoDeadline) {
    bool in_time = true;
    // Acquire: pairs with the release in N3, so whoever is woken sees what it was woken for.
    while (in_time && epoch_.load(std::memory_order_acquire) == key)
      in_time = FutexWait(epoch_, key, deadline);
    Leave();
    return in_time;
  }

  // Until `is_done()`, which is asked each time it may have become true, and must not throw. False: the
  // deadline has passed, and a look after that has found it false still.
  template <class F>
  bool Await(F is_done, SteadyTime deadline = kNoDeadline) {
    for (bool in_time = true;;) {
      const Key key = PrepareWait();
      const bool done = is_done();
      if (done || !in_time) {
        CancelWait();
        return done;
      }
      in_time = CommitWait(key, deadline);
    }
  }

  void NotifyOne() { Notify(1); }
  void NotifyAll() { Notify(kWakeAll); }

 private:
  void Notify(int count) {
    // N2. A read-modify-write although it changes nothing: a load might be carried out before N1
    // has become visible, and so miss a waiter whose W2 misses N1. Release: N1; pairs with the
    // acquire in W1.
    if (waiters_.fetch_add(0, std::memory_order_release) == 0) return;
    epoch_.fetch_add(
        1, std::memory_order_release);  // N3. Release: N1; pairs with the acquires of the epoch.
    FutexWake(epoch_, count);           // N4
  }

  // Relaxed: seen too late it costs a notifier one needless system call.
  void Leave() { waiters_.fetch_sub(1, std::memory_order_relaxed); }

  std::atomic<uint32_t> waiters_{0};
  std::atomic<uint32_t> epoch_{0};
};

}  // namespace troupe

#endif  // TROUPE_CORE_EVENT_COUNT_H_
