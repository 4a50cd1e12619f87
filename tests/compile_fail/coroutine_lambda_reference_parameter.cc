// A lambda without captures that is a coroutine and keeps a reference to its message.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {
  using Reply = int;
};

int main() {
  troupe::System system;
  system.Spawn([](const Read&) -> troupe::Task<int> { co_return 1; }).Send(Read{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
