// Incarnations: the numbers that tell an actor from those which had its cell before. Unguessable,
// so that a ref which crosses a process boundary is a capability; multiples of 8, because an
// envelope's address has flags below (kAddressFlags); never 0.
#ifndef TROUPE_ACTORS_INTERNAL_INCARNATION_H_
#define TROUPE_ACTORS_INTERNAL_INCARNATION_H_

#include <cstdint>
#include <span>
#include <string>

namespace troupe::internal {

// Any thread. At most 32 at a time. A system call: draw many where many are needed. Ends the
// process if the kernel gives no random numbers.
void DrawIncarnations(std::span<uint64_t> out);

inline uint64_t DrawIncarnation() {
  uint64_t number;
  DrawIncarnations({&number, 1});
  return number;
}

// "#5e1f09c2": of an incarnation, for people. Mixed with a secret of the space, so that the 32 bits
// printed narrow down nothing: who knows an incarnation may send to the actor or mailbox.
std::string PrintedNumber(uint64_t incarnation, uint64_t print_key);
uint32_t NumberToPrint(uint64_t incarnation, uint64_t print_key);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_INCARNATION_H_
