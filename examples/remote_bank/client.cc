// A customer of the bank in another process.
//
//   ./bazelw run //examples/remote_bank:client -- unix:///tmp/bank.sock alice 100
//
// pays in 100 cents and prints the balance; without an amount it waits for the end of the bank.
#include <cstdlib>
#include <future>
#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "examples/remote_bank/bank.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: client ADDRESS OWNER [CENTS]\n";
    return 2;
  }
  troupe::System system;
  troupe::Node node(system);
  const absl::StatusOr<troupe::Peer> peer = node.Connect(argv[1]).Wait();
  if (!peer.ok()) {
    std::cerr << peer.status() << "\n";
    return 1;
  }
  const auto bank = peer->Find<bank::OpenAccount>("bank").Wait();
  if (!bank.ok()) {
    std::cerr << bank.status() << "\n";
    return 1;
  }
  const auto account = bank->Ask(bank::OpenAccount{argv[2]}).Wait();
  if (!account.ok()) {
    std::cerr << account.status() << "\n";
    return 1;
  }
  if (argc > 3) {
    account->Send(bank::Deposit{std::atoll(argv[3])});
    const absl::StatusOr<int64_t> cents = account->Ask(bank::Balance{}).Wait();
    std::cout << argv[2] << " has " << cents.value_or(-1) << " cents" << std::endl;
    return cents.ok() ? 0 : 1;
  }
  std::cout << "waiting" << std::endl;
  const absl::StatusOr<troupe::Down> down = system.Join(*account);
  if (down.ok() && troupe::IsNodeLost(down->status)) std::cout << "the bank is lost" << std::endl;
}
