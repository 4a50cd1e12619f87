// Broadcasts a message that cannot be copied.
#include <memory>

#include "troupe/troupe.h"

struct Deposit {
  std::unique_ptr<int> cents;
};

void Use(const troupe::Router<Deposit>& accounts) {
  accounts.Broadcast(Deposit{std::make_unique<int>(5)});
}
