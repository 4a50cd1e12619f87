// Selects from a mailbox and from an actor.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Account {
  void On(Deposit) {}
};

void Use(troupe::Receiver<Deposit>& deposits, troupe::ActorRef<Account> account) {
  (void)Select(deposits, account).Wait();
}
