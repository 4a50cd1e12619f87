// An ask that is kept in a variable, and awaited as if it could be awaited again.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {
  using Reply = int;
};

class Disk {
 public:
  int On(Read) { return 1; }
};

class Reader {
 public:
  explicit Reader(troupe::ActorRef<Disk> disk) : disk_(disk) {}
  troupe::Task<absl::StatusOr<int>> On(Read read) {
    auto block = disk_.Ask(read);
    co_return co_await block;
  }

 private:
  troupe::ActorRef<Disk> disk_;
};

int main() {
  troupe::System system;
  system.Spawn<Reader>(system.Spawn<Disk>()).Send(Read{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
