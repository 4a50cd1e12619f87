// Works for the foreman, with all cores, until he is gone.
//
//   ./bazelw run //examples/remote_workers:worker -- unix:///tmp/work.sock
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "examples/remote_workers/factor.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace {

class Worker {
 public:
  std::string On(workers::Factor job) {
    uint64_t rest = job.number;
    std::string product;
    for (uint64_t p = 2; p <= rest / p;) {
      if (rest % p != 0) {
        ++p;
      } else {
        absl::StrAppend(&product, p, " * ");
        rest /= p;
      }
    }
    return absl::StrCat(job.number, " = ", product, rest);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string address = argc > 1 ? argv[1] : "unix:///tmp/work.sock";
  troupe::System system;
  troupe::Node node(system);
  const absl::StatusOr<troupe::Peer> peer = node.Connect(address).Wait();
  if (!peer.ok()) {
    std::cerr << peer.status() << "\n";
    return 1;
  }
  const auto foreman = peer->Find<workers::Hire>("foreman").Wait();
  if (!foreman.ok()) {
    std::cerr << foreman.status() << "\n";
    return 1;
  }
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
    foreman->Send(workers::Hire{system.Spawn<Worker>()});
  }
  system.Join(*foreman).IgnoreError();
}
