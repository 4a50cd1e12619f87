// Actors by name: who has one, who may take it, and who gets what is sent to it.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "tests/runtime/names_elsewhere.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Deposit {
  int64_t cents = 0;
};
struct Balance {
  using Reply = int64_t;
};
struct Cheque {  // move-only
  std::unique_ptr<int64_t> cents;
};
struct Close {};

class Account {
 public:
  void On(Deposit d) { cents_ += d.cents; }
  void On(Cheque c) { cents_ += *c.cents; }
  int64_t On(Balance) const { return cents_; }
  void On(Close, Context& self) { self.Stop(); }

 private:
  int64_t cents_ = 0;
};

constexpr char kAlice[] = "bank/alice";

class NamesTest : public Simulated {
 protected:
  absl::Status BindAlice(const ActorRef<Account>& account) {
    return system_.Bind<Deposit, Balance>(kAlice, account);
  }
  absl::Status RebindAlice(const ActorRef<Account>& account) {
    return system_.Rebind<Deposit, Balance>(kAlice, account);
  }
  void End(const ActorRef<Account>& account) {
    account.Stop();
    Run();
  }
  static int64_t CentsOf(const ActorRef<Account>& account) {
    return account.Ask(Balance{}).Wait().value_or(-1);
  }

  ActorRef<Account> one_ = system_.Spawn<Account>();
  ActorRef<Account> other_ = system_.Spawn<Account>();
};

// ---- Bind and Find

TEST_F(NamesTest, WhoIsBoundIsFound) {
  ASSERT_TRUE(BindAlice(one_).ok());
  const auto found = system_.Find<Balance, Deposit>(kAlice);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(AnyRef(*found), AnyRef(one_));
  EXPECT_EQ(found->Send(Deposit{5}), SendResult::kQueued);
  EXPECT_EQ(found->Ask(Balance{}).Wait().value_or(-1), 5);
}

TEST_F(NamesTest, NobodyIsFoundByANameThatIsNotBound) {
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>(kAlice).status()));
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>("").status()));
}

TEST_F(NamesTest, ANameIsFoundForTheMessagesItWasBoundForOnly) {
  ASSERT_TRUE(BindAlice(one_).ok());
  const absl::Status refused = system_.Find<Deposit, Cheque>(kAlice).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_NE(refused.message().find("Cheque"), std::string::npos) << refused;
}

TEST_F(NamesTest, ARecipientIsBoundAsAnActorIs) {
  const Recipient<Deposit, Balance> recipient = one_;
  ASSERT_TRUE(system_.Bind<Balance>(kAlice, recipient).ok());
  EXPECT_TRUE(system_.Find<Balance>(kAlice).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(system_.Find<Deposit>(kAlice).status()));
}

TEST_F(NamesTest, AnActorMayHaveSeveralNames) {
  ASSERT_TRUE(BindAlice(one_).ok());
  ASSERT_TRUE(system_.Bind<Deposit>("bank/first", one_).ok());
  EXPECT_TRUE(system_.Unbind(kAlice));
  EXPECT_TRUE(system_.Find<Deposit>("bank/first").ok());
}

TEST_F(NamesTest, ANameThatSomebodyAliveHasIsNotGivenAgain) {
  ASSERT_TRUE(BindAlice(one_).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(BindAlice(other_)));
  EXPECT_TRUE(absl::IsAlreadyExists(BindAlice(one_)));
  EXPECT_EQ(AnyRef(*system_.Find<Deposit>(kAlice)), AnyRef(one_));
}

TEST_F(NamesTest, TheEmptyNameAndNobodyAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(system_.Bind<Deposit>("", one_)));
  EXPECT_TRUE(absl::IsInvalidArgument(system_.Rebind<Deposit>("", one_)));
  EXPECT_TRUE(absl::IsInvalidArgument(BindAlice(ActorRef<Account>())));
  EXPECT_TRUE(absl::IsInvalidArgument(RebindAlice(ActorRef<Account>())));
}

TEST_F(NamesTest, ANameWhoseActorHasEndedIsFree) {
  ASSERT_TRUE(BindAlice(one_).ok());
  End(one_);
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>(kAlice).status()));
  EXPECT_FALSE(system_.Unbind(kAlice));
  EXPECT_TRUE(BindAlice(other_).ok());
  EXPECT_EQ(AnyRef(*system_.Find<Deposit>(kAlice)), AnyRef(other_));
}

TEST_F(NamesTest, AnActorThatHasEndedMayBeBoundAndTheNameStaysFree) {
  End(one_);
  EXPECT_TRUE(BindAlice(one_).ok());
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>(kAlice).status()));
  EXPECT_TRUE(BindAlice(other_).ok());
}

