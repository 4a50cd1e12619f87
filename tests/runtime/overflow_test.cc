// A worker whose run queue overflows into the injector (work_stealing_scheduler.h, W2): what went
// there is run by somebody else, although that one slept and the worker never gets round to it.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/runtime/internal/worker.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using internal::Worker;

struct Go {};

// One more than the queue and the slot hold. Whoever schedules them in turn has then the older half
// of a full queue in the injector, the rest in its queue, and the last in its slot.
constexpr size_t kCrew = Worker::kQueueCapacity + 2;
constexpr size_t kLastInTheInjector = Worker::kQueueCapacity / 2 - 1;
constexpr size_t kLastInTheQueue = kCrew - 2;

uint64_t Parks(const System& system) {
  uint64_t parks = 0;
  for (const WorkerStats& worker : system.stats().workers) parks += worker.parks;
  return parks;
}

// Waits without Context::Blocking, and so holds its worker, here and below: that is the point.
void AwaitParkAfter(const System& system, uint64_t parks) {
  while (Parks(system) <= parks) std::this_thread::yield();
}

struct Locks {
  std::latch started{kCrew};
  std::latch released{1};
  std::latch done{kCrew};
};

class CrewMember {
 public:
  CrewMember(size_t index, Locks& locks) : index_(index), locks_(locks) {}
  void OnStart() { locks_.started.count_down(); }
  void On(Go) {
    if (index_ == kLastInTheInjector) locks_.released.count_down();
    // Its worker has nothing left to steal then: help can only come to the injector.
    if (index_ == kLastInTheQueue) locks_.released.wait();
    locks_.done.count_down();
  }

 private:
  const size_t index_;
  Locks& locks_;
};

// Sees that one worker runs this handler and the other sleeps, then schedules more than fit.
class Conductor {
 public:
  Conductor(const System& system, std::vector<ActorRef<CrewMember>> crew)
      : system_(system), crew_(std::move(crew)) {}
  void On(Go, Context& self) {
    std::atomic<uint64_t> parks = 0;
    std::latch taken(1);
    self.Spawn([&](Go) {  // taken over by the other worker, which has nothing else to do
          parks = Parks(system_);
          taken.count_down();
        })
        .Send(Go{});
    taken.wait();
    AwaitParkAfter(system_, parks);
    for (const auto& member : crew_) member.Send(Go{});
  }

 private:
  const System& system_;
  const std::vector<ActorRef<CrewMember>> crew_;
};

TEST(OverflowTest, WhatOverflowsWakesAWorkerThatSleepsWhileTheirsIsHeld) {
  // The other worker may look around by itself at the very moment; hardly ever so often.
  for (int round = 0; round < 20; ++round) {
    Locks locks;
    System system({.workers = 2});
    std::vector<ActorRef<CrewMember>> crew;
    for (size_t i = 0; i < kCrew; ++i) crew.push_back(system.Spawn<CrewMember>(i, locks));
    locks.started.wait();
    system.Spawn<Conductor>(system, crew).Send(Go{});
    locks.done.wait();
  }
}

}  // namespace
}  // namespace troupe
