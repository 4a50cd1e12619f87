// A System on real threads: actors in numbers, blocking, dedicated threads, Join, several systems,
// and what the host process keeps.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Token {
  int hops;
};
struct Quit {};
struct Get {
  using Reply = int64_t;
};
struct Add {
  int n;
};

class Sum {
 public:
  void On(Add m) { sum_ += m.n; }
  int64_t On(Get) const { return sum_; }

 private:
  int64_t sum_ = 0;
};

class SystemTest : public testing::TestWithParam<int> {
 protected:
  int workers() const { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Workers, SystemTest, testing::Values(1, 2, 8),
                         testing::PrintToStringParamName());

TEST_P(SystemTest, ManyActorsPassATokenAround) {
  constexpr int kActors = 500;
  constexpr int kHops = 20'000;
  std::latch done(1);
  System system({.workers = workers()});
  struct Next {
    Recipient<Token> to;
  };
  class Link {
   public:
    explicit Link(std::latch& done) : done_(done) {}
    void On(Next m) { next_ = m.to; }
    void On(Token m) {
      if (m.hops == 0) {
        done_.count_down();
      } else {
        next_.Send(Token{m.hops - 1});
      }
    }

   private:
    std::latch& done_;
    Recipient<Token> next_;
  };
  std::vector<ActorRef<Link>> ring;
  for (int i = 0; i < kActors; ++i) ring.push_back(system.Spawn<Link>(done));
  for (int i = 0; i < kActors; ++i) ring[i].Send(Next{ring[(i + 1) % kActors]});
  ring[0].Send(Token{kHops});
  done.wait();
  EXPECT_EQ(system.stats().dead_letters_total(), 0u);
}

TEST_P(SystemTest, EveryMessageOfManyThreadsIsHandled) {
  System system({.workers = workers()});
  auto sum = system.Spawn<Sum>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([sum] {
      for (int i = 1; i <= 5000; ++i) EXPECT_EQ(sum.Send(Add{i}), SendResult::kQueued);
    });
  }
  for (std::thread& thread : threads) thread.join();
  absl::StatusOr<int64_t> total = sum.Ask(Get{}, absl::Minutes(1)).Wait();
  ASSERT_TRUE(total.ok()) << total.status();
  EXPECT_EQ(*total, 4 * 5000 * 5001 / 2) << "an ask is a message: it comes after the sender's own";
}

TEST_P(SystemTest, AFamilyOfThousandsComesAndGoes) {
  struct Grow {
    int levels;
  };
  class Node {
   public:
    void On(Grow m, Context& self) {
      if (m.levels == 0) return;
      for (int i = 0; i < 3; ++i) self.Spawn<Node>().Send(Grow{m.levels - 1});
    }
  };
  System system({.workers = workers()});
  auto root = system.Spawn<Node>();
  root.Send(Grow{6});
  root.Stop(StopWhen::kDrained);
  absl::StatusOr<Down> down = system.Join(root, absl::Minutes(1));
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_EQ(system.stats().live, 0u);
}

TEST_P(SystemTest, WhatAHandlerDidIsVisibleToTheNextOneOnWhateverThread) {
  std::latch done(1);
  System system({.workers = workers(), .messages_per_turn = 1});
  int plain = 0;  // not atomic: the handlers of an actor follow each other
  class Counter {
   public:
    Counter(int& plain, std::latch& done) : plain_(plain), done_(done) {}
    void On(Token m, Context& self) {
      ++plain_;
      if (m.hops > 0) {
        self.ref(this).Send(Token{m.hops - 1});
      } else {
        done_.count_down();
      }
    }

   private:
    int& plain_;
    std::latch& done_;
  };
  system.Spawn<Counter>(plain, done).Send(Token{4999});
  done.wait();
  EXPECT_EQ(plain, 5000);
}

