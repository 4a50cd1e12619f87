// A program that talks to other processes, outside of Troupe's tree: it links troupe::node and
// troupe::tls.
#include <unistd.h>

#include <iostream>
#include <string>

#include "troupe/runtime/bridges/node.h"
#include "troupe/runtime/bridges/tls.h"
#include "troupe/troupe.h"

namespace {

struct Double {
  using Reply = int;
  int number;
};
class Calculator {
 public:
  int On(Double m) { return 2 * m.number; }
};

absl::StatusOr<int> AskOverASocket() {
  troupe::System system;
  troupe::Node server(system, {.name = "server"});
  troupe::Node client(system);
  absl::Status ready = server.Publish<Double>("calculator", system.Spawn<Calculator>());
  if (!ready.ok()) return ready;
  const auto at = server.Listen("unix:///tmp/troupe-install-" + std::to_string(::getpid()));
  if (!at.ok()) return at.status();
  const auto peer = client.Connect(*at).Wait();
  if (!peer.ok()) return peer.status();
  const auto calculator = peer->Find<Double>("calculator").Wait();
  if (!calculator.ok()) return calculator.status();
  return calculator->Ask(Double{21}).Wait();
}

}  // namespace

int main() {
  const absl::Status no_files = troupe::LoadTlsCredentials({}).status();
  const absl::StatusOr<int> answer = AskOverASocket();
  std::cout << answer.status() << ", " << no_files << "\n";
  return answer.ok() && *answer == 42 && absl::IsInvalidArgument(no_files) ? 0 : 1;
}
