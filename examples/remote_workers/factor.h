// What the foreman and the workers say to each other. Plain structs: they cross a socket as they are.
#ifndef TROUPE_EXAMPLES_REMOTE_WORKERS_FACTOR_H_
#define TROUPE_EXAMPLES_REMOTE_WORKERS_FACTOR_H_

#include <cstdint>
#include <string>

#include "troupe/troupe.h"

namespace workers {

struct Factor {
  using Reply = std::string;  // "91 = 7 * 13"
  uint64_t number;
};
using Worker = troupe::Recipient<Factor>;

// Sent by a worker, who is then given one job after the other.
struct Hire {
  Worker worker;
};

}  // namespace workers

#endif  // TROUPE_EXAMPLES_REMOTE_WORKERS_FACTOR_H_
