// An OnStop that wants to wait. Under GCC 12, which has no coroutines for us, no handler can.
#include "troupe/troupe.h"

struct Read {};

troupe::Task<> WriteBack();

class Disk {
 public:
  void On(Read) {}
  troupe::Task<> OnStop() { return WriteBack(); }
};

int main() {
  troupe::System system;
  system.Spawn<Disk>().Send(Read{});
}
