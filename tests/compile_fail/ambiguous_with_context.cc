// The actor handles one message twice: with and without Context&.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

class Account {
 public:
  void On(Deposit) {}
  void On(Deposit, troupe::Context&) {}
};

void Use(troupe::ActorRef<Account> account) { account.Send(Deposit{5}); }
