// Incarnations: the numbers that tell an actor from those which had its cell before. Unguessable,
// so that a ref which crosses a process boundary is a capability; multiples of 4, because an
// envelope's address has flags below (kAddressFlags); never 0.
#ifndef TROUPE_ACTORS_INTERNAL_INCARNATION_H_
#define TROUPE_ACTORS_INTERNAL_INCARNATION_H_

#include <cstdint>
#include <span>

namespace troupe::internal {

// Any thread. At most 32 at a time. A system call: draw many where many are needed. Ends the
// process if the kernel gives no random numbers.
void DrawIncarnations(std::span<uint64_t> out);

inline uint64_t DrawIncarnation() {
  uint64_t number;
  DrawIncarnations({&number, 1});
  return number;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_INCARNATION_H_
