// Spawns an actor with what its constructor does not take.
#include <string>

#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

class Account {
 public:
  explicit Account(std::string owner) : owner_(owner) {}
  void On(Deposit) {}

 private:
  std::string owner_;
};

void Use(troupe::System& system) {
  auto account = system.Spawn<Account>("Ann", 5);
  account.Send(Deposit{5});
}
