// ./bazelw run //examples:clerk
//
// Two processes: a clerk takes orders from anyone, one after the other, and waits for the warehouse
// to pack each; orders that come meanwhile stay queued.
#include <iostream>
#include <string>

#include "troupe/troupe.h"

struct Order {
  std::string item;
};
struct Pack {
  std::string item;
};
struct Ack {
  std::string shelf;
};
struct Closing {};

using Clerk = troupe::Process<Order, Ack, Closing>;
using Warehouse = troupe::Process<Pack>;

troupe::Task<> Store(Warehouse& self) {
  for (;;) {
    auto [pack, from] = co_await self.Receive<Pack>();
    if (pack.item == "lamp") co_await troupe::Sleep(absl::Milliseconds(20));  // on the top shelf
    from.As<Clerk>()->Send(Ack{"shelf " + std::to_string(pack.item.size())});
  }
}

troupe::Task<> Serve(Clerk& self, troupe::ActorRef<Warehouse> warehouse) {
  for (;;) {
    // From anyone; whichever of the two came first.
    auto next = co_await self.Receive<Order, Closing>();
    if (std::holds_alternative<troupe::Received<Closing>>(next)) co_return;
    const std::string item = std::get<troupe::Received<Order>>(next).message.item;

    // From the warehouse alone. It is an error if that has ended.
    warehouse.Send(Pack{item});
    auto ack = co_await self.ReceiveFrom<Ack>(warehouse, absl::Seconds(5));
    std::cout << item << ": " << (ack.ok() ? ack->message.shelf : "out of stock") << "\n";
  }
}

int main() {
  troupe::System system;
  auto warehouse = system.Spawn(Store);
  auto clerk = system.Spawn(Serve, warehouse);

  for (const char* item : {"lamp", "chair", "desk"}) clerk.Send(Order{item});
  clerk.Send(Closing{});
  if (system.Join(clerk).ok()) std::cout << "closed\n";
}
