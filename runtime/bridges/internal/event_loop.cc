#include "troupe/runtime/bridges/internal/event_loop.h"

#include <asio/post.hpp>

#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {

EventLoop::EventLoop() {
  thread_ = StartThread("troupe-bridge", [this] { context_.run(); });
}

EventLoop::~EventLoop() {
  asio::post(context_, [this] { context_.stop(); });
  thread_.join();
}

}  // namespace troupe::internal
