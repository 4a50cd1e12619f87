#include "troupe/runtime/internal/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <utility>

namespace troupe::internal {
namespace {

// A new thread inherits its creator's mask; so the creator's is changed around the creation.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t mask;
    sigfillset(&mask);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
      sigdelset(&mask, fault);
    pthread_sigmask(SIG_SETMASK, &mask, &before_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::thread StartThread(const std::string& name, std::function<void()> body) {
  BlockSignals blocked;
  std::thread thread(std::move(body));
  pthread_setname_np(thread.native_handle(),
                     name.substr(0, 15).c_str());  // a name too long is refused: cut it
  return thread;
}

std::vector<int> AllowedCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

int AllowedCpuCount() {
  const size_t allowed = AllowedCpus().size();  // 0: more CPUs than a cpu_set_t names
  return static_cast<int>(allowed > 0 ? allowed
                                      : std::max(1u, std::thread::hardware_concurrency()));
}

void RunOnlyOn(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : cpus) CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

}  // namespace troupe::internal
