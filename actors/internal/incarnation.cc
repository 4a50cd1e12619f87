#include "troupe/actors/internal/incarnation.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {

void DrawIncarnations(std::span<uint64_t> out) {
  ssize_t got;
  do {
    // Up to 256 bytes are never interrupted once the kernel's pool is ready.
    got = getrandom(out.data(), out.size_bytes(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(out.size_bytes())) {
    std::fputs("Troupe: the kernel gives no random numbers (getrandom failed).\n", stderr);
    std::abort();
  }
  for (uint64_t& number : out) number = (number & ~kAddressFlags) | 8;
}

uint32_t NumberToPrint(uint64_t incarnation, uint64_t print_key) {
  const auto product =
      static_cast<unsigned __int128>(incarnation ^ print_key) * 0x9E3779B97F4A7C15u;
  return static_cast<uint32_t>((product >> 64) ^ product);
}

std::string PrintedNumber(uint64_t incarnation, uint64_t print_key) {
  char number[16];
  std::snprintf(number, sizeof(number), "#%08x", NumberToPrint(incarnation, print_key));
  return number;
}

}  // namespace troupe::internal
