// The server of a chat. It serves until it is told to end (Ctrl-C, SIGTERM).
//
//   ./bazelw run //examples/chat:server -- unix:///tmp/chat.sock
//   ./bazelw run //examples/chat:server -- tls://0.0.0.0:7000       # for other machines, see certificates.h
#include <csignal>
#include <iostream>

#include "absl/status/statusor.h"
#include "examples/chat/certificates.h"
#include "examples/chat/directory.h"
#include "examples/chat/messages.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: server unix://PATH | tcp://HOST:PORT | tls://HOST:PORT\n";
    return 2;
  }
  sigset_t ends;  // blocked before there are threads, so that they are blocked in all of them
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  const absl::StatusOr<chat::Credentials> tls = chat::ServerCredentials(argv[1]);
  if (!tls.ok()) {
    std::cerr << tls.status().message() << "\n";
    return 1;
  }
  troupe::System system;
  // A client that does not read costs so many lines and bytes, and nobody else anything. One that reads
  // nothing and goes on asking is cut off.
  troupe::Node node(system, {.name = "chat",
                             .tls = *tls,
                             .capacity = 256,
                             .when_full = troupe::WhenFull::kDropOldest,
                             .max_frame = 1 << 16,
                             .window = 1 << 16,
                             .outbox_high_water = 1 << 16,
                             .outbox_most = 1 << 20});
  absl::Status status = node.Publish<chat::Enter>("chat", system.Spawn<chat::Directory>());
  absl::StatusOr<std::string> address = node.Listen(argv[1]);
  if (status.ok()) status = address.status();
  if (!status.ok()) {
    std::cerr << status.message() << "\n";
    return 1;
  }
  std::cout << "open at " << *address << std::endl;
  int signal;
  sigwait(&ends, &signal);
  std::cout << "closed" << std::endl;
}
