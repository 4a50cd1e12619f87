// Asks with a message that has no reply type.
#include <cstdint>

#include "troupe/troupe.h"

struct Balance {};

class Account {
 public:
  void On(Balance) {}
};

void Use(troupe::ActorRef<Account> account) {
  absl::StatusOr<int64_t> cents = account.Ask(Balance{}).Wait();
  if (cents.ok()) *cents += 1;
}
