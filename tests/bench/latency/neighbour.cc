#include "troupe/tests/bench/latency/neighbour.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace troupe::bench {
namespace {

[[noreturn]] void MakeNoise(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // it was gone before the line above
  for (volatile unsigned work = 0;;) work = work + 1;
}

pid_t Start() {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) MakeNoise(parent);
  return child;
}

}  // namespace

Neighbour::Neighbour() : process_(Start()) {}

Neighbour::~Neighbour() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace troupe::bench
