// ./bazelw run //examples/message_passing:direct
//
// Direct communication: whoever sends names the receiver, send(P, message). Whoever receives may name
// the sender, receive(Q, message), or take what comes from anybody and learn who it was.
#include <iostream>
#include <string>

#include "troupe/troupe.h"

struct Order {
  int number;
};
struct Shipped {
  int number;
};
struct Ship {
  int number;
  troupe::Recipient<Shipped> tell;
};

struct Warehouse {
  void On(const Ship& ship) { ship.tell.Send(Shipped{ship.number}); }
};

// Symmetric: while one order is being shipped only the warehouse is listened to. Orders that come
// meanwhile wait, in their order, and are not looked through again.
troupe::Task<> Clerk(troupe::Process<Order, Shipped>& self, troupe::ActorRef<Warehouse> warehouse,
                     troupe::Sender<std::string> log) {
  for (int i = 0; i < 2; ++i) {
    auto [order, from] = co_await self.Receive<Order>();  // asymmetric: from anybody
    const std::string who = from ? "an actor" : "a plain thread";
    log.Send("order " + std::to_string(order.number) + " of " + who);
    warehouse.Send(Ship{order.number, self.ref()});
    auto shipped = co_await self.ReceiveFrom<Shipped>(warehouse);  // symmetric: from him
    log.Send("shipped " + std::to_string(shipped->message.number));
  }
}

struct Customer {
  troupe::Recipient<Order> shop;
  void On(Order order) { shop.Send(order); }
};

int main() {
  troupe::System system;
  auto [log, lines] = system.OpenMailbox<std::string>();
  auto clerk = system.Spawn(Clerk, system.Spawn<Warehouse>(), log);

  clerk.Send(Order{1});  // send(P, message): the link is there as soon as the name is known
  for (int i = 0; i < 2; ++i) std::cout << lines.Receive().Wait()->message << "\n";
  system.Spawn(Customer{clerk}).Send(Order{2});
  for (int i = 0; i < 2; ++i) std::cout << lines.Receive().Wait()->message << "\n";

  // A name is bound late: when the shop changes hands those who know it by name need not be told.
  troupe::NamedRecipient<Order> shop = system.FindLate<Order>("shop");
  for (const char* keeper : {"Ann", "Ben"}) {
    auto handler = [log = log, keeper](Order order) {
      log.Send(keeper + (" got order " + std::to_string(order.number)));
    };
    system.Rebind<Order>("shop", system.Spawn(handler)).IgnoreError();
    shop.Send(Order{3});
    std::cout << lines.Receive().Wait()->message << "\n";
  }
}
