// Sends a process a message that it does not list.
#include "troupe/troupe.h"

#ifdef __clang__

struct Order {};
struct Cancel {};

troupe::Task<> Clerk(troupe::Process<Order>& self) { (void)co_await self.Receive<Order>(); }

int main() {
  troupe::System system;
  system.Spawn(Clerk).Send(Cancel{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
