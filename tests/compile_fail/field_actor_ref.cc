// Sends the address of an actor to another process as what it is here, rather than the right to send.
#include <string>

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
  std::string owner;
  troupe::ActorRef<Account> account;
};

std::string AsBytes(const Opened& opened) { return troupe::Encode(opened); }
