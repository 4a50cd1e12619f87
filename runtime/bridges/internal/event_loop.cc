#include "troupe/runtime/bridges/internal/event_loop.h"

#include <asio/post.hpp>
#include <cstdlib>

#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {
namespace {

// A message is allocated on our thread and freed on that of a handler. In a program that has never freed
// a large block glibc returns the end of a heap whenever 128 KiB there are free, and fetches fresh pages
// for the next message: three quarters of what one of 1 KiB or more then costs. With the first large
// block that is freed it trims less, as that is what the program needs (mallopt(3), M_MMAP_THRESHOLD: 8 MiB
// for one of 4). Who has set these thresholds himself, or another malloc, does not notice.
void LetMallocKeepFreedMemory() {
  void* volatile block = std::malloc(4 << 20);  // volatile: not to be optimized away
  std::free(block);
}

}  // namespace

EventLoop::EventLoop() {
  LetMallocKeepFreedMemory();
  thread_ = StartThread("troupe-bridge", [this] { context_.run(); });
}

EventLoop::~EventLoop() {
  asio::post(context_, [this] { context_.stop(); });
  thread_.join();
}

}  // namespace troupe::internal
