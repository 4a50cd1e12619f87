// Sends through a Router a message that it does not carry.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Withdraw {
  int cents;
};

void Use(const troupe::Router<Deposit>& accounts) { accounts.Send(Withdraw{5}); }
