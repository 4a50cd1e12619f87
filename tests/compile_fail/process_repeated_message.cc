// A process that lists a message twice.
#include "troupe/troupe.h"

#ifdef __clang__

struct Order {};

troupe::Task<> Clerk(troupe::Process<Order, Order>& self) { (void)co_await self.Receive<Order>(); }

int main() {
  troupe::System system;
  system.Spawn(Clerk);
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
