// clang-format off
// ---- README
#include <iostream>
#include "troupe/troupe.h"

struct Deposit { int cents; };                   // a message is a plain struct
struct Balance { using Reply = int; };           // a question names the type of its answer

class Account {                                  // an actor is a plain class
 public:
  void On(Deposit d) { cents_ += d.cents; }      // one message at a time, no lock
  int On(Balance) { return cents_; }             // what it returns is the answer
 private:
  int cents_ = 0;
};

int main() {
  troupe::System system;                         // worker threads, timers; nothing global
  auto account = system.Spawn<Account>();
  account.Send(Deposit{100});
  account.Send(Deposit{50});
  std::cout << "balance: " << account.Ask(Balance{}).Wait().value() << "\n";
}
// ---- README
