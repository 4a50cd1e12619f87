// D. Indirect communication: who talks knows a mailbox.
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"

namespace troupe {
namespace {

TEST_F(MessagePassing, R25_AMailboxHasAUniquePrintableIdentityAndMayHaveAName) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
  auto [unnamed, other] = system_.OpenMailbox<Job>();
  EXPECT_EQ(jobs.ToString().substr(0, 5), "jobs#");
  EXPECT_NE(jobs, unnamed);
  EXPECT_NE(jobs.ToString(), unnamed.ToString());
  EXPECT_EQ(*system_.FindMailbox<Job>("jobs"), jobs);
}

// So many that two would have the same number, were it merely drawn: in two of three runs. (Without a
// sanitizer, which would have too little memory.)
#ifdef TROUPE_SANITIZER
constexpr size_t kMany = 5'000;
#else
constexpr size_t kMany = 100'000;
#endif
TEST_F(MessagePassing, R25_NoTwoOfManyMailboxesPrintAlike) {
  std::unordered_set<std::string> printed;
  std::vector<Receiver<Job>> open;
  while (open.size() < kMany) {
    open.push_back(system_.OpenMailbox<Job>().receiver);
    printed.insert(open.back().ToString());
  }
  EXPECT_EQ(printed.size(), kMany);
}

TEST_F(MessagePassing, R24_TheNameOfAMailboxIsBoundLateAndCanBeRebound) {
  const NamedSender<Job> by_name = system_.FindMailboxLate<Job>("jobs");
  EXPECT_EQ(by_name.Send(Job{0}), SendResult::kClosed) << "no mailbox has it yet";
  auto [first, a] = system_.OpenMailbox<Job>("jobs");
  auto [second, b] = system_.OpenMailbox<Job>("others");
  by_name.Send(Job{1});
  ASSERT_TRUE(system_.RebindMailbox("jobs", second).ok());
  EXPECT_EQ(by_name.TrySend(Job{2}), SendResult::kQueued);
  EXPECT_EQ(by_name.Enqueue(Job{3}).Wait(), absl::OkStatus());
  first.Send(Job{4});
  EXPECT_EQ(Drain(a), (Numbers{1, 4})) << "who holds the sender does not follow";
  EXPECT_EQ(Drain(b), (Numbers{2, 3}));
  EXPECT_EQ(by_name.sender(), second);
  EXPECT_EQ(*system_.FindMailbox<Job>("jobs"), second);
  EXPECT_EQ(*system_.FindMailbox<Job>("others"), second) << "it has both names";
}

TEST_F(MessagePassing, R24_ANameIsFreeOnceItsMailboxHasEnded) {
  auto [first, a] = system_.OpenMailbox<Job>("jobs");
  auto [second, b] = system_.OpenMailbox<Job>();
  const NamedSender<Job> by_name = system_.FindMailboxLate<Job>("jobs");
  ASSERT_TRUE(system_.RebindMailbox("jobs", second).ok());
  a = {};
  EXPECT_EQ(by_name.Send(Job{1}), SendResult::kQueued)
      << "the end of the first one is nothing to it";
  EXPECT_EQ(Drain(b), Numbers{1});
  b = {};
  EXPECT_EQ(by_name.Send(Job{2}), SendResult::kClosed);
  EXPECT_EQ(system_.FindMailbox<Job>("jobs").status().code(), StatusCode::kNotFound);
  auto [third, c] = system_.OpenMailbox<Job>("jobs");
  EXPECT_EQ(by_name.Send(Job{3}), SendResult::kQueued);
  EXPECT_EQ(Drain(c), Numbers{3});
}

TEST_F(MessagePassing, R24_ANameIsForMessagesOfTheTypeOfItsMailbox) {
  auto [jobs, a] = system_.OpenMailbox<Job>("name");
  auto [notes, b] = system_.OpenMailbox<Note>();
  const NamedSender<Job> by_name = system_.FindMailboxLate<Job>("name");
  ASSERT_TRUE(system_.RebindMailbox("name", notes).ok());
  EXPECT_EQ(by_name.Send(Job{1}), SendResult::kClosed);
  EXPECT_EQ(system_.FindMailbox<Job>("name").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(system_.RebindMailbox("", jobs).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(system_.RebindMailbox("x", Sender<Job>()).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(system_.FindMailboxLate<Job>("").Send(Job{1}), SendResult::kClosed);
}

TEST_F(MessagePassing, R24_ManyNamesComeAndGoAndThoseInUseStay) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("jobs");
  auto [kept, other] = system_.OpenMailbox<Job>("kept");
  const NamedSender<Job> held = system_.FindMailboxLate<Job>("held");
  for (int i = 0; i < 1000; ++i) (void)system_.FindMailboxLate<Job>("n" + std::to_string(i));
  EXPECT_EQ(*system_.FindMailbox<Job>("jobs"), jobs);
  ASSERT_TRUE(system_.RebindMailbox("held", kept).ok());
  EXPECT_EQ(held.Send(Job{1}), SendResult::kQueued) << "one that is held is the same one";
  EXPECT_EQ(Drain(other), Numbers{1});
}

TEST_F(MessagePassing, R28_NobodyGetsInWithoutARight) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  EXPECT_FALSE(system_.FindMailbox<Job>(jobs.ToString()).ok()) << "to print it gives no right";
  EXPECT_FALSE(system_.FindMailbox<Job>("").ok());
  EXPECT_FALSE(system_.AttachReceiver<Job>("").ok());
  EXPECT_EQ(Sender<Job>().Send(Job{1}), SendResult::kClosed);
  EXPECT_FALSE(Receiver<Job>().TryReceive().has_value());
  EXPECT_EQ(jobs.stats().sent, 0u);
}

TEST_F(MessagePassing, R32_MoreThanTwoUseAMailboxAndTwoMayHaveSeveral) {
  auto [jobs, a] = system_.OpenMailbox<Job>();
  auto [urgent, second] = system_.OpenMailbox<Job>();
  auto b = *a.Share();
  auto p = Somebody();
  auto q = Somebody();
  Let(p, [jobs = jobs](Context&) { jobs.Send(Job{1}); });
  Let(q, [jobs = jobs](Context&) { jobs.Send(Job{2}); });
  Let(q, [urgent = urgent](Context&) { urgent.Send(Job{9}); });
  EXPECT_EQ(a.TryReceive()->sender, AnyRef(p));
  EXPECT_EQ(b.TryReceive()->sender, AnyRef(q));
  EXPECT_EQ(second.TryReceive()->message.number, 9);
}

// ---- R34: who receives when several wait

class MessagePassingReceivers : public MessagePassing {
 protected:
  void Open(MailboxOptions<Job> options) {
    auto opened = system_.OpenMailbox<Job>("", std::move(options));
    jobs_ = opened.sender;
    rights_.push_back(std::move(opened.receiver));
    rights_.push_back(*rights_[0].Share());
    rights_.push_back(*rights_[0].Share());
    for (int i = 0; i < 3; ++i) who_.push_back(Somebody());
  }
  void StartAnew() {
    rights_.clear();
    who_.clear();
    seen_.assign(3, {});
  }
  // They begin to wait in this order.
  void Wait(std::initializer_list<int> order) {
    for (const int i : order) LetReceive(who_[i], rights_[i], seen_[i]);
  }
  void Send(std::initializer_list<int> numbers) {
    for (const int number : numbers) jobs_.Send(Job{number});
    Run();
  }
  Sender<Job> jobs_;
  std::vector<Receiver<Job>> rights_;
  std::vector<ActorRef<Party>> who_;
  std::vector<Numbers>& seen_ = Keep<std::vector<Numbers>>();
  void SetUp() override { seen_.resize(3); }
};

TEST_F(MessagePassingReceivers, R34_TheMailboxStatesWhoReceivesAndNotWhoSendsOrReceives) {
  for (const Receivers receivers : {Receivers::kFirstCome, Receivers::kRoundRobin}) {
    StartAnew();
    Open({.receivers = receivers});
    Wait({1, 0});
    Send({1, 2});
    const bool by_arrival = receivers == Receivers::kFirstCome;
    EXPECT_EQ(seen_, by_arrival ? (std::vector<Numbers>{{2}, {1}, {}})
                                : (std::vector<Numbers>{{1}, {2}, {}}));
  }
}

TEST_F(MessagePassingReceivers, R35_AtMostTwoInAll) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kExclusivePair});
  EXPECT_EQ(inbox.Share().status().code(), StatusCode::kFailedPrecondition);
  auto& said = Keep<std::vector<SendResult>>();
  for (int i = 0; i < 2; ++i) {
    Let(Somebody(), [&said, jobs = jobs](Context&) { said.push_back(jobs.Send(Job{1})); });
  }
  EXPECT_EQ(said, (std::vector{SendResult::kQueued, SendResult::kNotAllowed}));
}

