#include <cstdint>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using RefTest = Simulated;

struct Hello {};
struct Bye {};
struct Count {
  using Reply = int;
};

class Greeter {
 public:
  void On(Hello) { ++count_; }
  void On(Bye, Context& self) { self.Stop(); }
  int On(Count) const { return count_; }

 private:
  int count_ = 0;
};
class Other {
 public:
  void On(Hello) { ++greeted; }
  static inline int greeted = 0;
};

static_assert(sizeof(AnyRef) == 16 && sizeof(ActorRef<Greeter>) == 16);
static_assert(std::is_trivially_copyable_v<AnyRef>);
static_assert(std::is_trivially_copyable_v<ActorRef<Greeter>>);
static_assert(std::is_trivially_copyable_v<Recipient<Hello, Bye>>);
static_assert(sizeof(Recipient<Hello>) == 16 + 8 && sizeof(Recipient<Hello, Bye>) == 16 + 2 * 8);

TEST_F(RefTest, ADefaultConstructedRefIsNobody) {
  AnyRef any;
  ActorRef<Greeter> typed;
  Recipient<Hello> recipient;
  EXPECT_FALSE(any);
  EXPECT_FALSE(typed);
  EXPECT_FALSE(recipient);
  EXPECT_EQ(any, typed);
  EXPECT_EQ(any.ToString(), "nobody");
  EXPECT_FALSE(any.As<Greeter>().has_value());
}

TEST_F(RefTest, SendingToNobodySaysClosed) {
  EXPECT_EQ(ActorRef<Greeter>().Send(Hello{}), SendResult::kClosed);
  EXPECT_EQ(ActorRef<Greeter>().TrySend(Hello{}), SendResult::kClosed);
  EXPECT_EQ(Recipient<Hello>().Send(Hello{}), SendResult::kClosed);
  EXPECT_EQ(Recipient<Hello>().TrySend(Hello{}), SendResult::kClosed);
}

TEST_F(RefTest, StoppingNobodyDoesNothing) {
  ActorRef<Greeter>().Stop();
  ActorRef<Greeter>().Stop(StopWhen::kDrained);
  EXPECT_EQ(system_.stats().ended, 0u);
}

TEST_F(RefTest, AnEndedActorIsStillSomebodyButTakesNoMessages) {
  auto greeter = system_.Spawn<Greeter>();
  greeter.Send(Bye{});
  Run();
  EXPECT_TRUE(greeter);
  EXPECT_EQ(greeter.Send(Hello{}), SendResult::kClosed);
  EXPECT_EQ(greeter.TrySend(Hello{}), SendResult::kClosed);
  greeter.Stop();
  greeter.Stop(StopWhen::kDrained);
  Run();
  EXPECT_EQ(system_.stats().ended, 1u) << "stopping an actor that has ended does nothing";
}

TEST_F(RefTest, RefsToOneActorAreEqualAndToTwoAreNot) {
  auto one = system_.Spawn<Greeter>();
  auto two = system_.Spawn<Greeter>();
  auto copy = one;
  EXPECT_EQ(copy, one);
  EXPECT_NE(one, two);
  EXPECT_NE(one < two, two < one) << "ordered one way or the other";
  EXPECT_EQ(AnyRef(one), Recipient<Hello>(one));
}

TEST_F(RefTest, RefsAreKeysOfHashedContainers) {
  auto one = system_.Spawn<Greeter>();
  auto two = system_.Spawn<Greeter>();
  std::unordered_set<AnyRef> standard{one, two, one};
  absl::flat_hash_set<AnyRef> abseil{one, two, one};
  EXPECT_EQ(standard.size(), 2u);
  EXPECT_EQ(abseil.size(), 2u);
  EXPECT_TRUE(standard.contains(two) && abseil.contains(two));
  EXPECT_EQ(std::hash<AnyRef>()(one), one.Hash());
}

TEST_F(RefTest, AsGivesTheTypedRefOfALiveActorOfThatClassOnly) {
  auto greeter = system_.Spawn<Greeter>();
  const AnyRef any = greeter;
  EXPECT_EQ(any.As<Greeter>(), std::optional<ActorRef<Greeter>>(greeter));
  EXPECT_FALSE(any.As<Other>().has_value());
  greeter.Send(Bye{});
  Run();
  EXPECT_FALSE(any.As<Greeter>().has_value());
}

