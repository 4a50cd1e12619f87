// Sends by name a message that the NamedRecipient does not carry.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Withdraw {
  int cents;
};

void Use(const troupe::NamedRecipient<Deposit>& alice) { alice.Send(Withdraw{5}); }
