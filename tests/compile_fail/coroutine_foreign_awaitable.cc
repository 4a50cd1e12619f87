// A task that waits for something that would never resume it.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {
  using Reply = int;
};

class Disk {
 public:
  troupe::Task<int> On(Read) {
    co_await std::suspend_always();
    co_return 1;
  }
};

int main() {
  troupe::System system;
  system.Spawn<Disk>().Send(Read{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
