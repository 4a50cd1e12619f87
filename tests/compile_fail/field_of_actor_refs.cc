// The same for several, in a container.
#include <string>
#include <vector>

#include "troupe/actors/actor_ref.h"
#include "troupe/runtime/bridges/codec.h"

struct Deposit {
  int cents = 0;
};
class Account {
 public:
  void On(Deposit) {}
};
struct Opened {
  std::vector<troupe::ActorRef<Account>> accounts;
};

std::string AsBytes(const Opened& opened) { return troupe::Encode(opened); }
