// C. Direct communication: who talks knows whom he talks to.
#include <algorithm>
#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"

namespace troupe {
namespace {

TEST_F(MessagePassing, R17_SendNamesTheReceiver) {
  auto& a = Keep<Numbers>();
  auto& b = Keep<Numbers>();
  auto p = system_.Spawn([&a](Job job) { a.push_back(job.number); });
  auto q = system_.Spawn([&b](Job job) { b.push_back(job.number); });
  p.Send(Job{1});
  q.Send(Job{2});
  Run();
  EXPECT_EQ(a, Numbers{1});
  EXPECT_EQ(b, Numbers{2});
}

using Clerk = Process<Job, Note>;
Task<> ReceivesFromOne(Clerk& self, AnyRef* q, Words* seen) {
  (void)co_await self.Receive<Note>();
  for (int i = 0; i < 2; ++i) {
    auto job = co_await self.ReceiveFrom<Job>(*q);
    seen->push_back("q" + std::to_string(job->message.number));
  }
  for (;;) seen->push_back(std::to_string((co_await self.Receive<Job>()).message.number));
}

// That the cost does not grow with the backlog of others is by construction (F1 of message_file.h: who
// is asked for has a chain of his own), and no count of messages looked at tells: none is. So it is a
// measurement, of tests/bench/micro/processes.cc.
TEST_F(MessagePassing, R18_ReceiveFromTheNamedProcessOnly) {
  auto& seen = Keep<Words>();
  auto& named = Keep<AnyRef>();
  auto p = system_.Spawn(ReceivesFromOne, &named, &seen);
  auto q = Somebody();
  auto other = Somebody();
  named = q;
  const auto send = [&](const ActorRef<Party>& who, int number) {
    Let(who, [p, number](Context&) { p.Send(Job{number}); });
  };
  for (int i = 1; i <= 100; ++i) send(other, i);
  send(q, 1);
  p.Send(Note{"go"});
  Run();
  EXPECT_EQ(seen, Words{"q1"}) << "the others stay queued";
  send(q, 2);
  ASSERT_EQ(seen.size(), 102u);
  EXPECT_EQ(seen[1], "q2");
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(seen[i + 1], std::to_string(i)) << "in order";
}

TEST_F(MessagePassing, R19_TheIdentityIsEnoughAndNobodyConnectsFirst) {
  auto& seen = Keep<Numbers>();
  auto p = system_.Spawn([&seen](Job job) { seen.push_back(job.number); });
  ASSERT_TRUE(system_.Bind<Job>("p", p).ok());
  auto q = Somebody();
  Let(q, [](Context& self) { self.Find<Job>("p")->Send(Job{1}); });
  EXPECT_EQ(seen, Numbers{1});
  EXPECT_EQ(system_.Find<Job>("nobody").status().code(), StatusCode::kNotFound);
}

template <class T>
constexpr bool kHasShare = requires(T& t) { t.Share(); };
template <class T>
constexpr bool kHasSender = requires(T& t) { t.sender(); };

TEST_F(MessagePassing, R20_ALinkOfExactlyTwo) {
  using End = ChannelEnd<Job, Note>;
  static_assert(std::move_constructible<End> && !std::copy_constructible<End> &&
                !std::is_copy_assignable_v<End>);
  static_assert(!kHasShare<End> && !kHasSender<End> && kHasShare<Receiver<Job>>);
  auto [a, b] = OpenChannel<Job, Note>(system_);
  a.Send(Job{7});
  auto job = b.TryReceive();
  ASSERT_TRUE(job.has_value());
  b.Send(Note{std::to_string(job->message.number)});
  EXPECT_EQ(a.TryReceive()->message.text, "7");
  auto taken = std::move(b);
  EXPECT_FALSE(b);
  EXPECT_EQ(b.Send(Note{"no more mine"}), SendResult::kClosed);
  taken = {};
  EXPECT_EQ(a.Send(Job{8}), SendResult::kClosed) << "the other learns of the end";
}

// A player of a game for two: it makes moves by the link, and notes those that come and from whom.
struct Rank {
  using Reply = int;
};
struct Player {
  Numbers* seen;
  std::vector<AnyRef>* senders;
  void On(Job job, Context& self) {
    seen->push_back(job.number);
    senders->push_back(self.sender());
  }
  int On(Rank) { return static_cast<int>(seen->size()); }
  void On(Do act, Context& self) { act.what(self); }
};
using Game = DirectLink<Job, Rank>;

class MessagePassingDirect : public MessagePassing {
 protected:
  void Play(const ActorRef<Player>& who, std::function<void(Context&)> act) {
    who.Send(Do{std::move(act)});
    Run();
  }
  ActorRef<Player> NewPlayer(Numbers& seen) {
    return system_.Spawn<Player>(&seen, &Keep<std::vector<AnyRef>>());
  }
  // What became of a send by `who` is noted.
  SendResult& LetSendBy(const ActorRef<Party>& who, const Game& link) {
    auto& result = Keep<SendResult>();
    Let(who, [&result, link](Context&) { result = link.Send(Job{9}); });
    return result;
  }

