// Routes by a key that one of the messages does not have.
#include "troupe/troupe.h"

struct Deposit {
  int account;
};
struct Balance {
  using Reply = int;
};

void Use() {
  troupe::Group<Deposit, Balance> accounts(
      troupe::ByKey([](const Deposit& deposit) { return deposit.account; }));
}
