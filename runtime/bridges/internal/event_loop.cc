#include "troupe/runtime/bridges/internal/event_loop.h"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace troupe::internal {
namespace {

// A message is often allocated on one thread and freed on another, that of its handler. In a program that has
// never freed a large block glibc returns the end of a heap whenever 128 KiB there are free, and fetches fresh pages
// for the next message: three quarters of what one of 1 KiB or more then costs. With the first large
// block that is freed it trims less, as that is what the program needs (mallopt(3), M_MMAP_THRESHOLD: 8 MiB
// for one of 4). Who has set these thresholds himself, or another malloc, does not notice.
void LetMallocKeepFreedMemory() {
  void* volatile block = std::malloc(4 << 20);  // volatile: not to be optimized away
  std::free(block);
}

}  // namespace

EventLoop::EventLoop(asio::io_context* host, Scheduler* workers)
    : own_(host == nullptr ? std::make_unique<OwnLoop>(workers) : nullptr),
      executor_(host == nullptr ? asio::any_io_executor(own_->context().get_executor())
                                : asio::any_io_executor(asio::make_strand(*host))) {
  LetMallocKeepFreedMemory();
}

std::shared_ptr<EventLoop> EventLoop::Begin(asio::io_context* host, Scheduler* workers) {
  return std::shared_ptr<EventLoop>(new EventLoop(host, workers));
}

void EventLoop::Post(std::function<void()> act) {
  const MutexLock lock(posted_mutex_);
  if (gone_) return;
  posted_.push_back(std::move(act));
  if (will_run_) return;
  asio::post(executor_, [me = shared_from_this()] { me->RunPosted(); });
  will_run_ = true;
}

void EventLoop::RunPosted() noexcept {  // E4
  OwnLoop::TurnBegins();
  const MutexLock turn(turn_);
  if (!closed_) RunBatch();
}

// Not what is posted meanwhile: sockets have their turn between.
bool EventLoop::RunBatch() {
  {
    const MutexLock lock(posted_mutex_);
    will_run_ = false;
    batch_.swap(posted_);
  }
  const bool any = !batch_.empty();
  for (auto& act : batch_) act();
  batch_.clear();
  return any;
}

void EventLoop::PostAfter(std::chrono::nanoseconds delay, std::function<void()> act) {
  Post([this, delay, act = std::move(act)] {
    const auto timer = std::make_shared<asio::steady_timer>(executor_, delay);
    AtEnd(timer.get(), [timer] { timer->cancel(); });  // or the host's run() would wait for it
    timer->async_wait(InTurn([this, timer, act](const std::error_code&) {
      Forget(timer.get());
      act();
    }));
  });
}

void EventLoop::AtEnd(const void* whose, std::function<void()> act) {
  at_end_.emplace(whose, std::move(act));
}
void EventLoop::Forget(const void* whose) { at_end_.erase(whose); }

bool EventLoop::EndOne() {
  if (at_end_.empty()) return false;
  auto one = at_end_.extract(at_end_.begin());
  one.mapped()();
  return true;
}

void EventLoop::Close() noexcept {
  std::vector<std::function<void()>> too_late;  // they may keep this, and sockets
  {
    const MutexLock turn(turn_);
    while (RunBatch() || EndOne()) {
    }
    closed_ = true;
    const MutexLock lock(posted_mutex_);
    gone_ = true;
    too_late.swap(posted_);
    executor_ = {};
  }
  too_late.clear();
  if (own_ == nullptr) return;
  own_->Stop();
  own_.reset();  // and with it what asio keeps, which keeps this
}

}  // namespace troupe::internal
