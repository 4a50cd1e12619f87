// Spawns a process without what its body takes.
#include "troupe/troupe.h"

#ifdef __clang__

struct Order {};

troupe::Task<> Clerk(troupe::Process<Order>& self, int shelf) {
  (void)co_await self.Receive<Order>();
  (void)shelf;
}

int main() {
  troupe::System system;
  system.Spawn(Clerk, "top");
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