  Numbers& ps_ = Keep<Numbers>();
  Numbers& qs_ = Keep<Numbers>();
  ActorRef<Player> p_ = NewPlayer(ps_);
  ActorRef<Player> q_ = NewPlayer(qs_);
};

TEST_F(MessagePassingDirect, R21_BetweenAPairThereIsExactlyOneLink) {
  const Game link(p_, q_);
  EXPECT_EQ(link, Game(p_, q_));
  EXPECT_EQ(link, Game(q_, p_)) << "in either order";
  EXPECT_EQ(link.ToString(), Game(q_, p_).ToString());
  EXPECT_EQ(absl::HashOf(link), absl::HashOf(Game(q_, p_)));
  Numbers& others = Keep<Numbers>();
  const Game other(p_, NewPlayer(others));
  EXPECT_NE(link, other) << "another pair has another";
  Play(p_, [this, other](Context&) {
    Game(p_, q_).Send(Job{1});
    other.Send(Job{3});
    Game(q_, p_).TrySend(Job{2});
  });
  EXPECT_EQ(qs_, (Numbers{1, 2})) << "so all that one sends to the other is in one order";
  EXPECT_EQ(others, Numbers{3});
}

TEST_F(MessagePassingDirect, R21_TheLinkIsTheSameObjectForBothAndLeadsToTheOther) {
  const Game link(p_, q_);
  auto& rank = Keep<int>();
  Play(p_, [this, link](Context&) {
    EXPECT_EQ(AnyRef(link.peer()), AnyRef(q_));
    link.Send(Job{1});
  });
  Play(q_, [link, &rank](Context& self) {
    link.Send(Job{2});
    link.Ask(Rank{}).Then(self, [&rank](absl::StatusOr<int> got) { rank = got.value_or(-1); });
  });
  EXPECT_EQ(qs_, Numbers{1});
  EXPECT_EQ(ps_, Numbers{2});
  EXPECT_EQ(rank, 1);
}

TEST_F(MessagePassingDirect, R21_NobodyElseGetsIntoTheLink) {
  const Game link(p_, q_);
  EXPECT_EQ(LetSendBy(Somebody(), link), SendResult::kNotAllowed);
  EXPECT_EQ(link.Send(Job{9}), SendResult::kNotAllowed) << "a plain thread is nobody's end";
  EXPECT_EQ(LettersFor(DeadLetterReason::kNotAllowed), 2u);
  EXPECT_FALSE(link.peer());
  auto& told = Keep<StatusCode>();
  Let(Somebody(), [link, &told](Context& self) {
    link.Ask(Rank{}).Then(self, [&told](absl::StatusOr<int> got) { told = got.status().code(); });
  });
  EXPECT_EQ(told, StatusCode::kPermissionDenied);
  EXPECT_TRUE(ps_.empty() && qs_.empty());
  EXPECT_EQ(Game().Send(Job{9}), SendResult::kClosed);
}

TEST_F(MessagePassingDirect, R21_TheLinkEndsWithEitherEnd) {
  const Game link(p_, q_);
  q_.Stop();
  Run();
  auto& result = Keep<SendResult>();
  Play(p_, [&result, link](Context&) { result = link.Send(Job{1}); });
  EXPECT_EQ(result, SendResult::kClosed);
}

TEST_F(MessagePassing, R22_TheReceiverNamesNobodyAndLearnsWhoItWas) {
  auto& senders = Keep<std::vector<AnyRef>>();
  auto handler =
      system_.Spawn([&senders](Job, Context& self) { senders.push_back(self.sender()); });
  auto process = system_.Spawn(
      [](Process<Job>& self, std::vector<AnyRef>* seen) -> Task<> {
        for (;;) {
          auto [job, from] = co_await self.Receive<Job>();
          seen->push_back(from);
        }
      },
      &senders);
  auto q = Somebody();
  Let(q, [handler](Context&) { handler.Send(Job{1}); });
  Let(q, [process](Context&) { process.Send(Job{2}); });
  EXPECT_EQ(senders, (std::vector<AnyRef>{q, q}));
}

TEST_F(MessagePassing, R24_ANameIsBoundLateAndCanBeRebound) {
  auto& seen = Keep<Words>();
  const auto cart = [&](const char* whose) {
    return system_.Spawn(
        [&seen, whose](Job job) { seen.push_back(whose + std::to_string(job.number)); });
  };
  const NamedRecipient<Job> by_name = system_.FindLate<Job>("cart");
  EXPECT_EQ(by_name.Send(Job{0}), SendResult::kClosed) << "nobody has it yet";
  auto first = cart("a");
  ASSERT_TRUE(system_.Bind<Job>("cart", first).ok());
  const Recipient<Job> by_ref = *system_.Find<Job>("cart");
  by_name.Send(Job{1});
  ASSERT_TRUE(system_.Rebind<Job>("cart", cart("b")).ok());
  by_name.Send(Job{2});
  by_ref.Send(Job{3});
  Run();
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (Words{"a1", "a3", "b2"}));
}

}  // namespace
}  // namespace troupe
