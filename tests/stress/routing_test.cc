// A table of routees that changes while others send: nothing is lost or doubled, the order of each
// sender holds at each routee, and the last change counts.

#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Number {
  int sender;
  uint64_t n;
};
struct Total {
  using Reply = uint64_t;
  int key = 0;
};

auto BySender() {
  return ByKey([](const auto& m) {
    if constexpr (requires { m.sender; }) {
      return m.sender;
    } else {
      return m.key;
    }
  });
}

// The numbers of each sender rise.
class Checker {
 public:
  Checker(int senders, std::atomic<uint64_t>& handled) : next_(senders), handled_(handled) {}
  void On(Number m) {
    EXPECT_GE(m.n, next_[m.sender]) << "order of sender " << m.sender;
    next_[m.sender] = m.n + 1;
    handled_.fetch_add(1);
  }
  uint64_t On(Total) const { return handled_.load(); }

 private:
  std::vector<uint64_t> next_;
  std::atomic<uint64_t>& handled_;
};

using Checkers = std::vector<ActorRef<Checker>>;

class RoutingTest : public testing::TestWithParam<int> {
 protected:
  static constexpr int kSenders = 4;
  static constexpr int kRoutees = 8;
  static constexpr uint64_t kMessages = 10'000;

  // Each sender has a copy of its own, but the last two share one. Returns how many were queued.
  uint64_t SendFromThreads(const Router<Number, Total>& router) {
    std::atomic<uint64_t> queued{0};
    std::vector<Router<Number, Total>> copies(kSenders, router);
    std::vector<std::jthread> threads;
    for (int sender = 0; sender < kSenders; ++sender) {
      threads.emplace_back([&, sender] {
        const auto& mine = copies[sender == kSenders - 1 ? sender - 1 : sender];
        for (uint64_t n = 0; n < kMessages; ++n) {
          queued += mine.Send(Number{sender, n}) == SendResult::kQueued;
        }
      });
    }
    threads.clear();
    return queued.load();
  }

