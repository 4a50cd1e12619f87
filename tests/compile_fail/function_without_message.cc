// Spawns a function that takes no message, as one would start a thread.
#include "troupe/troupe.h"

void Use(troupe::Context& self) {
  self.Spawn([] {});
}
