// A coroutine that is a lambda with captures.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {
  using Reply = int;
};

int main() {
  troupe::System system;
  int block = 7;
  system.Spawn([block](Read) -> troupe::Task<int> { co_return block; }).Send(Read{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
