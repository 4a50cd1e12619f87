// The actor handles one message twice: by value and by const reference.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

class Account {
 public:
  void On(Deposit) {}
  void On(const Deposit&) {}
};

void Use(troupe::ActorRef<Account> account) { account.Send(Deposit{5}); }
