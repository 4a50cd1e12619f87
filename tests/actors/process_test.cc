#include "troupe/actors/process.h"

#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {
using Notes = std::vector<std::string>;
struct Order { std::string item; };
struct Ack { int n; };
class ProcessTest : public Simulated {
 protected:
  Notes& notes_ = Keep<Notes>();
};
Task<> Clerk(Process<Order, Ack>& self, AnyRef warehouse, Notes* notes) {
  for (;;) {
    auto [order, from] = co_await self.Receive<Order>();
    notes->push_back(order.item);
    auto ack = co_await self.ReceiveFrom<Ack>(warehouse);
    if (!ack.ok()) co_return;
    notes->push_back(std::to_string(ack->message.n));
  }
}
TEST_F(ProcessTest, First) {
  auto clerk = system_.Spawn(Clerk, AnyRef(), &notes_);
  clerk.Send(Order{"a"});
  clerk.Send(Ack{1});
  Run();
  EXPECT_EQ(notes_, (Notes{"a", "1"}));
  clerk.Stop();
  Run();
}
}  // namespace
}  // namespace troupe
