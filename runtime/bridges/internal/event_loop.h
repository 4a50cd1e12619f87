// EventLoop: where a node's sockets and timers are served, one at a time: in an asio::io_context of its own
// (own_loop.h), or by whoever runs one of the host's.
//
//   Operation   Who                 Effect
//   Post        any thread          calls it in a turn
//   PostAfter   any thread          the same, so much later
//   InTurn      whoever begins      around what asio is to call: it does so in a turn, or not at all
//   RunPosted   any thread          does now what waits to be called; not in a turn
//   AtEnd       in a turn           calls it when the loop ends, unless Forget comes before
//   Close       once, not in a turn nothing is called afterwards
//
// E1  One turn at a time, on whatever thread: turn_ is held. A turn must not block. On a host's context turns are
//     in a strand, so none of its threads waits for another's turn; turn_ is for whoever calls RunPosted or Close.
// E2  After Close there are no turns. What was posted before has been done by then, and what comes later is
//     dropped; so whoever is used in turns may go then, whether or not the host runs its context.
// E3  What asio still keeps in a host's context it drops there some time after Close, and with it the last of
//     what keeps this, or a link that somebody else keeps does. The context itself is not used after Close.
// E4  No exception leaves a turn: what it has begun would be half done, and the other half lost.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_EVENT_LOOP_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_EVENT_LOOP_H_

#include <array>
#include <asio/any_io_executor.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "troupe/core/mutex.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/bridges/internal/own_loop.h"

namespace troupe::internal {

class EventLoop : public std::enable_shared_from_this<EventLoop> {
 public:
  // Several large frames, so that most of them are whole and need not be put together.
  static constexpr size_t kReadBuffer = 256 << 10;

  // Without a host's context it has one of its own, in which the threads of `workers` wait when they have nothing
  // else to do (own_loop.h); nullptr: its own thread alone. Whoever calls this calls Close.
  static std::shared_ptr<EventLoop> Begin(asio::io_context* host, Scheduler* workers = nullptr);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Post(std::function<void()> act);
  void PostAfter(std::chrono::nanoseconds delay, std::function<void()> act);
  template <class F>
  auto InTurn(F act) {
    return [me = shared_from_this(),
            act = std::move(act)]<class... Args>(Args&&... args) mutable noexcept {  // E4
      OwnLoop::TurnBegins();
      const MutexLock turn(me->turn_);
      if (!me->closed_) act(std::forward<Args>(args)...);
    };
  }
  void RunPosted() noexcept;
  void Close() noexcept;

  // For sockets and timers. In a turn, or before Close.
  const asio::any_io_executor& executor() const { return executor_; }

  // ---- in a turn
  void AtEnd(const void* whose, std::function<void()> act);
  void Forget(const void* whose);
  // What arrives is read here and passed on at once, so that an idle connection needs no buffer.
  std::array<char, kReadBuffer>& read_buffer() { return read_buffer_; }

 private:
  EventLoop(asio::io_context* host, Scheduler* workers);
  // False, both: there was nothing.
  bool RunBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  bool EndOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);

  std::unique_ptr<OwnLoop> own_;
  asio::any_io_executor executor_;

  Mutex turn_;  // comes first of all locks
  bool closed_ ABSL_GUARDED_BY(turn_) = false;
  std::vector<std::function<void()>> batch_ ABSL_GUARDED_BY(turn_);
  absl::flat_hash_map<const void*, std::function<void()>> at_end_;  // in a turn
  std::array<char, kReadBuffer> read_buffer_;                       // in a turn

  Mutex posted_mutex_;  // comes last
  bool gone_ ABSL_GUARDED_BY(posted_mutex_) = false;
  bool will_run_ ABSL_GUARDED_BY(posted_mutex_) = false;  // asio has been told
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(posted_mutex_);
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_EVENT_LOOP_H_
