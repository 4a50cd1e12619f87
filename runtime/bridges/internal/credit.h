// Credit: what a Credit frame says of one target.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_CREDIT_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_CREDIT_H_

#include <cstddef>
#include <cstdint>

namespace troupe::internal {

struct Credit {
  uint64_t target = 0;
  uint64_t bytes = 0;  // of messages to it that have been handled
};

inline constexpr size_t kLongestCredit = 1 + 9 + 9;  // in msgpack

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_CREDIT_H_
