// Asks an actor that has no handler for the question.
#include <cstdint>

#include "troupe/troupe.h"

struct Balance {
  using Reply = int64_t;
};

class Account {};

void Use(troupe::ActorRef<Account> account) {
  absl::StatusOr<int64_t> cents = account.Ask(Balance{}).Wait();
  if (cents.ok()) *cents += 1;
}
