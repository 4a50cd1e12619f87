// Has two handlers for a message in one state.
#include "troupe/troupe.h"

struct Push {};
struct Open {};
struct Closed {};

class Door {
 public:
  Open On(Closed&, Push) { return {}; }
  Open On(Closed&, Push, troupe::Context&) { return {}; }
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>().Send(Push{});
}
