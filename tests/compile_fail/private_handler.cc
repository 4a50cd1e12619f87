// Sends a message whose handler is private.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

class Account {
  void On(Deposit) {}
};

void Use(troupe::ActorRef<Account> account) { account.Send(Deposit{5}); }
