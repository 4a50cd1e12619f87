// Named dispatchers: who runs where, what is refused, and how they end.
#include <pthread.h>
#include <sched.h>

#include <latch>
#include <stdexcept>
#include <string>
#include <string_view>
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

struct Where {
  using Reply = std::string;
};
struct ChildsPlace {
  using Reply = std::string;
};
struct Go {};

std::string ThreadName() {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

struct Here {
  std::string On(Where) { return ThreadName(); }
  void On(ChildsPlace, Reply<std::string> reply, Context& self) {
    self.Spawn<Here>().Ask(Where{}).Then(
        self, [reply = std::move(reply)](absl::StatusOr<std::string> name) mutable {
          reply.Send(std::move(name));
        });
  }
};

int AnyCpu() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &set)) ++cpu;
  return cpu;
}

template <class Ask>
std::string Answer(Ask ask) {
  return std::move(ask).Wait().value_or("no answer");
}

std::string RefusalOf(std::vector<DispatcherOptions> dispatchers, Scheduler* host = nullptr) {
  try {
    System system({.workers = 1, .scheduler = host, .dispatchers = std::move(dispatchers)});
    return "none";
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
}

TEST(DispatcherTest, AnActorRunsOnTheThreadsOfTheDispatcherItNames) {
  System system({.workers = 1,
                 .dispatchers = {{.name = "pool", .workers = 1},
                                 {.name = "disk", .kind = DispatcherKind::kBlocking}}});
  EXPECT_EQ(Answer(system.Spawn<Here>().Ask(Where{})), "troupe-0");
  EXPECT_EQ(Answer(system.Spawn<Here>({.dispatcher = "pool"}).Ask(Where{})), "pool-0");
  EXPECT_EQ(Answer(system.Spawn<Here>({.dispatcher = "disk"}).Ask(Where{})), "disk");
}

TEST(DispatcherTest, AChildIsOnTheSystemsWorkersUnlessItSaysOtherwise) {
  System system({.workers = 1, .dispatchers = {{.name = "pool", .workers = 1}}});
  EXPECT_EQ(Answer(system.Spawn<Here>({.dispatcher = "pool"}).Ask(ChildsPlace{})), "troupe-0");
}

TEST(DispatcherTest, ChildrenOfSupervisorsPoolsAndStreamsCanBePlaced) {
  System system({.workers = 1, .dispatchers = {{.name = "pool", .workers = 1}}});
  SupervisorTree tree(system);
  const auto child = tree.Add<Here>({.name = "child", .actor = {.dispatcher = "pool"}});
  tree.Start();
  EXPECT_EQ(Answer(child.Ask(Where{})), "pool-0");
  const auto workers =
      SpawnPool<Here, Where>(system, RoundRobin{}, {.size = 2, .worker = {.dispatcher = "pool"}});
  EXPECT_EQ(Answer(workers.Ask(Where{})), "pool-0");
  const auto names = stream::From(std::vector<int>{1}, {.dispatcher = "pool"})
                         .Map([](int) { return ThreadName(); })
                         .Async()
                         .Map([](std::string before) { return before + " " + ThreadName(); })
                         .Collect(system)
                         .Wait();
  EXPECT_EQ(names.value(), std::vector<std::string>{"pool-0 troupe-0"});
}

TEST(DispatcherTest, ItsThreadsRunOnItsCpusAlsoThoseThatStandIn) {
  const int cpu = AnyCpu();
  const auto cpus = [] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return CPU_COUNT(&set) == 1 ? sched_getcpu() : -1;
  };
  std::latch blocks(1), done(1);  // which handlers wait for: they outlive the system
  System system(
      {.workers = 1,
       .dispatchers = {{.name = "pool", .cpus = {cpu}},
                       {.name = "disk", .kind = DispatcherKind::kBlocking, .cpus = {cpu}}}});
  EXPECT_EQ(system.stats().dispatchers[0].workers.size(), 1u) << "one for each CPU";
  struct Cpu {
    using Reply = int;
  };
  for (const char* name : {"pool", "disk"}) {
    EXPECT_EQ(
        system.Spawn({.dispatcher = name}, [=](Cpu) { return cpus(); }).Ask(Cpu{}).Wait().value(),
        cpu);
  }
  system
      .Spawn({.dispatcher = "pool"},
             [&](Go, Context& self) {
               self.Blocking([&] { blocks.wait(); });
               done.count_down();
             })
      .Send(Go{});
  EXPECT_EQ(
      system.Spawn({.dispatcher = "pool"}, [=](Cpu) { return cpus(); }).Ask(Cpu{}).Wait().value(),
      cpu);
  blocks.count_down();
  done.wait();
}

TEST(DispatcherTest, EachHandlerThatBlocksHasAThreadUpToTheLimit) {
  constexpr int kThreads = 4;
  std::latch all_in(kThreads), release(1),
      done(kThreads + 2);  // which handlers wait for: they outlive the system
  System system(
      {.workers = 1,
       .dispatchers = {{.name = "disk", .kind = DispatcherKind::kBlocking, .workers = kThreads}}});
  for (int i = 0; i < kThreads + 2; ++i) {
    system
        .Spawn({.dispatcher = "disk"},
               [&, i](Go) {
                 if (i < kThreads) all_in.count_down();
                 release.wait();
                 done.count_down();
               })
        .Send(Go{});
  }
  all_in.wait();
  // All others go on meanwhile.
  EXPECT_EQ(Answer(system.Spawn<Here>().Ask(Where{})), "troupe-0");
  EXPECT_EQ(system.stats().dispatchers[0].workers.size(), size_t{kThreads});
  release.count_down();
  done.wait();
  EXPECT_TRUE(system.Shutdown(absl::Minutes(1)).complete);
}

