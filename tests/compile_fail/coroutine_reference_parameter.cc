// A coroutine that keeps a reference to its message, which is gone when it resumes.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {
  using Reply = int;
};

class Disk {
 public:
  troupe::Task<int> On(const Read&) { co_return 1; }
};

int main() {
  troupe::System system;
  system.Spawn<Disk>().Send(Read{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
