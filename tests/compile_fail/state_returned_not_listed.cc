// Returns a state that the machine does not list.
#include "troupe/troupe.h"

struct Turn {};
struct Open {};
struct Closed {};
struct Locked {};

class Door {
 public:
  Locked On(Closed&, Turn) { return {}; }
  void On(Open&, Turn) {}
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>().Send(Turn{});
}
