// Makes a topic of a message that cannot be copied.
#include <memory>

#include "troupe/troupe.h"

struct Deposit {
  std::unique_ptr<int> cents;
};

void Use(troupe::System& system) { troupe::SpawnTopic<Deposit>(system); }