TEST(DispatcherTest, WhatHoldsUpOneHoldsUpNoOther) {
  std::latch inside(2), release(1);  // which handlers wait for: they outlive the system
  System system(
      {.workers = 1, .dispatchers = {{.name = "a", .workers = 1}, {.name = "b", .workers = 1}}});
  for (const char* busy : {"", "a"}) {
    system
        .Spawn({.dispatcher = busy},
               [&](Go) {
                 inside.count_down();
                 release.wait();
               })
        .Send(Go{});
  }
  inside.wait();
  EXPECT_EQ(Answer(system.Spawn<Here>({.dispatcher = "b"}).Ask(Where{})), "b-0");
  release.count_down();
}

TEST(DispatcherTest, StatsTellOfEachByName) {
  System system({.workers = 2,
                 .dispatchers = {{.name = "pool", .workers = 3},
                                 {.name = "disk", .kind = DispatcherKind::kBlocking}}});
  (void)system.Spawn<Here>({.dispatcher = "disk"}).Ask(Where{}).Wait();
  const SystemStats stats = system.stats();
  EXPECT_EQ(stats.workers.size(), 2u);
  ASSERT_EQ(stats.dispatchers.size(), 2u);
  EXPECT_EQ(stats.dispatchers[0].name, "pool");
  EXPECT_EQ(stats.dispatchers[0].workers.size(), 3u);
  EXPECT_EQ(stats.dispatchers[1].name, "disk");
  ASSERT_EQ(stats.dispatchers[1].workers.size(), 1u) << "as many as were needed";
  EXPECT_GE(stats.dispatchers[1].workers[0].turns, 1u);
}

TEST(DispatcherTest, ANameThatIsUnknownIsRefusedWithThoseThatAreKnown) {
  System system({.workers = 1, .dispatchers = {{.name = "audio", .workers = 1}, {.name = "disk"}}});
  const auto refusal = [](System& where, ActorOptions options) -> std::string {
    try {
      where.Spawn<Here>(std::move(options));
      return "none";
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
  };
  EXPECT_EQ(refusal(system, {.dispatcher = "adio"}),
            "Troupe: no dispatcher is called \"adio\"; Options::dispatchers has audio, disk");
  System plain({.workers = 1});
  EXPECT_EQ(refusal(plain, {.dispatcher = "disk"}),
            "Troupe: no dispatcher is called \"disk\"; Options::dispatchers has none");
  EXPECT_EQ(refusal(system, {.dispatcher = "disk", .placement = Placement::kDedicatedThread}),
            "Troupe: an actor with a thread of its own is on no dispatcher: \"disk\"");
  EXPECT_EQ(system.stats().live, 0u);
}

TEST(DispatcherTest, OptionsThatCannotBeAreRefusedInWords) {
  EXPECT_EQ(RefusalOf({{.name = ""}}), "Troupe: the dispatcher \"\" needs a name");
  EXPECT_EQ(RefusalOf({{.name = "a"}, {.name = "a"}}),
            "Troupe: the dispatcher \"a\" is there twice");
  EXPECT_EQ(RefusalOf({{.name = "a", .workers = -1}}),
            "Troupe: the dispatcher \"a\" must have 0 to 1024 workers");
  const std::string cpus = RefusalOf({{.name = "a", .cpus = {AnyCpu(), 4000}}});
  EXPECT_EQ(
      cpus.rfind("Troupe: the dispatcher \"a\" wants CPU 4000, which this process may not use; "
                 "it may use ",
                 0),
      0u)
      << cpus;
  EXPECT_NE(RefusalOf({{.name = "a", .cpus = {-1}}}), "none");
}

TEST(DispatcherTest, WithAHostsSchedulerTheNamesStandForThat) {
  ManualScheduler loop;
  EXPECT_EQ(RefusalOf({{.name = ""}}, &loop), "Troupe: the dispatcher \"\" needs a name");
  System system({.scheduler = &loop,
                 .dispatchers = {{.name = "pool", .cpus = {4000}},
                                 {.name = "disk", .kind = DispatcherKind::kBlocking}}});
  for (const char* name : {"pool", "disk"}) {
    std::thread::id where;
    system.Spawn({.dispatcher = name}, [&](Go) { where = std::this_thread::get_id(); }).Send(Go{});
    loop.RunUntilIdle();
    EXPECT_EQ(where, std::this_thread::get_id());
  }
  EXPECT_TRUE(system.stats().dispatchers[0].workers.empty());
  EXPECT_THROW(system.Spawn<Here>({.dispatcher = "none"}), std::invalid_argument);
}

TEST(DispatcherTest, ShutdownReportsWhoDoesNotReturnThere) {
  for (const DispatcherKind kind : {DispatcherKind::kPool, DispatcherKind::kBlocking}) {
    auto inside = std::make_shared<std::latch>(1), release = std::make_shared<std::latch>(1),
         out = std::make_shared<std::latch>(1);
    {
      System system({.workers = 1, .dispatchers = {{.name = "a", .kind = kind, .workers = 1}}});
      system
          .Spawn({.name = "stuck", .dispatcher = "a"},
                 [=](Go) {
                   inside->count_down();
                   release->wait();
                   out->count_down();
                 })
          .Send(Go{});
      inside->wait();
      const ShutdownReport report = system.Shutdown(absl::Milliseconds(1));
      EXPECT_FALSE(report.complete);
      ASSERT_EQ(report.stuck.size(), 1u);
      EXPECT_EQ(report.stuck[0].name, "stuck");
    }
    release->count_down();  // the system is gone; what the thread needs is not
    out->wait();
  }
}

}  // namespace
}  // namespace troupe
