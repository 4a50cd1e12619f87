// Hello: what either side says first.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_HELLO_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_HELLO_H_

#include <cstdint>
#include <string>

#include "troupe/runtime/bridges/frame.h"

namespace troupe::internal {

inline constexpr uint32_t kHelloMagic = 0x70757254;  // "Trup"

struct Hello {
  uint32_t magic = kHelloMagic;
  uint16_t version = kProtocolVersion;
  // Who speaks: random, and drawn anew whenever a node is made, so that one that has been restarted
  // is another.
  uint64_t node_high = 0;
  uint64_t node_low = 0;
  std::string name;
  uint32_t max_frame = 0;  // the longest that it takes
  uint32_t window = 0;     // of messages that it has not handled
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_HELLO_H_
