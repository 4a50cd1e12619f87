// A bank that other processes use. It serves until its standard input ends.
//
//   ./bazelw run //examples/remote_bank:server -- unix:///tmp/bank.sock
#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "examples/remote_bank/bank.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace {

class Account {
 public:
  void On(bank::Deposit d) { cents_ += d.cents; }
  int64_t On(bank::Balance) { return cents_; }

 private:
  int64_t cents_ = 0;
};

class Bank {
 public:
  bank::Account On(const bank::OpenAccount& m, troupe::Context& self) {
    auto [account, is_new] = accounts_.try_emplace(m.owner);
    if (is_new) account->second = self.Spawn<Account>();
    return account->second;
  }

 private:
  std::map<std::string, troupe::ActorRef<Account>> accounts_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string address = argc > 1 ? argv[1] : "unix:///tmp/bank.sock";
  troupe::System system;
  troupe::Node node(system, {.name = "bank"});
  const auto bank = system.Spawn<Bank>();
  absl::Status status = node.Publish<bank::OpenAccount>("bank", bank);
  if (status.ok()) status = node.Listen(address).status();
  if (!status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
  std::cout << "open" << std::endl;
  while (std::getchar() != EOF) {
  }
}
