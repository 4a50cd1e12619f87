// FutexWait, FutexWake: sleep in the kernel until a word changes.
//
// std::atomic::wait would do, had it a deadline; it has none, and libstdc++ spins and shares waiter
// counts between unrelated words before it sleeps. This is the bare system call: private to the
// process, deadlines on CLOCK_MONOTONIC, no spinning, nothing allocated.
//
// How to use it: change the word, then FutexWake. The kernel compares and goes to sleep in one
// step, so a change made before FutexWake is never slept through. Orders no other memory: load the
// word with acquire after waking.

#ifndef TROUPE_CORE_FUTEX_H_
#define TROUPE_CORE_FUTEX_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"

namespace troupe {

using SteadyTime = std::chrono::steady_clock::time_point;  // CLOCK_MONOTONIC

inline constexpr SteadyTime kNoDeadline = SteadyTime::max();

// So long from now; a year is for ever, and keeps the sum in range.
SteadyTime SteadyDeadline(absl::Duration timeout);

// Sleeps while `word` holds `expected`. False: the deadline has passed. True: woken, or the word is
// different, or for no reason at all (a signal): look at the word again.
bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected,
               SteadyTime deadline = kNoDeadline);

// Wakes at most `count` of the threads that sleep on `word`. Returns how many.
int FutexWake(const std::atomic<uint32_t>& word, int count);

inline constexpr int kWakeAll = INT32_MAX;

}  // namespace troupe

#endif  // TROUPE_CORE_FUTEX_H_
