// Subscribes to a message that is not an event of the system.
#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

struct Account {
  void On(Deposit) {}
};

void Use(troupe::System& system, troupe::ActorRef<Account> account) {
  system.events().Subscribe<Deposit>(account);
}
