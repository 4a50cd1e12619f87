// ./bazelw test //examples:unit_test
//
// How to test an actor: the kit in troupe/testing/ stands in for those that it talks to, and for
// the clock. No threads, no sleeping; an hour takes no time.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/matchers.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

using troupe::testing::FailTest;
using troupe::testing::IsOk;
using troupe::testing::IsOkAndHolds;
using troupe::testing::Probe;

struct Order {
  int cents;
};
struct Charge {               // asked of the bank:
  using Reply = std::string;  // the number of a receipt
  int cents;
};
struct Ship {
  std::string receipt;
};
struct CountShipped {
  using Reply = int;
};

// The actor under test: ships what is paid for, and tries again if the bank does not answer.
class Shop {
 public:
  Shop(troupe::Recipient<Charge> bank, troupe::Recipient<Ship> warehouse)
      : bank_(bank), warehouse_(warehouse) {}

  void On(Order order, troupe::Context& self) {
    bank_.Ask(Charge{order.cents}, absl::Seconds(10))
        .Then(self, [this, order](absl::StatusOr<std::string> receipt, troupe::Context& self) {
          if (!receipt.ok()) return void(self.SendAfter(absl::Hours(1), self.ref(this), order));
          warehouse_.Send(Ship{*receipt});
          ++shipped_;
        });
  }
  int On(CountShipped) { return shipped_; }

 private:
  troupe::Recipient<Charge> bank_;
  troupe::Recipient<Ship> warehouse_;
  int shipped_ = 0;
};

class ShopTest : public ::testing::Test {
 protected:
  troupe::testing::TestSystem system_{{.on_complaint = FailTest}};  // no message is lost unnoticed
  Probe<Charge> bank_{system_, "bank"};
  Probe<Ship> warehouse_{system_, "warehouse"};
  troupe::ActorRef<Shop> shop_ = system_.Spawn<Shop>(bank_.ref(), warehouse_.ref());
};

TEST_F(ShopTest, ShipsWhatIsPaidFor) {
  bank_.ReplyWith<Charge>("receipt 7");  // every Charge, at once
  shop_.Send(Order{500});
  EXPECT_THAT(warehouse_.Expect<Ship>(), IsOk());
  EXPECT_THAT(shop_.Ask(CountShipped{}).Wait(), IsOkAndHolds(1));
}

TEST_F(ShopTest, TriesAgainAnHourAfterTheBankWasSilent) {
  shop_.Send(Order{500});
  auto silent = bank_.Expect<Charge>();  // with the reply, which we keep and do not give
  EXPECT_THAT(bank_.ExpectNothing(absl::Hours(1)), IsOk());
  auto again = bank_.Expect<Charge>(absl::Seconds(10));
  ASSERT_THAT(again, IsOk());
  again->reply.Send("receipt 8");
  EXPECT_THAT(warehouse_.Expect<Ship>(),
              IsOkAndHolds(::testing::Field(&Ship::receipt, "receipt 8")));
}
