// ./bazelw run //examples:reliable_orders
//
// A shop sends orders to a warehouse whose door is open now and then: each time the connection is lost, it is
// dialled again. Each order gets there once and in order, whether it was sent before, while or after the
// door was open. Both sides are in this one program; they would be in two processes.
#include <unistd.h>

#include <iostream>
#include <string>

#include "troupe/runtime/bridges/node.h"
#include "troupe/runtime/bridges/reliable.h"
#include "troupe/troupe.h"

struct Order {
  int number = 0;
  std::string what;
};

class Shelves {
 public:
  void On(const Order& o) { std::cout << "order " << o.number << ": " << o.what << "\n"; }
};

int main() {
  const std::string address = "unix:///tmp/troupe-orders-" + std::to_string(::getpid());
  troupe::System warehouse;
  auto shelves = warehouse.Spawn<Shelves>();
  auto inbox = warehouse.Spawn<troupe::ReliableReceiver<Order>>(shelves);

  troupe::System shop;
  troupe::Node node(shop);
  auto connection = node.Maintain(address);  // nobody listens there yet
  if (!connection.ok()) return 1;
  auto orders = shop.Spawn<troupe::ReliableSender<Order>>(
      troupe::FindReliable(*connection, "orders"), troupe::ReliableOptions{.window = 8});

  for (int day = 0; day < 3; ++day) {
    orders.Send(Order{2 * day + 1, "by night"});  // waits
    troupe::Node door(warehouse);
    if (!troupe::PublishReliable(door, "orders", inbox).ok() || !door.Listen(address).ok())
      return 1;
    orders.Send(Order{2 * day + 2, "by day"});
    absl::Status arrived = orders.Ask(troupe::ReliableFlush{}, absl::Seconds(60)).Wait();
    if (!arrived.ok()) std::cout << arrived << "\n";
  }  // and the door is closed
  warehouse.Shutdown(absl::Seconds(60));
}
