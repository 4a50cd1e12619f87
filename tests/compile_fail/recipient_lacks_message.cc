// Sends to a Recipient a message that it does not carry.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Withdraw {
  int cents;
};

void Use(troupe::Recipient<Deposit> account) { account.Send(Withdraw{5}); }
