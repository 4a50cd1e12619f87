// EventLoop: the thread on which a node's sockets and timers are served.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_EVENT_LOOP_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_EVENT_LOOP_H_

#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <cstddef>
#include <thread>

namespace troupe::internal {

// Thread safety  Any thread posts to context(); read_buffer() belongs to the loop's thread.
class EventLoop {
 public:
  // Several large frames, so that most of them are whole and need not be put together.
  static constexpr size_t kReadBuffer = 256 << 10;

  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // After what has been posted. What has only been begun, such as a connect, is dropped.
  ~EventLoop();

  asio::io_context& context() { return context_; }
  // What arrives is read here and passed on at once, so that an idle connection needs no buffer.
  std::array<char, kReadBuffer>& read_buffer() { return read_buffer_; }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::array<char, kReadBuffer> read_buffer_;
  std::thread thread_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_EVENT_LOOP_H_
