// Asymmetric fences: the two halves of a store-load barrier, made so that the frequent side pays
// nothing and the rare side pays for both.
//
//   Operation    Who                   Effect
//   LightFence   the frequent side     orders its stores before its later loads, as seen by whoever
//                                      calls HeavyFence
//   HeavyFence   the rare side         the same for the caller, and for every thread of the process
//
//   frequent:  mine.store(1);  LightFence();  if (theirs.load() == 0) ...
//   rare:      theirs.store(1);  HeavyFence();  if (mine.load() == 0) ...
//
// F1  At least one of the two sees the other's store: as if both had called
//     std::atomic_thread_fence(seq_cst).
// F2  A LightFence orders nothing for a reader that calls no HeavyFence, and is no acquire or
//     release: what the loads and stores pass on needs orders of its own.
//
// Cost   Light: nothing but a limit to the compiler. Heavy: a system call that interrupts the other
//        processors which run this process, some 3 us. Where the kernel has no membarrier (before
//        Linux 4.14, or forbidden by a seccomp filter) Light is a full fence.
//
// Linux's membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED;
// folly/synchronization/AsymmetricThreadFence.h and P1202 (Goldblatt) have the same pair.

#ifndef TROUPE_CORE_ASYMMETRIC_FENCE_H_
#define TROUPE_CORE_ASYMMETRIC_FENCE_H_

#include <atomic>

namespace troupe {

namespace asymmetric_fence_internal {
// False at first, and for ever where there is no membarrier: then Light is a full fence, which is
// right beside either kind of Heavy.
extern constinit std::atomic<bool> light_is_enough;
}  // namespace asymmetric_fence_internal

// A full fence (store-load) as std::atomic_thread_fence(seq_cst) is. On x86 an interlocked
// instruction on the own stack does the same at a quarter of mfence's price, which clang emits.
inline void FullFence() {
#if defined(__x86_64__)
  asm volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

inline void LightFence() {
  // Relaxed: it goes from false to true once, and either value is right (see the .cc).
  if (asymmetric_fence_internal::light_is_enough.load(std::memory_order_relaxed)) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    FullFence();
  }
}

void HeavyFence();

// Makes LightFence light if the kernel can. Whoever is about to use the pair often calls it first;
// it may be called at any time, on any thread.
void PrepareAsymmetricFences();

}  // namespace troupe

#endif  // TROUPE_CORE_ASYMMETRIC_FENCE_H_