TEST_F(RefTest, ARefPrintsItsClassWhileItsActorLivesAndTheSameNumberAfter) {
  auto greeter = system_.Spawn<Greeter>();
  const std::string alive = greeter.ToString();
  const size_t number = alive.find('#');
  ASSERT_NE(number, std::string::npos);
  EXPECT_NE(alive.substr(0, number).find("Greeter"), std::string::npos) << alive;
  EXPECT_EQ(alive.size() - number, 9u) << "a # and eight digits";
  greeter.Send(Bye{});
  Run();
  EXPECT_EQ(greeter.ToString(), alive.substr(number));
  std::ostringstream out;
  out << greeter;
  EXPECT_EQ(out.str(), greeter.ToString());
}

TEST_F(RefTest, AStaleRefNeverReachesALaterActorInTheSameCell) {
  std::vector<ActorRef<Greeter>> stale;
  for (int i = 0; i < 300; ++i) {
    auto greeter = system_.Spawn<Greeter>();
    greeter.Send(Bye{});
    stale.push_back(greeter);
  }
  Run();
  // Cells are reused, so some of these live where the stale refs point.
  std::vector<ActorRef<Greeter>> later;
  for (int i = 0; i < 2000; ++i) later.push_back(system_.Spawn<Greeter>());
  for (const auto& ref : stale) {
    ref.Send(Hello{});
    ref.Send(Bye{});
    ref.Stop();
    ref.Stop(StopWhen::kDrained);
    EXPECT_FALSE(AnyRef(ref).As<Greeter>().has_value());
  }
  Run();
  EXPECT_EQ(system_.stats().live, later.size());
  for (const auto& ref : later) EXPECT_EQ(ref.Ask(Count{}).Wait().value_or(-1), 0);
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 2 * stale.size());
}

TEST_F(RefTest, AStaleRefNeverReachesALaterActorWithAnotherKindOfMailbox) {
  // Bounded ones first, then unbounded ones in their cells, and the other way round.
  for (uint32_t capacity : {1u, kUnbounded}) {
    const uint32_t later_capacity = capacity == kUnbounded ? 1 : kUnbounded;
    std::vector<ActorRef<Greeter>> stale;
    for (int i = 0; i < 100; ++i) {
      stale.push_back(system_.Spawn<Greeter>({.capacity = capacity}));
      stale.back().Stop();
    }
    Run();
    std::vector<ActorRef<Greeter>> later;
    for (int i = 0; i < 200; ++i) {
      later.push_back(system_.Spawn<Greeter>({.capacity = later_capacity}));
    }
    for (const auto& ref : stale) {
      ref.Send(Hello{});
      ref.Stop(StopWhen::kDrained);
    }
    Run();
    for (const auto& ref : later) EXPECT_EQ(ref.Ask(Count{}).Wait().value_or(-1), 0);
    for (const auto& ref : later) ref.Stop();
    Run();
  }
}

TEST_F(RefTest, TheAskOfAStaleRefFailsAlsoWhenTheCellIsInUseAgain) {
  auto greeter = system_.Spawn<Greeter>();
  greeter.Stop();
  Run();
  for (int i = 0; i < 200; ++i) system_.Spawn<Greeter>();
  EXPECT_TRUE(absl::IsUnavailable(greeter.Ask(Count{}).Wait().status()));
}

TEST_F(RefTest, WatchingAStaleRefSaysThatThereIsNoSuchActorAlsoWhenTheCellIsInUseAgain) {
  auto greeter = system_.Spawn<Greeter>();
  greeter.Stop();
  Run();
  for (int i = 0; i < 200; ++i) system_.Spawn<Greeter>();
  absl::StatusOr<Down> down = system_.Join(greeter);
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_EQ(down->reason, ExitReason::kNoSuchActor);
  EXPECT_EQ(down->who, greeter);
}

TEST_F(RefTest, IncarnationsOfOneCellDiffer) {
  absl::flat_hash_set<AnyRef> seen;
  for (int i = 0; i < 1000; ++i) {
    auto greeter = system_.Spawn<Greeter>();
    seen.insert(greeter);
    greeter.Stop();
    Run();
  }
  EXPECT_EQ(seen.size(), 1000u);
}

