// ./bazelw run //examples:scatter_gather
//
// Three sellers, and the first who has the thing gets the order: ask all, take the first good
// answer. Then a pool that works off a list, and replaces a worker that breaks.
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "troupe/troupe.h"

struct Offer {
  using Reply = std::string;
  std::string thing;
};

class Seller {
 public:
  Seller(std::string name, std::map<std::string, int> stock)
      : name_(std::move(name)), stock_(std::move(stock)) {}

  absl::StatusOr<std::string> On(const Offer& wanted) {
    auto found = stock_.find(wanted.thing);
    if (found == stock_.end()) return absl::NotFoundError(name_ + " has no " + wanted.thing);
    return name_ + " sells a " + wanted.thing + " for " + std::to_string(found->second);
  }

 private:
  std::string name_;
  std::map<std::string, int> stock_;
};

struct Divide {
  using Reply = int;
  int by;
};

class Divider {
 public:
  int On(Divide m) {
    if (m.by == 0) throw std::domain_error("division by zero");
    return 60 / m.by;
  }
};

int main() {
  troupe::System system;

  // A group: actors that somebody else owns. Add and Remove them at any time.
  using Stock = std::map<std::string, int>;
  troupe::Group<Offer> sellers;
  sellers.Add(system.Spawn<Seller>("Ann", Stock{{"hat", 20}}));
  sellers.Add(system.Spawn<Seller>("Ben", Stock{{"shoe", 35}}));
  sellers.Add(system.Spawn<Seller>("Cleo", Stock{{"coat", 80}}));
  for (const char* thing : {"shoe", "coat", "crown"}) {
    absl::StatusOr<std::string> offer = sellers.AskFirst(Offer{thing}, absl::Seconds(2)).Wait();
    std::cout << (offer.ok() ? *offer : "nobody has a " + std::string(thing)) << "\n";
  }

  // A pool: workers of its own, here two, each in turn.
  auto dividers = troupe::SpawnPool<Divider, Divide>(system, troupe::RoundRobin{}, {.size = 2});
  for (int by : {3, 0, 4}) {
    absl::StatusOr<int> result = dividers.Ask(Divide{by}).Wait();
    std::cout << "60 / " << by << ": "
              << (result.ok() ? std::to_string(*result) : std::string(result.status().message()))
              << "\n";
  }
}
