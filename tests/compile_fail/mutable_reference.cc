// The handler wants to change the sender's message.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

class Account {
 public:
  void On(Deposit& deposit) { deposit.cents = 0; }
};

void Use(troupe::ActorRef<Account> account) { account.Send(Deposit{5}); }
