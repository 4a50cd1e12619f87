// Has a message sent again and again that cannot be copied.
#include <memory>

#include "troupe/troupe.h"

struct Deposit {
  std::unique_ptr<int> cents;
};

class Account {
 public:
  void On(Deposit) {}
};

void Use(troupe::System& system, troupe::ActorRef<Account> account) {
  system.SendEvery(absl::Seconds(1), account, Deposit{std::make_unique<int>(5)});
}
