// Goes to a state that the machine does not list.
#include "troupe/troupe.h"

struct Turn {};
struct Open {};
struct Closed {};
struct Locked {};

class Door {
 public:
  void On(Closed&, Turn, troupe::Context& self) { state.Become(Locked{}, self); }
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>().Send(Turn{});
}
