// Adds to a Group an actor that lacks one of the handlers.
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

void Use(const troupe::Group<Deposit, Withdraw>& accounts, troupe::ActorRef<Account> account) {
  accounts.Add(account);
}
