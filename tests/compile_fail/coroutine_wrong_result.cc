// A coroutine that yields something else than the asker waits for.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {
  using Reply = int;
};

class Disk {
 public:
  troupe::Task<const char*> On(Read) { co_return "seven"; }
};

int main() {
  troupe::System system;
  system.Spawn<Disk>().Send(Read{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
