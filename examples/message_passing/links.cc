// ./bazelw run //examples/message_passing:links
//
// Two processes talk if there is a link between them. Here a link is a right that somebody holds: a
// ref, a Sender, or one of the two ends of a channel.
#include <iostream>
#include <string>
#include <utility>

#include "troupe/troupe.h"

struct Request {
  std::string text;
};
struct Answer {
  std::string text;
};

// Serves one client, whoever has the other end. The end comes in a message and is owned here.
struct Serve {
  troupe::ChannelEnd<Answer, Request> client;
};
troupe::Task<> Server(troupe::Process<Serve>& self) {
  auto [serve, from] = co_await self.Receive<Serve>();
  for (;;) {
    absl::StatusOr<troupe::Received<Request>> request = co_await serve.client.Receive();
    if (!request.ok()) co_return;  // the other end is gone
    serve.client.Send(Answer{"you said " + request->message.text});
  }
}

int main() {
  troupe::System system;

  // A ref is a link to one actor. Many may hold it, and nobody reaches the actor without it.
  troupe::ActorRef<troupe::Process<Serve>> server = system.Spawn(Server);

  // A channel is a link of exactly two, in both directions. Its ends cannot be copied: a third party
  // does not compile.
  auto [mine, theirs] = troupe::OpenChannel<Request, Answer>(system);
  server.Send(Serve{std::move(theirs)});  // established by sending the end
  mine.Send(Request{"hello"});
  std::cout << mine.Receive().Wait()->message.text << "\n";

  // Several links between the same two are told apart by who holds them.
  auto [other, end] = troupe::OpenChannel<Request, Answer>(system);
  end.Send(Answer{"on the second channel"});
  std::cout << other.Receive().Wait()->message.text << "\n";

  // If one end goes the other is told, at once.
  mine = {};
  std::cout << "the server has ended: " << system.Join(server).status() << "\n";
  end = {};
  std::cout << "send: " << troupe::ToString(other.Send(Request{"anybody?"})) << "\n";
}
