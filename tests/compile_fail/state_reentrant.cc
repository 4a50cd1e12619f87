// Lets other messages pass while it holds a reference to the state.
#include "troupe/troupe.h"

#ifdef __clang__

struct Push {};
struct Closed {};
struct Open {};

class Door {
 public:
  troupe::ReentrantTask<> On(Closed&, Push) { co_await troupe::Sleep(absl::Seconds(1)); }
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>().Send(Push{});
}

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
