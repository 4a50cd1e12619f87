// Neighbour: a process that has nothing to do with us and keeps a processor busy.
#ifndef TROUPE_TESTS_BENCH_LATENCY_NEIGHBOUR_H_
#define TROUPE_TESTS_BENCH_LATENCY_NEIGHBOUR_H_

#include <sys/types.h>

namespace troupe::bench {

// It computes until it is ended with this object, or by the kernel if we are killed: none is left
// behind. It is forked, so make it before any thread. Several: std::vector<Neighbour>(n).
class Neighbour {
 public:
  Neighbour();  // throws std::system_error if there is no process to be had
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;
  ~Neighbour();

 private:
  const pid_t process_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_LATENCY_NEIGHBOUR_H_
