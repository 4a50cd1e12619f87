// Sends what cannot leave the place where it was made.
#include <atomic>

#include "troupe/troupe.h"

struct Deposit {
  std::atomic<int> cents;
};

class Account {
 public:
  void On(const Deposit&) {}
};

void Use(troupe::ActorRef<Account> account) { account.Send(Deposit{5}); }
