// Asks and their errors.
#include <iostream>

#include "troupe/troupe.h"

struct Go {};

// clang-format off
// ---- README
struct Divide { using Reply = int; int a, b; };

struct Divider {
  absl::StatusOr<int> On(Divide d) {             // an error is an answer, too
    if (d.b == 0) return absl::InvalidArgumentError("division by zero");
    return d.a / d.b;
  }
};

struct Client {
  troupe::Recipient<Divide> divider;             // whoever answers a Divide
  void On(Go, troupe::Context& self) {
    divider.Ask(Divide{1, 0}, absl::Seconds(1))  // the handler goes on at once
        .Then(self, [](absl::StatusOr<int> ratio, troupe::Context& self) {   // later, on this actor
          std::cout << ratio.status() << "\n";
          self.Stop();
        });
  }
};
// ---- README
// clang-format on

int main() {
  troupe::System system;
  auto client = system.Spawn<Client>(system.Spawn<Divider>());
  client.Send(Go{});
  return system.Join(client).ok() ? 0 : 1;
}
