// README.md, "Handlers that wait".
#include <iostream>
#include <utility>
#include <vector>

#include "troupe/troupe.h"

struct Balance {
  using Reply = int;
};

class Account {
 public:
  explicit Account(int cents) : cents_(cents) {}
  int On(Balance) { return cents_; }

 private:
  int cents_;
};

// clang-format off
// ---- README
struct Audit { using Reply = int; };

class Auditor {
 public:
  explicit Auditor(std::vector<troupe::ActorRef<Account>> accounts) : accounts_(accounts) {}

  troupe::Task<absl::StatusOr<int>> On(Audit) {          // a coroutine: waits, and holds no thread
    co_await troupe::Sleep(absl::Milliseconds(1));
    int sum = 0;
    for (auto account : accounts_) {
      absl::StatusOr<int> cents = co_await account.Ask(Balance{});
      if (!cents.ok()) co_return cents.status();
      sum += *cents;
    }
    co_return sum;                                       // the answer, as from any handler
  }

 private:
  std::vector<troupe::ActorRef<Account>> accounts_;
};
// ---- README
// clang-format on

int main() {
  troupe::System system;
  std::vector<troupe::ActorRef<Account>> accounts = {system.Spawn<Account>(100),
                                                     system.Spawn<Account>(50)};
  auto auditor = system.Spawn<Auditor>(accounts);
  std::cout << auditor.Ask(Audit{}).Wait().value() << "\n";
}
