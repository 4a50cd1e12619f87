// Makes a Recipient from an actor that lacks one of the handlers.
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

void Use(troupe::ActorRef<Account> account) {
  troupe::Recipient<Deposit, Withdraw> recipient = account;
  recipient.Send(Withdraw{5});
}
