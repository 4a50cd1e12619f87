#include "troupe/core/asymmetric_fence.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace troupe {
namespace {

bool Membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

bool Register() { return Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

bool Interrupt() { return Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }

// Whether this process may rely on membarrier; asked once. light_is_enough becomes true after the
// answer was yes, so whoever makes a LightFence light is followed by HeavyFences that know it.
bool KernelHelps() {
  static const bool registered = Register();
  return registered;
}

}  // namespace

namespace asymmetric_fence_internal {
constinit std::atomic<bool> light_is_enough{false};
}  // namespace asymmetric_fence_internal

void PrepareAsymmetricFences() {
  if (KernelHelps() && Interrupt()) {
    // Relaxed: see LightFence.
    asymmetric_fence_internal::light_is_enough.store(true, std::memory_order_relaxed);
  }
}

void HeavyFence() {
  FullFence();
  if (!KernelHelps() || Interrupt()) return;
  // A filter that was put on after the start takes the call away. Fences are full from now on;
  // those that were light a moment ago are over once the store buffers of the others have drained,
  // which takes nanoseconds.
  asymmetric_fence_internal::light_is_enough.store(false, std::memory_order_relaxed);
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace troupe
