// An OnStop that wants to wait.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {};

class Disk {
 public:
  void On(Read) {}
  troupe::Task<> OnStop() { co_await troupe::Sleep(absl::Seconds(1)); }
};

int main() {
  troupe::System system;
  system.Spawn<Disk>().Send(Read{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
