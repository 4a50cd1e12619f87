// A program outside of Troupe's tree: one actor, two messages, one question.
#include <iostream>

#include "troupe/troupe.h"

namespace {

struct Add {
  int number;
};

struct Sum {
  using Reply = int;
};

class Adder {
 public:
  void On(Add add) { sum_ += add.number; }
  int On(Sum) { return sum_; }

 private:
  int sum_ = 0;
};

}  // namespace

int main() {
  troupe::System system;
  auto adder = system.Spawn<Adder>();
  adder.Send(Add{40});
  adder.Send(Add{2});
  absl::StatusOr<int> sum = adder.Ask(Sum{}).Wait();
  if (!sum.ok()) {
    std::cout << sum.status() << "\n";
    return 1;
  }
  std::cout << "the sum is " << *sum << "\n";
  return *sum == 42 ? 0 : 1;
}
