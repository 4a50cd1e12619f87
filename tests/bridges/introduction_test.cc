// A ref of one node that a second has goes on to a third.
#include <gtest/gtest.h>

#include <future>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/bridges/sites.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

class IntroductionTest : public testing::Test {
 protected:
  explicit IntroductionTest(NodeOptions a = {}, NodeOptions b = {})
      : a_(std::move(a)), b_(std::move(b)) {}

  // What c has of it.
  Recipient<Job> Introduce(const Recipient<Job>& to) {
    a_to_b_.Send(KeepRecipient{to});
    b_to_c_.Send(KeepRecipient{b_.recipient->get_future().get()});
    return c_.recipient->get_future().get();
  }

  Site a_;
  Site b_;
  Site c_;
  Peer b_of_a_ = Connect(a_, b_);
  Peer c_of_b_ = Connect(b_, c_);
  Desk a_to_b_ = FindDesk(b_of_a_);
  Desk b_to_c_ = FindDesk(c_of_b_);
};

TEST_F(IntroductionTest, MessagesGoByWhoIntroducedInOrder) {
  std::promise<Numbers> done;
  const auto recorder = a_.system.Spawn([&done, seen = Numbers()](Job job) mutable {
    seen.push_back(job.number);
    if (seen.size() == 5000) done.set_value(std::move(seen));
  });
  const Recipient<Job> there = Introduce(recorder);
  for (int i = 1; i <= 5000; ++i) ASSERT_EQ(there.Send(Job{i}), SendResult::kQueued);
  EXPECT_EQ(done.get_future().get(), UpTo(5000));
}

TEST_F(IntroductionTest, ARefThatComesHomeTheWayItWentIsTheActorsOwn) {
  const auto worker = a_.system.Spawn([](Job) {});
  const Recipient<Job> at_c = Introduce(worker);
  // From c to b, which has found it at a.
  const auto c_to_b = FindDesk(Connect(c_, b_));
  const auto from_c = c_to_b.Ask(KeepRecipient{at_c}, kLong).Wait();
  ASSERT_TRUE(from_c.ok()) << from_c.status();
  EXPECT_EQ(AnyRef(*from_c), AnyRef(at_c)) << "and back";
  const auto from_b = a_to_b_.Ask(KeepRecipient{worker}, kLong).Wait();
  ASSERT_TRUE(from_b.ok()) << from_b.status();
  EXPECT_EQ(AnyRef(*from_b), AnyRef(worker));
}

TEST_F(IntroductionTest, OverAnotherConnectionItLeadsToTheActorAndIsNotItself) {
  std::promise<int> told;
  const auto worker = a_.system.Spawn([&told](Job job) { told.set_value(job.number); });
  const Recipient<Job> at_c = Introduce(worker);
  FindDesk(Connect(c_, a_)).Send(KeepRecipient{at_c});
  const Recipient<Job> at_a = a_.recipient->get_future().get();
  EXPECT_NE(AnyRef(at_a), AnyRef(worker));
  at_a.Send(Job{7});  // to c, to b, and home
  EXPECT_EQ(told.get_future().get(), 7);
}

TEST_F(IntroductionTest, TheEndOfTheActorIsToldAsThat) {
  const auto worker =
      a_.system.Spawn([](Job, Context& self) { self.Fail(absl::OutOfRangeError("no more")); });
  const Recipient<Job> there = Introduce(worker);
  std::promise<Down> told;
  struct Watcher {
    Recipient<Job> whom;
    std::promise<Down>* told;
    void OnStart(Context& self) {
      self.Watch(whom);
      whom.Send(Job{1});
    }
    void On(Down down) { told->set_value(std::move(down)); }
  };
  c_.system.Spawn(Watcher{there, &told});
  const Down down = told.get_future().get();
  EXPECT_EQ(down.reason, ExitReason::kFailed);
  EXPECT_EQ(down.status.code(), absl::StatusCode::kOutOfRange) << down.status;
  EXPECT_FALSE(IsNodeLost(down.status));
}

TEST_F(IntroductionTest, ItEndsWithWhoIntroduced) {
  const auto worker = a_.system.Spawn([](Job) {});
  const Recipient<Job> there = Introduce(worker);
  c_of_b_.Disconnect();
  EXPECT_TRUE(c_.system.Join(there, kLong).ok());
  EXPECT_EQ(there.Send(Job{1}), SendResult::kClosed);
  EXPECT_EQ(worker.Send(Job{2}), SendResult::kQueued);
}

TEST_F(IntroductionTest, AMailboxIsReachedThatWayToo) {
  auto [jobs, inbox] = a_.system.OpenMailbox<Job>();
  a_to_b_.Send(KeepSender{jobs});
  b_to_c_.Send(KeepSender{b_.sender->get_future().get()});
  const Sender<Job> there = c_.sender->get_future().get();
  for (int i = 1; i <= 3000; ++i) ASSERT_EQ(there.Send(Job{i}), SendResult::kQueued);
  EXPECT_EQ(Receive(inbox, 3000), UpTo(3000));
  inbox = Receiver<Job>();
  EXPECT_TRUE(there.Closed(kLong).Wait().ok());
}

class SmallIntroductionTest : public IntroductionTest {
 protected:
  SmallIntroductionTest() : IntroductionTest({.window = 1000}, {.capacity = 2, .window = 2000}) {}
};

// What waits at b for a is bounded by the window that b gives c, whatever b's capacity.
TEST_F(SmallIntroductionTest, WhoIntroducedLosesNothingOfAFastSender) {
  std::promise<Numbers> done;
  std::promise<void> go;
  std::shared_future<void> may_go = go.get_future().share();
  const auto slow = a_.system.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                    [&done, may_go, seen = Numbers()](Job job) mutable {
                                      may_go.wait();
                                      seen.push_back(job.number);
                                      if (seen.size() == 1500) done.set_value(std::move(seen));
                                    });
  const Recipient<Job> there = Introduce(slow);
  auto sending = std::async(std::launch::async, [&] {
    for (int i = 1; i <= 1500; ++i) EXPECT_EQ(there.Send(Job{i}), SendResult::kQueued);
  });
  go.set_value();
  sending.get();
  EXPECT_EQ(done.get_future().get(), UpTo(1500));
  EXPECT_EQ(b_.dead_letters(), 0u);
}

}  // namespace
}  // namespace troupe
