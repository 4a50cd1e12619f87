// Gives a state a timeout that nothing happens at.
#include "troupe/troupe.h"

struct Push {};
struct Closed {};
struct Open {
  absl::Duration timeout = absl::Seconds(1);
};

class Door {
 public:
  Open On(Closed&, Push) { return {}; }
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  system.Spawn<Door>();
}