TEST_P(SystemTest, BlockingHandlersDoNotStopTheOthers) {
  // More block than there are workers, until the one that comes last has run.
  const int blockers = workers() + 2;
  std::latch release(1);
  std::latch done(blockers);
  System system({.workers = workers(), .max_blocking_threads = blockers});
  for (int i = 0; i < blockers; ++i) {
    system
        .Spawn([&](Quit, Context& self) {
          self.Blocking([&] { release.wait(); });
          done.count_down();
        })
        .Send(Quit{});
  }
  system.Spawn([&](Quit) { release.count_down(); }).Send(Quit{});
  done.wait();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
}

TEST_P(SystemTest, ADedicatedActorHasAThreadOfItsOwn) {
  std::latch done(20);
  std::atomic<int> on_one_thread{0};
  System system({.workers = workers()});
  auto dedicated = system.Spawn({.placement = Placement::kDedicatedThread},
                                [&, seen = std::thread::id()](Quit) mutable {
                                  if (seen == std::thread::id()) seen = std::this_thread::get_id();
                                  if (seen == std::this_thread::get_id())
                                    on_one_thread.fetch_add(1);
                                  done.count_down();
                                });
  for (int i = 0; i < 20; ++i) dedicated.Send(Quit{});
  done.wait();
  EXPECT_EQ(on_one_thread.load(), 20);
}

TEST_P(SystemTest, DedicatedActorsThatBlockHoldUpNobody) {
  const int blockers = workers() + 2;
  std::latch release(1);
  std::latch done(blockers);
  System system({.workers = workers(), .max_blocking_threads = 0});
  for (int i = 0; i < blockers; ++i) {
    system
        .Spawn({.placement = Placement::kDedicatedThread},
               [&](Quit) {
                 release.wait();
                 done.count_down();
               })
        .Send(Quit{});
  }
  system.Spawn([&](Quit) { release.count_down(); }).Send(Quit{});
  done.wait();
}

TEST_P(SystemTest, DedicatedThreadsAreUsedAgain) {
  System system({.workers = workers()});
  std::set<std::thread::id> threads;
  for (int i = 0; i < 50; ++i) {
    std::latch done(1);
    auto dedicated =
        system.Spawn({.placement = Placement::kDedicatedThread}, [&](Quit, Context& self) {
          threads.insert(std::this_thread::get_id());
          self.Stop();
          done.count_down();
        });
    dedicated.Send(Quit{});
    done.wait();
    EXPECT_TRUE(system.Join(dedicated, absl::Minutes(1)).ok());
  }
  // An actor gives its thread back a moment before it says that it has ended.
  EXPECT_LE(threads.size(), 3u);
}

TEST_P(SystemTest, TimersGoOffInRealTime) {
  std::latch done(3);
  System system({.workers = workers()});
  // A latch must not be counted below zero: then nobody would see it open.
  auto taker = system.Spawn([&, left = 3](Quit) mutable {
    if (left-- > 0) done.count_down();
  });
  system.SendAfter(absl::Milliseconds(1), taker, Quit{});

  auto owner = system.Spawn(
      [&, taker](Token, Context& self) { self.SendEvery(absl::Milliseconds(1), taker, Quit{}); });
  owner.Send(Token{});
  done.wait();
  owner.Stop();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
}

TEST_P(SystemTest, AnAskInRealTimeEndsAtItsDeadline) {
  System system({.workers = workers()});
  class Silent {
   public:
    void On(Get, Reply<int64_t> reply) { kept_.push_back(std::move(reply)); }

   private:
    std::vector<Reply<int64_t>> kept_;
  };
  auto silent = system.Spawn<Silent>();
  EXPECT_TRUE(absl::IsDeadlineExceeded(silent.Ask(Get{}, absl::Milliseconds(1)).Wait().status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(silent.Ask(Get{}, absl::ZeroDuration()).Wait().status()));
  std::latch expired(1);
  auto asker = system.Spawn([&, silent](Quit, Context& self) {
    silent.Ask(Get{}, absl::Milliseconds(1)).Then(self, [&](absl::StatusOr<int64_t> answer) {
      EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status()));
      expired.count_down();
    });
  });
  asker.Send(Quit{});
  expired.wait();
}

