#include "troupe/runtime/internal/thread_group.h"

#include <atomic>
#include <utility>

#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {

ThreadGroup::~ThreadGroup() {
  MutexLock lock(mutex_);
  for (Member& member : members_) member.thread.detach();
}

void ThreadGroup::Start(const std::string& name, std::function<void()> body) {
  auto ended = std::make_shared<std::atomic<bool>>(false);
  auto main = [body = std::move(body), ended, changed = changed_]() mutable {
    body();
    body =
        nullptr;  // what it keeps alive goes now, before anybody is told that the thread has ended
    ended->store(true);
    changed->NotifyAll();
  };
  MutexLock lock(mutex_);
  members_.reserve(members_.size() + 1);  // what may throw, before there is a thread
  members_.push_back({StartThread(name, std::move(main)), std::move(ended)});
}

bool ThreadGroup::Join(SteadyTime deadline) {
  std::vector<Member> members;
  {
    MutexLock lock(mutex_);
    members.swap(members_);
  }
  bool all = true;
  for (Member& member : members) {
    if (changed_->Await([&member] { return member.ended->load(); }, deadline)) {
      member.thread.join();
    } else {
      member.thread.detach();
      all = false;
    }
  }
  return all;
}

}  // namespace troupe::internal
