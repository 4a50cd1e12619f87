// Sends a message that the actor does not handle.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Withdraw {
  int cents;
};

class Account {
 public:
  void On(Deposit) {}
};

void Use(troupe::ActorRef<Account> account) { account.Send(Withdraw{5}); }
