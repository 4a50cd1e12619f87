// Goes to another state instead of answering.
#include "troupe/troupe.h"

struct Ask {
  using Reply = int;
};
struct Open {};
struct Closed {};

class Door {
 public:
  Open On(Closed&, Ask) { return {}; }
  troupe::StateMachine<Closed, Open> state;
};

int main() {
  troupe::System system;
  (void)system.Spawn<Door>().Ask(Ask{}).Wait();
}
