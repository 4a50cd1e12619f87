// Wants to go on to another state while it enters one.
#include "troupe/troupe.h"

struct Push {};
struct Closed {};
struct Open {};

class Door {
 public:
  Closed OnEnter(Open&) { return {}; }
  Open On(Closed&, Push) { return {}; }
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>();
}
