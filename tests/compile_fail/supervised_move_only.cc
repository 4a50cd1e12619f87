// Adds a supervised child with an argument that can be given to one life only.
#include <memory>
#include <utility>

#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

class Account {
 public:
  explicit Account(std::unique_ptr<int> cents) : cents_(std::move(cents)) {}
  void On(Deposit d) { *cents_ += d.cents; }

 private:
  std::unique_ptr<int> cents_;
};

void Use(troupe::SupervisorTree& tree) {
  auto account = tree.Add<Account>({}, std::make_unique<int>(0));
  account.Send(Deposit{5});
}