// ---- recipients

TEST_F(RefTest, ARecipientDeliversToWhateverClassItWasMadeOf) {
  Other::greeted = 0;
  auto greeter = system_.Spawn<Greeter>();
  std::vector<Recipient<Hello>> audience{greeter, system_.Spawn<Other>()};
  for (const auto& recipient : audience) {
    EXPECT_EQ(recipient.Send(Hello{}), SendResult::kQueued);
    EXPECT_EQ(recipient.TrySend(Hello{}), SendResult::kQueued);
  }
  Run();
  EXPECT_EQ(greeter.Ask(Count{}).Wait().value_or(-1), 2);
  EXPECT_EQ(Other::greeted, 2);
}

TEST_F(RefTest, ARecipientConvertsToOneThatCarriesFewerMessagesInAnyOrder) {
  auto greeter = system_.Spawn<Greeter>();
  const Recipient<Hello, Count, Bye> all = greeter;
  const Recipient<Bye, Hello> some = all;
  const Recipient<Count> count = all;
  static_assert(!std::is_convertible_v<Recipient<Hello>, Recipient<Hello, Bye>>);
  some.Send(Hello{});
  Run();
  EXPECT_EQ(count.Ask(Count{}).Wait().value_or(-1), 1);
  some.Send(Bye{});
  Run();
  EXPECT_EQ(system_.stats().live, 0u);
}

TEST_F(RefTest, ARecipientIsTheSameActorAsTheRefItWasMadeOf) {
  auto greeter = system_.Spawn<Greeter>();
  Recipient<Hello> recipient = greeter;
  EXPECT_EQ(recipient, greeter);
  EXPECT_EQ(recipient.ToString(), greeter.ToString());
}

template <class Ref, class A>
concept TellsTheClass = requires(const Ref& ref) { ref.template As<A>(); };

TEST_F(RefTest, ARecipientDoesNotTellTheClassAndAnAttenuatedOneDoesNotEvenTellTheActor) {
  auto greeter = system_.Spawn<Greeter>();
  const auto only = greeter.Only<Hello>();
  static_assert(TellsTheClass<AnyRef, Greeter> && !TellsTheClass<Recipient<Hello>, Greeter> &&
                !TellsTheClass<RevocableRecipient<Hello>, Greeter>);
  EXPECT_EQ(AnyRef(only).As<Greeter>(), std::optional<ActorRef<Greeter>>(greeter))
      << "its identity does: Only is no protection";
  const AnyRef attenuated = only.Attenuate();
  EXPECT_FALSE(attenuated.As<Greeter>().has_value());
}

TEST_F(RefTest, ARecipientOfNobodyBehavesAsNobody) {
  Recipient<Hello, Count> recipient = ActorRef<Greeter>();
  EXPECT_FALSE(recipient);
  EXPECT_EQ(recipient.Send(Hello{}), SendResult::kClosed);
  EXPECT_TRUE(absl::IsUnavailable(recipient.Ask(Count{}).Wait().status()));
  recipient = Recipient<Hello, Count>();
  EXPECT_TRUE(absl::IsUnavailable(recipient.Ask(Count{}).Wait().status()));
}

TEST_F(RefTest, ARecipientOfAnEndedActorSaysClosed) {
  auto greeter = system_.Spawn<Greeter>();
  Recipient<Hello> recipient = greeter;
  greeter.Stop();
  Run();
  EXPECT_TRUE(recipient);
  EXPECT_EQ(recipient.Send(Hello{}), SendResult::kClosed);
}

TEST_F(RefTest, ARefTravelsInMessages) {
  struct Introduce {
    Recipient<Hello> to;
    ActorRef<Greeter> again;
  };
  auto greeter = system_.Spawn<Greeter>();
  auto host = system_.Spawn([](Introduce m) {
    m.to.Send(Hello{});
    m.again.Send(Hello{});
  });
  host.Send(Introduce{greeter, greeter});
  Run();
  EXPECT_EQ(greeter.Ask(Count{}).Wait().value_or(-1), 2);
}

}  // namespace
}  // namespace troupe
