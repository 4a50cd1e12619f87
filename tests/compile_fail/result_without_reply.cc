// The handler returns a value that nobody can be waiting for.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

class Account {
 public:
  bool On(Deposit deposit) { return deposit.cents > 0; }
};

void Use(troupe::ActorRef<Account> account) { account.Send(Deposit{5}); }
