// Stashes a message that the actor will have no handler for.
#include "troupe/troupe.h"

struct Page {};
struct Print {};

class Printer {
 public:
  void On(Page, troupe::Context& self) { stash_.Add(Print{}, self); }

 private:
  troupe::Stash<Printer> stash_{10};
};

int main() {
  troupe::System system;
  system.Spawn<Printer>().Send(Page{});
}
