// A client of a chat, in a terminal.
//
//   ./bazelw run //examples/chat:client -- unix:///tmp/chat.sock alice
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "examples/chat/certificates.h"
#include "examples/chat/commands.h"
#include "examples/chat/keyboard.h"
#include "examples/chat/messages.h"
#include "examples/chat/terminal.h"
#include "examples/chat/text.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace {

absl::StatusOr<chat::Session> EnterChat(troupe::Node& node, const char* address, const char* nick,
                                        chat::Screen screen) {
  const absl::StatusOr<troupe::Peer> server = node.Connect(address).Wait();
  if (!server.ok()) return server.status();
  const auto chat = server->Find<chat::Enter>("chat").Wait();
  if (!chat.ok()) return chat.status();
  return chat->Ask(chat::Enter{nick, screen}).Wait();
}

// Runs what is typed. It waits for each answer, and so does what is typed next. False: the server is gone.
bool Converse(chat::Keyboard& keyboard, troupe::ActorRef<chat::Terminal> terminal,
              chat::Session session) {
  chat::Commands commands(session);
  terminal.Send(chat::Note{commands.Run("/join lobby"), commands.room()});
  while (std::optional<std::string> bytes = keyboard.Read()) {
    const auto lines =
        terminal.Ask(chat::Typed{*std::move(bytes)}, absl::InfiniteDuration()).Wait();
    if (!lines.ok()) break;
    for (const std::string& line : *lines) {
      terminal.Send(chat::Note{commands.Run(line), commands.room()});
      if (commands.ended()) return true;
    }
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: client unix://PATH | tcp://HOST:PORT | tls://HOST:PORT NICK\n";
    return 2;
  }
  const absl::StatusOr<chat::Credentials> tls = chat::ClientCredentials(argv[1]);
  if (!tls.ok()) {
    std::cerr << tls.status().message() << "\n";
    return 1;
  }
  chat::Keyboard keyboard;
  troupe::System system({.workers = 1, .shutdown_timeout = absl::Seconds(1)});
  troupe::Node node(system, {.tls = *tls, .window = 1 << 16});
  const auto terminal =
      system.Spawn<chat::Terminal>({.placement = troupe::Placement::kDedicatedThread}, keyboard);
  const absl::StatusOr<chat::Session> session = EnterChat(node, argv[1], argv[2], terminal);
  if (!session.ok()) {
    std::cerr << chat::Printable(std::string(session.status().message())) << "\n";
    return 1;
  }
  terminal.Send(chat::Attend{*session});
  const bool quit = Converse(keyboard, terminal, *session);
  system.Join(terminal, absl::Seconds(1)).IgnoreError();  // it has the last word
  return quit ? 0 : 1;
}
