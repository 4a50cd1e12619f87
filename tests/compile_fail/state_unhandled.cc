// Sends a state machine a message that it handles in no state: one that it only ever postpones.
#include "troupe/troupe.h"

struct Push {};
struct Knock {};
struct Open {};
struct Closed {};

class Door {
 public:
  Open On(Closed&, Push) { return {}; }
  troupe::Postponed On(Closed&, Knock);
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>().Send(Knock{});
}
