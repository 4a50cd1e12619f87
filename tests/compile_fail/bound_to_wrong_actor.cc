// Binds a name to an actor that has no handler for one of the messages.
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

absl::Status Use(troupe::System& system, const troupe::ActorRef<Account>& account) {
  return system.Bind<Deposit, Withdraw>("bank/alice", account);
}