TEST_F(NamesTest, UnbindFreesTheName) {
  EXPECT_FALSE(system_.Unbind(kAlice));
  ASSERT_TRUE(BindAlice(one_).ok());
  EXPECT_TRUE(system_.Unbind(kAlice));
  EXPECT_FALSE(system_.Unbind(kAlice));
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>(kAlice).status()));
  EXPECT_TRUE(BindAlice(other_).ok());
}

TEST_F(NamesTest, RebindGivesTheNameAndItsMessagesToAnother) {
  ASSERT_TRUE(BindAlice(one_).ok());
  ASSERT_TRUE(system_.Rebind<Cheque>(kAlice, other_).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(system_.Find<Deposit>(kAlice).status()));
  const auto found = system_.Find<Cheque>(kAlice);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->Send(Cheque{std::make_unique<int64_t>(7)}), SendResult::kQueued);
  EXPECT_EQ(CentsOf(other_), 7);
}

TEST_F(NamesTest, RebindGivesANameThatNobodyHas) {
  EXPECT_TRUE(RebindAlice(one_).ok());
  EXPECT_TRUE(system_.Find<Deposit>(kAlice).ok());
}

TEST_F(NamesTest, WhatWasFoundDoesNotFollowARebind) {
  ASSERT_TRUE(BindAlice(one_).ok());
  const auto found = system_.Find<Deposit>(kAlice);
  ASSERT_TRUE(RebindAlice(other_).ok());
  EXPECT_EQ(found->Send(Deposit{3}), SendResult::kQueued);
  EXPECT_EQ(CentsOf(one_), 3);
}

TEST_F(NamesTest, TheLabelOfAnActorIsNoName) {
  system_.Spawn<Account>(ActorOptions{.name = kAlice});
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>(kAlice).status()));
}

TEST_F(NamesTest, NamesBelongToOneSystem) {
  ManualScheduler loop;
  System elsewhere({.scheduler = &loop});
  ASSERT_TRUE(BindAlice(one_).ok());
  EXPECT_TRUE(absl::IsNotFound(elsewhere.Find<Deposit>(kAlice).status()));
}

struct Private {};

TEST_F(NamesTest, AMessageIsTheSameInEveryTranslationUnit) {
  const auto actor = system_.Spawn([](Shared) {});
  ASSERT_TRUE(system_.Bind<Shared>("shared", actor).ok());
  const auto found = FindSharedElsewhere(system_, "shared");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(AnyRef(*found), AnyRef(actor));
}

TEST_F(NamesTest, MessagesOfOneNameInTwoUnnamedNamespacesAreTwo) {
  const auto actor = system_.Spawn([](Private) {});
  ASSERT_TRUE(system_.Bind<Private>("private", actor).ok());
  EXPECT_TRUE(system_.Find<Private>("private").ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(FindPrivateElsewhere(system_, "private")));
}

TEST_F(NamesTest, AfterShutdownEveryNameIsFree) {
  ASSERT_TRUE(BindAlice(one_).ok());
  ASSERT_TRUE(system_.Shutdown(absl::Seconds(1)).complete);
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>(kAlice).status()));
}

// What is dropped when there are many is not what somebody has or waits for.
TEST_F(NamesTest, NamesInUseOutliveManyThatAreNot) {
  const auto early = system_.FindLate<Deposit>("later");
  ASSERT_TRUE(BindAlice(one_).ok());
  for (int i = 0; i < 1000; ++i) {
    auto guest = system_.Spawn<Account>();
    ASSERT_TRUE(system_.Bind<Deposit>("guest/" + std::to_string(i), guest).ok());
    End(guest);
  }
  EXPECT_TRUE(system_.Find<Deposit>(kAlice).ok());
  ASSERT_TRUE(system_.Bind<Deposit>("later", other_).ok());
  EXPECT_EQ(early.Send(Deposit{1}), SendResult::kQueued);
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>("guest/0").status()));
}

// ---- in a handler

struct Move {
  std::string from;
  std::string to;
};
struct Clerk {  // names itself, and uses all there is
  explicit Clerk(ActorRef<Account> account) : account(account) {}
  void OnStart(Context& self) { EXPECT_TRUE(self.Bind<Move>("clerk", self.ref(this)).ok()); }
  void On(Move move, Context& self) {
    auto late = self.FindLate<Deposit>(move.to);
    EXPECT_EQ(late.Send(Deposit{1}), SendResult::kClosed);
    EXPECT_TRUE(self.Find<Deposit>(move.from).ok());
    EXPECT_TRUE(self.Unbind(move.from));
    EXPECT_TRUE(self.Rebind<Deposit>(move.to, account).ok());
    EXPECT_EQ(late.Send(Deposit{2}), SendResult::kQueued);
  }
  ActorRef<Account> account;
};

