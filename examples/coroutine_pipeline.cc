// A pipeline whose stages wait for each other without holding a thread: price a cart by asking a
// catalogue and, at the same time, a tax office that is slow and sometimes fails.
//
//   ./bazelw run //examples:coroutine_pipeline

#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "troupe/troupe.h"

struct Price {
  using Reply = int;  // cents
  std::string article;
};
struct Tax {
  using Reply = int;
  int cents;
};
struct Total {
  using Reply = int;
  std::vector<std::string> cart;
};

class Catalogue {
 public:
  absl::StatusOr<int> On(const Price& price) {
    auto found = prices_.find(price.article);
    if (found == prices_.end()) return absl::NotFoundError("no " + price.article);
    return found->second;
  }

 private:
  std::map<std::string, int> prices_{{"apples", 250}, {"bread", 320}, {"cheese", 890}};
};

class TaxOffice {
 public:
  troupe::Task<absl::StatusOr<int>> On(Tax tax) {
    co_await troupe::Sleep(absl::Milliseconds(2));  // it takes its time, but no thread
    if (++asked_ % 2 == 1) co_return absl::UnavailableError("come back later");
    co_return tax.cents * 7 / 100;
  }

 private:
  int asked_ = 0;
};

class Cashier {
 public:
  Cashier(troupe::Recipient<Price> catalogue, troupe::Recipient<Tax> office)
      : catalogue_(catalogue), office_(office) {}

  troupe::Task<absl::StatusOr<int>> On(Total total) {
    std::vector<troupe::PendingAsk<int>> asks;
    for (std::string& article : total.cart) asks.push_back(catalogue_.Ask(Price{article}));
    int sum = 0;
    for (absl::StatusOr<int>& cents : co_await troupe::AllOf(std::move(asks))) {
      if (!cents.ok()) co_return cents.status();
      sum += *cents;
    }
    co_return sum + co_await TaxOn(sum);
  }

 private:
  // A task of its own, awaited by the handler.
  troupe::Task<int> TaxOn(int cents) {
    for (;;) {
      absl::StatusOr<int> tax = co_await office_.Ask(Tax{cents});
      if (tax.ok()) co_return *tax;
      std::cout << "tax office: " << tax.status().message() << "\n";
    }
  }

  troupe::Recipient<Price> catalogue_;
  troupe::Recipient<Tax> office_;
};

int main() {
  troupe::System system;
  auto cashier = system.Spawn<Cashier>(system.Spawn<Catalogue>(), system.Spawn<TaxOffice>());
  const int total = cashier.Ask(Total{{"apples", "cheese"}}).Wait().value();
  std::cout << "total: " << total << "\n";
  std::cout << cashier.Ask(Total{{"bread", "caviar"}}).Wait().status().message() << "\n";
}
