// A process that waits for a message nobody can send it.
#include "troupe/troupe.h"

#ifdef __clang__

struct Order {};
struct Cancel {};

troupe::Task<> Clerk(troupe::Process<Order>& self) {
  auto [cancel, from] = co_await self.Receive<Cancel>();
}

int main() {
  troupe::System system;
  system.Spawn(Clerk).Send(Order{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