TEST_F(NamesTest, HandlersUseTheNamesOfTheirSystem) {
  ASSERT_TRUE(BindAlice(one_).ok());
  system_.Spawn<Clerk>(one_);
  Run();
  ASSERT_TRUE(system_.Find<Move>("clerk").ok());
  system_.Find<Move>("clerk")->Send(Move{kAlice, "bank/al"});
  Run();
  EXPECT_EQ(AnyRef(*system_.Find<Deposit>("bank/al")), AnyRef(one_));
  EXPECT_TRUE(absl::IsNotFound(system_.Find<Deposit>(kAlice).status()));
  EXPECT_EQ(CentsOf(one_), 2);
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 1u) << "what the clerk sent to nobody";
}

// ---- bound late

class NamedRecipientTest : public NamesTest {
 protected:
  const NamedRecipient<Deposit, Balance, Cheque> late_ =
      system_.FindLate<Deposit, Balance, Cheque>(kAlice);
};

TEST_F(NamedRecipientTest, BeforeTheFirstBindItIsClosed) {
  EXPECT_EQ(late_.Send(Deposit{1}), SendResult::kClosed);
  EXPECT_EQ(late_.TrySend(Deposit{1}), SendResult::kClosed);
  EXPECT_TRUE(absl::IsUnavailable(late_.Ask(Balance{}).Wait().status()));
}

TEST_F(NamedRecipientTest, ItFollowsBindRebindAndUnbind) {
  ASSERT_TRUE(BindAlice(one_).ok());
  EXPECT_EQ(late_.Send(Deposit{1}), SendResult::kQueued);
  ASSERT_TRUE(RebindAlice(other_).ok());
  EXPECT_EQ(late_.TrySend(Deposit{20}), SendResult::kQueued);
  EXPECT_EQ(late_.Ask(Balance{}).Wait().value_or(-1), 20);
  EXPECT_TRUE(system_.Unbind(kAlice));
  EXPECT_EQ(late_.Send(Deposit{300}), SendResult::kClosed);
  ASSERT_TRUE(BindAlice(one_).ok());
  EXPECT_EQ(late_.Ask(Balance{}).Wait().value_or(-1), 1);
}

TEST_F(NamedRecipientTest, AMessageTheNameWasNotBoundForIsClosed) {
  ASSERT_TRUE(BindAlice(one_).ok());
  EXPECT_EQ(late_.Send(Cheque{std::make_unique<int64_t>(1)}), SendResult::kClosed);
  ASSERT_TRUE(system_.Rebind<Cheque>(kAlice, one_).ok());
  EXPECT_EQ(late_.Send(Cheque{std::make_unique<int64_t>(1)}), SendResult::kQueued);
  EXPECT_EQ(late_.Send(Deposit{1}), SendResult::kClosed);
}

TEST_F(NamedRecipientTest, WhatIsSentToAnEndedActorIsHisDeadLetter) {
  ASSERT_TRUE(BindAlice(one_).ok());
  End(one_);
  EXPECT_EQ(late_.Send(Deposit{1}), SendResult::kClosed);
  EXPECT_TRUE(absl::IsUnavailable(late_.Ask(Balance{}).Wait().status()));
  ASSERT_EQ(letters_.size(), 2u);
  EXPECT_EQ(letters_[0].target, AnyRef(one_));
  ASSERT_TRUE(BindAlice(other_).ok());
  EXPECT_EQ(late_.Send(Deposit{1}), SendResult::kQueued);
}

TEST_F(NamedRecipientTest, AnAskGoesToWhoHadTheNameWhenItWasMade) {
  ASSERT_TRUE(BindAlice(one_).ok());
  one_.Send(Deposit{1});
  auto ask = late_.Ask(Balance{});
  ASSERT_TRUE(RebindAlice(other_).ok());
  EXPECT_EQ(std::move(ask).Wait().value_or(-1), 1);
}

TEST_F(NamedRecipientTest, ItNarrowsToFewerMessages) {
  const NamedRecipient<Deposit> narrow = late_;
  ASSERT_TRUE(BindAlice(one_).ok());
  EXPECT_EQ(narrow.Send(Deposit{1}), SendResult::kQueued);
}

TEST_F(NamedRecipientTest, OfNoNameItIsClosed) {
  EXPECT_EQ(NamedRecipient<Deposit>().Send(Deposit{1}), SendResult::kClosed);
  EXPECT_EQ(system_.FindLate<Deposit>("").Send(Deposit{1}), SendResult::kClosed);
}

