#include "troupe/runtime/internal/blocking_pool.h"

#include <system_error>
#include <utility>

#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {

BlockingPool::BlockingPool(Settings settings) : settings_(std::move(settings)) {}
BlockingPool::~BlockingPool() = default;

void BlockingPool::Start(std::weak_ptr<void> keep_alive) {
  keep_alive_ = std::move(keep_alive);
  MutexLock lock(mutex_);
  AddThread();
}

bool BlockingPool::Stop(SteadyTime deadline) {
  stopping_.store(true);
  {
    MutexLock lock(mutex_);
    for (auto& member : members_) member->parker.Unpark();
  }
  return threads_.Join(deadline);
}

void BlockingPool::Schedule(Runnable& r) {
  MutexLock lock(mutex_);
  if (!idle_.empty()) {  // G2
    Member& member = *idle_.back();
    idle_.pop_back();
    member.idle = false;
    member.given = &r;
    member.parker.Unpark();
    return;
  }
  queue_.Push(r);
  if (queue_.size() <= starting_ || stopping_.load()) return;  // G1
  if (members_.size() == static_cast<size_t>(settings_.max_threads)) return;
  try {
    AddThread();
  } catch (const std::system_error&) {
    // As if this were the limit: there is one thread at least.
  }
}

void BlockingPool::AddThread() {
  auto fresh = std::make_unique<Member>();
  members_.reserve(members_.size() + 1);  // what may throw, before there is a thread
  idle_.reserve(members_.size() + 1);
  threads_.Start(settings_.name, [this, alive = keep_alive_.lock(), me = fresh.get()] {
    RunOnlyOn(settings_.cpus);
    ThreadMain(*me);
  });
  members_.push_back(std::move(fresh));
  ++starting_;
}

void BlockingPool::ThreadMain(Member& me) {
  while (Runnable* r = Next(me)) {
    me.turns.fetch_add(1, std::memory_order_relaxed);  // relaxed, as below: a picture for people
    if (r->Run(settings_.budget) == Outcome::kDone) continue;
    MutexLock lock(mutex_);
    queue_.Push(*r);  // this thread comes for it, or for one before it
  }
}

// nullptr: the pool stops.
Runnable* BlockingPool::Next(Member& me) {
  while (!stopping_.load()) {
    if (Runnable* r = TakeOrBecomeIdle(me)) return r;
    me.parks.fetch_add(1, std::memory_order_relaxed);
    me.parker.Park();
  }
  return nullptr;
}

Runnable* BlockingPool::TakeOrBecomeIdle(Member& me) {
  MutexLock lock(mutex_);
  starting_ -= std::exchange(me.starting, false);
  if (Runnable* r = std::exchange(me.given, nullptr)) return r;
  if (Runnable* r = me.idle ? nullptr : queue_.Pop()) return r;
  if (!std::exchange(me.idle, true)) idle_.push_back(&me);
  return nullptr;
}

std::vector<WorkerStats> BlockingPool::stats() const {
  MutexLock lock(mutex_);
  std::vector<WorkerStats> all;
  for (const auto& member : members_) {  // relaxed, both: statistics
    all.push_back({.turns = member->turns.load(std::memory_order_relaxed),
                   .parks = member->parks.load(std::memory_order_relaxed)});
  }
  if (!all.empty()) all[0].queued = queue_.size();  // one queue for all of them
  return all;
}

}  // namespace troupe::internal
