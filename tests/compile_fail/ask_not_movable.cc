// Asks with what cannot leave the place where it was made.
#include <atomic>

#include "troupe/troupe.h"

struct Balance {
  using Reply = int;
  std::atomic<int> at_most;
};

class Account {
 public:
  int On(const Balance& balance) { return balance.at_most; }
};

void Use(troupe::ActorRef<Account> account) {
  absl::StatusOr<int> cents = account.Ask(Balance{5}).Wait();
  (void)cents;
}
