// The handler answers with something else than the asker waits for.
#include <string>

#include "troupe/troupe.h"

struct Balance {
  using Reply = int;
};

class Account {
 public:
  std::string On(Balance, troupe::Context&) { return "five"; }
};

void Use(troupe::ActorRef<Account> account) {
  absl::StatusOr<int> cents = account.Ask(Balance{}).Wait();
  (void)cents;
}