TEST_P(SystemTest, ManyThreadsAskAtOnce) {
  System system({.workers = workers()});
  auto sum = system.Spawn<Sum>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([sum] {
      for (int i = 0; i < 500; ++i) {
        EXPECT_TRUE(sum.Ask(Get{}, absl::Minutes(1)).Wait().ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// ---- Join

TEST_P(SystemTest, JoinSaysHowAnActorEnded) {
  System system({.workers = workers()});
  auto quitter = system.Spawn([](Quit, Context& self) { self.Stop(); });
  auto thrower = system.Spawn([](Quit) { throw std::runtime_error("no"); });
  std::thread later([&] {
    quitter.Send(Quit{});
    thrower.Send(Quit{});
  });
  absl::StatusOr<Down> down = system.Join(quitter);
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_EQ(down->who, quitter);
  EXPECT_TRUE(down->reason == ExitReason::kNormal || down->reason == ExitReason::kNoSuchActor);
  later.join();
  EXPECT_TRUE(system.Join(thrower).ok());
}

TEST(JoinTest, AnActorThatHadEndedBeforeIsNoSuchActor) {
  System system({.workers = 1});
  auto quitter = system.Spawn([](Quit, Context& self) { self.Stop(); });
  quitter.Send(Quit{});
  ASSERT_TRUE(system.Join(quitter).ok());
  absl::StatusOr<Down> again = system.Join(quitter);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->reason, ExitReason::kNoSuchActor);
  EXPECT_EQ(again->status.message(), "it had ended before; how is not known any more");
  absl::StatusOr<Down> nobody = system.Join(AnyRef());
  ASSERT_TRUE(nobody.ok());
  EXPECT_EQ(nobody->reason, ExitReason::kNoSuchActor);
  EXPECT_FALSE(nobody->status.ok());
}

// However late he came: a mailbox is closed before those who ask are told so.
TEST(JoinTest, WhoHasEndedTakesNothingMore) {
  System system({.workers = 2});
  for (int i = 0; i < 20'000; ++i) {
    auto sum = system.Spawn<Sum>({.capacity = i % 2 == 0 ? kUnbounded : 8u});
    sum.Stop();
    ASSERT_TRUE(system.Join(sum).ok());
    ASSERT_EQ(sum.Send(Add{1}), SendResult::kClosed) << i;
  }
}

TEST(JoinTest, AFailureIsToldWithItsStatusClassAndName) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto broken = system.Spawn<Sum>({.name = "the sum"});
  auto breaker = system.Spawn({.name = "breaker"},
                              [](Quit, Context& self) { self.Fail(absl::DataLossError("bits")); });
  system.SendAfter(absl::Seconds(1), breaker, Quit{});
  absl::StatusOr<Down> down = system.Join(breaker);
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_EQ(down->reason, ExitReason::kFailed);
  EXPECT_EQ(down->status, absl::DataLossError("bits"));
  EXPECT_EQ(down->name, "breaker");
  EXPECT_FALSE(down->type.empty());
  (void)broken;
}

TEST(JoinTest, ADeadlineThatPassesIsAnErrorAndLeavesNothingBehind) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto sum = system.Spawn<Sum>();
  EXPECT_TRUE(absl::IsDeadlineExceeded(system.Join(sum, absl::Seconds(1)).status()));
  loop.RunUntilIdle();
  EXPECT_EQ(system.stats().live, 1u);
}

TEST(JoinTest, InAHandlerItIsRefused) {
  System system({.workers = 1});
  std::latch done(1);
  absl::Status status;
  auto sum = system.Spawn<Sum>();
  system
      .Spawn([&](Quit) {
        status = system.Join(sum).status();
        done.count_down();
      })
      .Send(Quit{});
  done.wait();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST(JoinTest, AfterShutdownItIsRefused) {
  System system({.workers = 1});
  auto sum = system.Spawn<Sum>();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
  EXPECT_TRUE(absl::IsFailedPrecondition(system.Join(sum).status()));
}

TEST(JoinTest, AShutdownMeanwhileEndsIt) {
  for (int i = 0; i < 50; ++i) {
    System system({.workers = 2});
    auto sum = system.Spawn<Sum>();
    std::latch begun(1);
    std::thread joiner([&] {
      begun.count_down();
      absl::StatusOr<Down> down = system.Join(sum);
      if (down.ok()) {
        EXPECT_TRUE(down->reason == ExitReason::kShutdown ||
                    down->reason == ExitReason::kNoSuchActor);
      } else {
        EXPECT_TRUE(absl::IsFailedPrecondition(down.status())) << down.status();
      }
    });
    begun.wait();
    EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
    joiner.join();
  }
}

// ---- several systems

TEST(SystemsTest, TwoSystemsTalkToEachOther) {
  std::latch done(1);
  System one({.workers = 1});
  System two({.workers = 2});
  class Player {
   public:
    explicit Player(std::latch& done) : done_(done) {}
    void On(Recipient<Token> peer) { peer_ = peer; }
    void On(Token m) {
      if (m.hops == 0) return done_.count_down();
      peer_.Send(Token{m.hops - 1});
    }

   private:
    std::latch& done_;
    Recipient<Token> peer_;
  };
  auto ping = one.Spawn<Player>(done);
  auto pong = two.Spawn<Player>(done);
  ping.Send(Recipient<Token>(pong));
  pong.Send(Recipient<Token>(ping));
  ping.Send(Token{2000});
  done.wait();
  EXPECT_EQ(one.stats().dead_letters_total() + two.stats().dead_letters_total(), 0u);
}

TEST(SystemsTest, ASystemAsksWatchesAndStopsActorsOfAnother) {
  System one({.workers = 1});
  System two({.workers = 1});
  auto sum = two.Spawn<Sum>();
  sum.Send(Add{5});
  std::latch asked(1), told(1);
  class Observer {
   public:
    Observer(ActorRef<Sum> sum, std::latch& asked, std::latch& told)
        : sum_(sum), asked_(asked), told_(told) {}
    void OnStart(Context& self) {
      self.Watch(sum_);
      sum_.Ask(Get{}, absl::Minutes(1)).Then(self, [this](absl::StatusOr<int64_t> answer) {
        EXPECT_EQ(answer.value_or(-1), 5);
        asked_.count_down();
        sum_.Stop();
      });
    }
    void On(const Down& down) {
      EXPECT_EQ(down.reason, ExitReason::kNormal);
      told_.count_down();
    }
    void On(Quit) {}

   private:
    ActorRef<Sum> sum_;
    std::latch& asked_;
    std::latch& told_;
  };
  one.Spawn<Observer>(sum, asked, told);
  asked.wait();
  told.wait();
  EXPECT_TRUE(one.Join(sum).ok());
}

TEST(SystemsTest, AThousandSystemsComeAndGo) {
  for (int i = 0; i < 1000; ++i) {
    System system({.workers = 1 + i % 3});
    auto sum = system.Spawn<Sum>();
    sum.Send(Add{i});
    if (i % 2 == 0) {
      EXPECT_EQ(sum.Ask(Get{}, absl::Minutes(1)).Wait().value_or(-1), i);
    }
  }
}

TEST(SystemsTest, ASystemThatDidNothingEndsAtOnce) {
  for (int i = 0; i < 100; ++i) System system({.workers = 8});
  System with_defaults;
  EXPECT_EQ(with_defaults.stats().live, 0u);
}

TEST(SystemsTest, ThereIsAWorkerForEachCpuThatTheProcessMayUse) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  EXPECT_EQ(System().stats().workers.size(), static_cast<size_t>(CPU_COUNT(&all)));
  std::thread([&] {  // as taskset(1) starts a program; the thread's alone, so it need not be undone
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(System().stats().workers.size(), 1u);
  })
      .join();
}

// ---- options

TEST(OptionsTest, ThoseOutOfRangeAreRefused) {
  EXPECT_THROW(System({.workers = -1}), std::invalid_argument);
  EXPECT_THROW(System({.messages_per_turn = 0}), std::invalid_argument);
  EXPECT_THROW(System({.messages_per_turn = -1}), std::invalid_argument);
  EXPECT_THROW(System({.time_per_turn = absl::ZeroDuration()}), std::invalid_argument);
  EXPECT_THROW(System({.time_per_turn = -absl::Seconds(1)}), std::invalid_argument);
  EXPECT_THROW(System({.max_blocking_threads = -1}), std::invalid_argument);
  EXPECT_THROW(System({.shutdown_timeout = -absl::Seconds(1)}), std::invalid_argument);
}

TEST(OptionsTest, TheSmallestAndTheLargestAreTaken) {
  System smallest({.workers = 1,
                   .messages_per_turn = 1,
                   .time_per_turn = absl::Nanoseconds(1),
                   .max_blocking_threads = 0,
                   .shutdown_timeout = absl::InfiniteDuration()});
  EXPECT_EQ(smallest.Spawn<Sum>().Ask(Get{}, absl::Minutes(1)).Wait().value_or(-1), 0);
  System endless({.messages_per_turn = 1 << 30, .time_per_turn = absl::InfiniteDuration()});
  auto sum = endless.Spawn<Sum>();
  for (int i = 0; i < 1000; ++i) sum.Send(Add{1});
  EXPECT_EQ(sum.Ask(Get{}, absl::Minutes(1)).Wait().value_or(-1), 1000);
}

TEST(OptionsTest, NoBlockingThreadsMeansThatABlockingHandlerHoldsItsPlaceAndStillReturns) {
  System system({.workers = 1, .max_blocking_threads = 0});
  std::latch done(1);
  system
      .Spawn([&](Quit, Context& self) {
        self.Blocking([] { std::this_thread::yield(); });
        done.count_down();
      })
      .Send(Quit{});
  done.wait();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
}

// ---- the host

std::atomic<int> signals_elsewhere{0};
std::atomic<int> signals_here{0};
pthread_t host_thread;

void OnSignal(int) {
  (pthread_equal(pthread_self(), host_thread) != 0 ? signals_here : signals_elsewhere).fetch_add(1);
}

TEST(HostTest, TheHostsSignalHandlerRunsOnTheHostsThread) {
  host_thread = pthread_self();
  struct sigaction action = {}, before = {};
  action.sa_handler = &OnSignal;
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  System system({.workers = 8});
  std::latch running(2);
  system.SendAfter(absl::ZeroDuration(), system.Spawn([&](Quit) { running.count_down(); }), Quit{});
  system.Spawn({.placement = Placement::kDedicatedThread}, [&](Quit) { running.count_down(); })
      .Send(Quit{});
  running.wait();  // workers, the timers' thread and a dedicated one are there
  for (int i = 1; i <= 50; ++i) {
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    while (signals_here.load() + signals_elsewhere.load() < i) std::this_thread::yield();
  }
  EXPECT_EQ(signals_elsewhere.load(), 0);
  EXPECT_EQ(signals_here.load(), 50);
  sigaction(SIGUSR1, &before, nullptr);
}

TEST(HostTest, TheHostsOwnSignalMaskIsLeftAlone) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  System system({.workers = 2});
  system.Spawn<Sum>({.placement = Placement::kDedicatedThread});
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
  }
}

TEST(HostTest, InAForkedChildTheDestructorReturnsAndTheParentGoesOn) {
  auto system = std::make_unique<System>(Options{.workers = 2});
  auto sum = system->Spawn<Sum>();
  sum.Send(Add{3});
  ASSERT_TRUE(sum.Ask(Get{}, absl::Minutes(1)).Wait().ok());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool complete = system->Shutdown(absl::InfiniteDuration()).complete;
    system.reset();
    _exit(complete ? 1 : 0);  // it cannot have been: the threads are not here
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(sum.Ask(Get{}, absl::Minutes(1)).Wait().value_or(-1), 3);
}

}  // namespace
}  // namespace troupe
