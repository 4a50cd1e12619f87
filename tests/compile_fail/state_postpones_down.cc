// Postpones the end of somebody.
#include "troupe/troupe.h"

struct Closed {};
struct Open {};

class Door {
 public:
  void On(Closed&, troupe::Down) {}
  troupe::Postponed On(Open&, troupe::Down);
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>();
}