TEST_F(MessagePassingReceivers, R36_AtMostOneReceivesAtATime) {
  Open({.receivers = Receivers::kOneAtATime});
  Wait({0, 1});
  EXPECT_EQ(seen_[1], Numbers{-static_cast<int>(StatusCode::kFailedPrecondition)}) << "at once";
  Send({7});
  EXPECT_EQ(seen_[0], Numbers{7});
  Wait({2});
  Send({8});
  EXPECT_EQ(seen_[2], Numbers{8});
}

TEST_F(MessagePassingReceivers, R37_OneOfSeveralByArrival) {
  Open({.receivers = Receivers::kFirstCome});
  Wait({2, 0, 1});
  Send({1, 2, 3});
  EXPECT_EQ(seen_, (std::vector<Numbers>{{2}, {3}, {1}}));
}

TEST_F(MessagePassingReceivers, R37_OneOfSeveralInTurn) {
  Open({.receivers = Receivers::kRoundRobin});
  for (int round = 0; round < 3; ++round) {
    Wait({2, 1, 0});
    Send({10 * round, 10 * round + 1, 10 * round + 2});
  }
  EXPECT_EQ(seen_, (std::vector<Numbers>{{0, 10, 20}, {1, 11, 21}, {2, 12, 22}}));
}

TEST_F(MessagePassingReceivers, R37_OneOfSeveralAtRandom) {
  const auto seen_with = [this](uint64_t seed) {
    StartAnew();
    Open({.receivers = Receivers::kRandom, .seed = seed});
    for (int i = 0; i < 60; ++i) {
      Wait({0, 1, 2});
      Send({i});
      for (auto& who : who_) {
        who.Stop();
        Run();
        who = Somebody();
      }
    }
    return seen_;
  };
  const auto seen = seen_with(3);
  for (const Numbers& one : seen) EXPECT_GT(one.size(), 5u);
  EXPECT_EQ(seen_with(3), seen) << "the seed decides";
  EXPECT_NE(seen_with(4), seen);
}

TEST_F(MessagePassingReceivers, R37_OneOfSeveralByKey) {
  Open({.receivers = Receivers::kByKey, .key = [](const Job& job) { return job.number % 32; }});
  for (int i = 0; i < 96; ++i) jobs_.Send(Job{i});
  std::map<int, size_t> whose;
  size_t count = 0;
  for (size_t r = 0; r < rights_.size(); ++r) {
    std::map<int, int> last;
    const Numbers got = Drain(rights_[r]);
    EXPECT_FALSE(got.empty()) << "each has some keys";
    for (const int number : got) {
      ++count;
      EXPECT_EQ(whose.try_emplace(number % 32, r).first->second, r);
      EXPECT_GT(number, std::exchange(last.try_emplace(number % 32, -1).first->second, number));
    }
  }
  EXPECT_EQ(count, 96u);
}

TEST_F(MessagePassingReceivers, R37_AllOfThem) {
  Open({.receivers = Receivers::kAll});
  Send({1, 2});
  for (auto& right : rights_) EXPECT_EQ(Drain(right), (Numbers{1, 2}));
}

}  // namespace
}  // namespace troupe
