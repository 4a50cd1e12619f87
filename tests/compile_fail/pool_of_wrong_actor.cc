// Makes a pool of workers that lack one of the handlers.
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

void Use(troupe::System& system) {
  troupe::SpawnPool<Account, Deposit, Withdraw>(system, troupe::RoundRobin{}, {.size = 2});
}