  std::atomic<uint64_t> handled_{0};
};
INSTANTIATE_TEST_SUITE_P(Workers, RoutingTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

// Adds and removes until it is told to stop; the first routee stays in.
void ChangeWhile(std::atomic<bool>& running, const Group<Number, Total>& group,
                 const Checkers& checkers) {
  std::minstd_rand random(7);
  while (running.load()) {
    const auto& checker = checkers[1 + random() % (checkers.size() - 1)];
    if (!group.Remove(checker)) group.Add(checker);
  }
}

TEST_P(RoutingTest, WhileRouteesComeAndGoEveryMessageReachesOneOfThemInOrder) {
  const std::vector<Routing<Number, Total>> all = {RoundRobin{}, Random{}, SmallestMailbox{},
                                                   BySender()};
  System system({.workers = GetParam()});
  for (const auto& routing : all) {
    handled_.store(0);
    Checkers checkers;
    for (int i = 0; i < kRoutees; ++i)
      checkers.push_back(system.Spawn<Checker>(int{kSenders}, handled_));
    const Group<Number, Total> group(routing);
    group.Add(checkers[0]);
    std::atomic<bool> running{true};
    std::jthread changer([&] { ChangeWhile(running, group, checkers); });
    EXPECT_EQ(SendFromThreads(group), kSenders * kMessages) << "somebody is always in";
    running.store(false);
    changer.join();
    for (const auto& checker : checkers) {
      checker.Stop(StopWhen::kDrained);
      EXPECT_TRUE(system.Join(checker, absl::Minutes(5)).ok());
    }
    EXPECT_EQ(handled_.load(), kSenders * kMessages);
  }
  EXPECT_EQ(system.stats().dead_letters_total(), 0u);
}

// Knows an object of another class when it is called on one.
template <char kTag>
class Tagged {
 public:
  explicit Tagged(std::atomic<uint64_t>& mistaken) : mistaken_(mistaken) {}
  void On(Number) {
    if (tag_ != kTag) mistaken_.fetch_add(1);
  }

 private:
  std::atomic<uint64_t>& mistaken_;
  volatile char tag_ = kTag;  // volatile: or the compiler knows what it is
};

TEST_P(RoutingTest, NoMessageGoesToOneRouteeByTheHandlerOfAnother) {
  System system({.workers = GetParam()});
  std::atomic<uint64_t> mistaken{0};
  const Group<Number> group;
  const ActorRef<Tagged<'a'>> a = system.Spawn<Tagged<'a'>>(mistaken);
  const ActorRef<Tagged<'b'>> b = system.Spawn<Tagged<'b'>>(mistaken);
  group.Add(b);
  std::atomic<bool> running{true};
  std::jthread changer([&] {  // what is at the front is overwritten with the other all the time
    while (running.load()) {
      group.Add(a);
      group.Remove(b);
      group.Add(b);
      group.Remove(a);
    }
  });
  for (uint64_t n = 0; n < 300'000; ++n) {
    EXPECT_EQ(group.Send(Number{0, n}), SendResult::kQueued);
  }
  running.store(false);
  changer.join();
  system.Shutdown(absl::Minutes(5));
  EXPECT_EQ(mistaken.load(), 0u);
}

TEST_P(RoutingTest, WhileRouteesEndEveryMessageIsHandledOrADeadLetterOrRefused) {
  System system({.workers = GetParam()});
  const Group<Number, Total> group;
  for (int i = 0; i < kRoutees; ++i) group.Add(system.Spawn<Checker>(int{kSenders}, handled_));
  std::atomic<bool> running{true};
  std::jthread replacer([&] {  // ends one of its own again and again
    while (running.load()) {
      auto mortal = system.Spawn<Checker>(int{kSenders}, handled_);
      group.Add(mortal);
      std::this_thread::yield();
      mortal.Stop();
    }
  });
  SendFromThreads(group);
  running.store(false);
  replacer.join();
  system.Shutdown(absl::Minutes(5));
  EXPECT_EQ(handled_.load() + system.stats().dead_letters_total(), kSenders * kMessages);
  EXPECT_GT(handled_.load(), 0u);
}

TEST_P(RoutingTest, AfterRemoveWhoSendsNextDoesNotReachIt) {
  System system({.workers = GetParam()});
  std::atomic<uint64_t> removed{0};
  auto stays = system.Spawn<Checker>(1, handled_);
  auto goes = system.Spawn<Checker>(1, removed);
  const Group<Number, Total> group;
  group.Add(stays);
  for (uint64_t n = 0; n < 2000; ++n) {
    group.Add(goes);
    group.Remove(goes);
    std::jthread([&] { group.Send(Number{0, n}); }).join();
  }
  system.Shutdown(absl::Minutes(5));
  EXPECT_EQ(removed.load(), 0u);
}

// Its period is so short that a sender which loses its processor may find that the worker it had
// chosen is gone. Then the message is refused, and nothing else.
TEST_P(RoutingTest, AnElasticPoolUnderLoadHandlesEveryMessageOrRefusesIt) {
  System system({.workers = GetParam()});
  auto pool = SpawnPool<Checker, Number, Total>(
      system, SmallestMailbox{},
      {.size = 1, .max_size = 8, .backlog_per_worker = 4, .resize_period = absl::Milliseconds(1)},
      int{kSenders}, std::ref(handled_));
  const uint64_t queued = SendFromThreads(pool);
  const auto lost = [&] { return system.stats().dead_letters_total(); };
  while (handled_.load() + lost() < kSenders * kMessages) std::this_thread::yield();
  EXPECT_EQ(handled_.load() + lost(), kSenders * kMessages);
  EXPECT_LE(handled_.load(), queued);
  EXPECT_GT(handled_.load(), kSenders * kMessages / 2);
}

TEST_P(RoutingTest, TheFirstAnswerComesOnceHoweverManyRace) {
  System system({.workers = GetParam()});
  const Group<Number, Total> group;
  for (int i = 0; i < kRoutees; ++i) group.Add(system.Spawn<Checker>(int{kSenders}, handled_));
  for (int i = 0; i < 2000; ++i) {
    EXPECT_TRUE(group.AskFirst(Total{}, absl::Minutes(5)).Wait().ok());
  }
}

TEST_P(RoutingTest, SubscribersComeAndGoWhilePublishersPublish) {
  System system({.workers = GetParam()});
  auto topic = SpawnTopic<Number>(system);
  auto stays = system.Spawn<Checker>(int{kSenders}, handled_);
  topic.Subscribe(stays);
  std::atomic<bool> running{true};
  std::atomic<uint64_t> others{0};
  std::jthread changer([&] {
    while (running.load()) {
      auto guest = system.Spawn<Checker>(int{kSenders}, others);
      topic.Subscribe(guest);
      std::this_thread::yield();
      topic.Unsubscribe(guest);
      guest.Stop();
    }
  });
  {
    std::vector<std::jthread> publishers;
    for (int p = 0; p < kSenders; ++p) {
      publishers.emplace_back([&topic, p] {
        for (uint64_t n = 0; n < 2000; ++n) topic.Publish(Number{p, n});
      });
    }
  }
  running.store(false);
  changer.join();
  topic.Stop(StopWhen::kDrained);
  EXPECT_TRUE(system.Join(topic, absl::Minutes(5)).ok());
  stays.Stop(StopWhen::kDrained);
  EXPECT_TRUE(system.Join(stays, absl::Minutes(5)).ok());
  EXPECT_EQ(handled_.load(), kSenders * 2000u);
}

}  // namespace
}  // namespace troupe
