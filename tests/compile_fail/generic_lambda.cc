// Spawns a function that would take anything.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

void Use(troupe::System& system) {
  auto account = system.Spawn([](auto deposit) { (void)deposit; });
  account.Send(Deposit{5});
}