TEST_F(NamedRecipientTest, AFullMailboxRefusesAsItDoesWithoutAName) {
  const auto small = system_.Spawn<Account>(ActorOptions{.capacity = 1});
  ASSERT_TRUE(RebindAlice(small).ok());
  EXPECT_EQ(late_.TrySend(Deposit{1}), SendResult::kQueued);
  EXPECT_EQ(late_.TrySend(Deposit{1}), SendResult::kFull);
}

// More messages than a table has room for at first.
template <int n>
struct Numbered {};
struct Many {
  template <int n>
  void On(Numbered<n>) {
    last = n;
  }
  int64_t On(Balance) const { return last; }
  int64_t last = 0;
};

TEST_F(NamedRecipientTest, ANameCarriesAnyNumberOfMessages) {
  const auto many = system_.FindLate<Numbered<1>, Numbered<9>>("many");
  const auto actor = system_.Spawn([](Numbered<9>) {});
  ASSERT_TRUE(system_.Bind<Numbered<9>>("many", actor).ok());
  const auto all = system_.Spawn<Many>();
  ASSERT_TRUE((system_.Rebind<Numbered<1>, Numbered<2>, Numbered<3>, Numbered<4>, Numbered<5>,
                              Numbered<6>, Numbered<7>, Numbered<8>, Numbered<9>>("many", all))
                  .ok());
  EXPECT_EQ(many.Send(Numbered<9>{}), SendResult::kQueued);
  EXPECT_EQ(all.Ask(Balance{}).Wait().value_or(-1), 9);
  EXPECT_EQ(system_.Find<Numbered<5>>("many")->Send(Numbered<5>{}), SendResult::kQueued);
  EXPECT_EQ(all.Ask(Balance{}).Wait().value_or(-1), 5);
}

// ---- while the name changes hands

struct Number {
  uint64_t n;
};
struct Again {  // the same, of another type
  uint64_t n;
};

// Counts, and knows an object of another class when it is called on one.
template <char kTag>
class Counter {
 public:
  explicit Counter(std::atomic<uint64_t>& handled) : handled_(handled) {}
  void On(Number m) { Count(m.n); }
  void On(Again m) { Count(m.n); }

 private:
  void Count(uint64_t n) {
    EXPECT_EQ(tag_, kTag);
    EXPECT_GE(n, next_) << "one sender's messages, of both types, keep their order";
    next_ = n + 1;
    handled_.fetch_add(1);
  }
  std::atomic<uint64_t>& handled_;
  uint64_t next_ = 0;
  volatile char tag_ = kTag;  // volatile: or the compiler knows what it is
};

TEST(NamesInThreadsTest, WhileANameChangesHandsEveryMessageReachesOneWhoHadIt) {
  System system({.workers = 2});
  std::atomic<uint64_t> handled{0};
  const auto a = system.Spawn<Counter<'a'>>(handled);
  const auto b = system.Spawn<Counter<'b'>>(handled);
  ASSERT_TRUE((system.Bind<Number, Again>("counter", a).ok()));
  std::atomic<bool> running{true};
  std::jthread changer([&] {
    while (running.load()) {
      EXPECT_TRUE((system.Rebind<Again, Number>("counter", b).ok()));
      EXPECT_TRUE((system.Rebind<Number, Again>("counter", a).ok()));
    }
  });
  std::jthread finder([&] {
    while (running.load()) EXPECT_TRUE((system.Find<Number, Again>("counter").ok()));
  });
  const auto late = system.FindLate<Number, Again>("counter");
  constexpr uint64_t kMessages = 100'000;
  for (uint64_t n = 0; n < kMessages; n += 2) {
    EXPECT_EQ(late.Send(Number{n}), SendResult::kQueued);
    EXPECT_EQ(late.Send(Again{n + 1}), SendResult::kQueued);
  }
  running.store(false);
  changer.join();
  finder.join();
  a.Stop(StopWhen::kDrained);
  b.Stop(StopWhen::kDrained);
  EXPECT_TRUE(system.Join(a, absl::Minutes(5)).ok());
  EXPECT_TRUE(system.Join(b, absl::Minutes(5)).ok());
  EXPECT_EQ(handled.load(), kMessages);
}

TEST(NamesInThreadsTest, OfThoseWhoBindAFreeNameAtOnceOneGetsIt) {
  System system({.workers = 1});
  const auto account = system.Spawn<Account>();
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> given{0};
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { given += system.Bind<Deposit>("name", account).ok(); });
      }
    }
    EXPECT_EQ(given.load(), 1);
    EXPECT_TRUE(system.Unbind("name"));
  }
}

}  // namespace
}  // namespace troupe
