// ./bazelw run //examples/message_passing:links
//
// Two processes talk if there is a link between them. Here a link is a right that somebody holds: a
// ref, a Sender, or one of the two ends of a channel. It can be weakened before it is given away.
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

// Serves one client, whoever has the other ends. They come in a message and are owned here.
struct Serve {
  troupe::ChannelEnd<Answer, Request> client;
  troupe::ChannelEnd<Answer, Request> news;
};
troupe::Task<> Server(troupe::Process<Serve>& self) {
  auto [serve, from] = co_await self.Receive<Serve>();
  for (int served = 1;; ++served) {
    absl::StatusOr<troupe::Received<Request>> request = co_await serve.client.Receive();
    if (!request.ok()) co_return;  // the other end is gone
    serve.client.Send(Answer{"you said " + request->message.text});
    serve.news.Send(Answer{"served: " + std::to_string(served)});
  }
}

struct Deposit {
  int cents;
};
struct Balance {
  using Reply = int;
};
class Account {
 public:
  void On(Deposit deposit) { cents_ += deposit.cents; }
  int On(Balance) { return cents_; }

 private:
  int cents_ = 0;
};

struct Move {
  std::string what;
};
// One of two, who talk by the link between them and need not know who is which.
class Player {
 public:
  Player(std::string name, troupe::Sender<std::string> log) : name_(name), log_(log) {}
  void On(troupe::DirectLink<Move> game) { game.Send(Move{"e4"}); }
  void On(Move move) { log_.Send(name_ + " sees " + move.what); }

 private:
  std::string name_;
  troupe::Sender<std::string> log_;
};

int main() {
  troupe::System system;

  // A ref is a link to one actor. Many may hold it, and nobody reaches the actor without it.
  troupe::ActorRef<troupe::Process<Serve>> server = system.Spawn(Server);

  // A channel is a link of exactly two, in both directions. Its ends cannot be copied: a third party
  // does not compile. Several links between the same two are told apart by the ends.
  auto [mine, theirs] = troupe::OpenChannel<Request, Answer>(system);
  auto [news, their_news] = troupe::OpenChannel<Request, Answer>(system);
  server.Send(Serve{std::move(theirs), std::move(their_news)});  // established by sending the ends
  mine.Send(Request{"hello"});
  std::cout << mine.Receive().Wait()->message.text << "\n";
  std::cout << "on the second link: " << news.Receive().Wait()->message.text << "\n";

  // If one end goes the other is told, at once.
  mine = {};
  std::cout << "the server has ended: " << system.Join(server).status() << "\n";
  std::cout << "send: " << troupe::ToString(news.Send(Request{"anybody?"})) << "\n";

  // Between two actors there is exactly one direct link, whoever makes it and how often.
  auto [log, lines] = system.OpenMailbox<std::string>();
  auto ann = system.Spawn<Player>("Ann", log);
  auto ben = system.Spawn<Player>("Ben", log);
  troupe::DirectLink<Move> game(ann, ben);
  std::cout << "one link: " << (game == troupe::DirectLink<Move>(ben, ann)) << "\n";
  ann.Send(game);
  std::cout << lines.Receive().Wait()->message << "\n";
  std::cout << "a third party: " << troupe::ToString(game.Send(Move{"e5"})) << "\n";

  // A weaker right: to ask for the balance, and that twice. Then it is taken back.
  auto account = system.Spawn<Account>();
  account.Send(Deposit{100});
  troupe::RevocableRecipient<Balance> lent =
      account.Only<Balance>().Limit(2, absl::InfiniteDuration());
  for (int i = 0; i < 3; ++i) {
    absl::StatusOr<int> cents = lent.Ask(Balance{}).Wait();
    std::cout << (cents.ok() ? std::to_string(*cents) : cents.status().ToString()) << "\n";
  }
  lent.Revoke();
  std::cout << absl::StatusCodeToString(lent.Ask(Balance{}).Wait().status().code()) << "\n";
  std::cout << "the owner still has " << *account.Ask(Balance{}).Wait() << "\n";
}
