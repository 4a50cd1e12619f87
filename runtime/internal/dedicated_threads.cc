#include "troupe/runtime/internal/dedicated_threads.h"

#include <utility>

namespace troupe::internal {

class DedicatedThreads::OneThread final : public Scheduler {
 public:
  explicit OneThread(DedicatedThreads& owner) : owner_(owner) {}

  void Schedule(Runnable& r) override {
    queue_.Push(r);
    parker_.Unpark();
  }

  void Run() {
    while (!owner_.stopping_.load()) {
      Runnable* r = queue_.Pop();
      if (r == nullptr) {
        parker_.Park();
      } else if (r->Run(owner_.budget_) == Outcome::kAgain) {
        queue_.Push(*r);
      }
    }
  }

  void Wake() { parker_.Unpark(); }

 private:
  DedicatedThreads& owner_;
  Injector queue_;  // an actor, and for a moment after its end perhaps the next one
  Parker parker_;
};

DedicatedThreads::DedicatedThreads(const Budget& budget) : budget_(budget) {}
DedicatedThreads::~DedicatedThreads() = default;

Scheduler& DedicatedThreads::Acquire() {
  MutexLock lock(mutex_);
  if (free_.empty()) {
    auto fresh = std::make_unique<OneThread>(*this);
    free_.reserve(all_.size() +
                  1);  // what may throw, before there is a thread; Release relies on it
    all_.reserve(all_.size() + 1);
    threads_.Start("troupe-own", [one = fresh.get(), alive = keep_alive_.lock()] { one->Run(); });
    free_.push_back(fresh.get());
    all_.push_back(std::move(fresh));
  }
  OneThread* one = free_.back();
  free_.pop_back();
  return *one;
}

void DedicatedThreads::Release(Scheduler& scheduler) {
  MutexLock lock(mutex_);
  free_.push_back(static_cast<OneThread*>(&scheduler));
}

bool DedicatedThreads::Stop(SteadyTime deadline) {
  stopping_.store(true);
  {
    MutexLock lock(mutex_);
    for (auto& one : all_) one->Wake();
  }
  return threads_.Join(deadline);
}

}  // namespace troupe::internal
