// Weakens a right to a message that the actor does not handle.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Withdraw {
  int cents;
};
struct Account {
  void On(Deposit) {}
};

void Use(troupe::ActorRef<Account> account) { account.Only<Withdraw>().Send(Withdraw{5}); }
