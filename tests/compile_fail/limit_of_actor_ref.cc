// Weakens a right before it has said to what.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Account {
  void On(Deposit) {}
};

void Use(troupe::ActorRef<Account> account) { account.Limit(1, absl::Seconds(1)); }
