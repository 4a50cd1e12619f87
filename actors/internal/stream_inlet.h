// StreamInlet<T>: the elements that were pushed into a stream and have not yet been taken, between
// whoever pushes and the node at the other end.
//
//   Operation   Who                Effect
//   TryPush     any thread         takes the element, unless it is full or closed
//   Close       any thread         no more elements; the first status stands
//   node        any thread         whom to ask for room; nobody before the stream runs and after
//   Pull ...    the node's thread  see StreamProducer, StreamHead
//
// L1  items_.size() + in_hand_ <= window_: what the node has taken keeps its place until it has been
//     passed on.
// L2  hungry_: the node has found nothing, and whoever brings something wakes it, once.
#ifndef TROUPE_ACTORS_INTERNAL_STREAM_INLET_H_
#define TROUPE_ACTORS_INTERNAL_STREAM_INLET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/internal/stream_node.h"
#include "troupe/actors/internal/stream_producer.h"
#include "troupe/actors/reply.h"
#include "troupe/actors/send_result.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

template <class T>
class StreamInlet final : public StreamDoor {
 public:
  explicit StreamInlet(uint32_t window) : window_(window) {}

  SendResult TryPush(T&& element) {
    ActorRef<StreamNode> hungry;
    {
      MutexLock lock(mutex_);
      if (closed_) return SendResult::kClosed;
      if (items_.size() + in_hand_ >= window_) return SendResult::kFull;  // L1
      items_.push_back(std::move(element));
      if (std::exchange(hungry_, false)) hungry = node_;
    }
    if (hungry) hungry.Send(StreamResume{});
    return SendResult::kQueued;
  }

  void Close(absl::Status status) {
    ActorRef<StreamNode> node;
    {
      MutexLock lock(mutex_);
      if (std::exchange(closed_, true)) return;
      status_ = std::move(status);
      node = node_;
    }
    if (node) node.Send(StreamResume{});
  }

  ActorRef<StreamNode> node() {
    MutexLock lock(mutex_);
    return node_;
  }

  // Whoever spawns the node; it may have ended by then.
  void Attach(ActorRef<StreamNode> node) override {
    MutexLock lock(mutex_);
    if (!over_) node_ = node;
  }

  // ---- the node's thread

  // The stream is over: nobody takes what is still here.
  void Detach() {
    std::deque<T> lost;  // destroyed outside of the lock
    MutexLock lock(mutex_);
    node_ = {};
    closed_ = over_ = true;
    lost.swap(items_);
  }
  StreamStep Pull(StreamRun<T>& out, size_t most, StreamTurn& turn) {
    MutexLock lock(mutex_);
    for (; most != 0 && !items_.empty(); --most, ++in_hand_) {
      out.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    if (!items_.empty()) return StreamStep::kMore;
    if (closed_) return status_.ok() ? StreamStep::kEnd : turn.Fail(status_);
    hungry_ = true;
    return StreamStep::kDry;
  }
  // True: there is room.
  bool Settle() {
    MutexLock lock(mutex_);
    in_hand_ = 0;
    return items_.size() < window_ || closed_;
  }

 private:
  const uint32_t window_;
  Mutex mutex_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  size_t in_hand_ ABSL_GUARDED_BY(mutex_) = 0;
  bool hungry_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  ActorRef<StreamNode> node_ ABSL_GUARDED_BY(mutex_);  // while the stream runs
};

template <class T>
class StreamInletReader final : public StreamProducer<T>, public StreamHead {
 public:
  explicit StreamInletReader(std::shared_ptr<StreamInlet<T>> inlet) : inlet_(std::move(inlet)) {}
  ~StreamInletReader() override { inlet_->Detach(); }

  std::shared_ptr<StreamDoor> door() override { return inlet_; }
  StreamStep Pull(StreamRun<T>& out, size_t most, StreamTurn& turn) override {
    return inlet_->Pull(out, most, turn);
  }
  void Settle() override { AnswerIfRoom(); }
  void AwaitRoom(Reply<void> reply) override {
    waiting_.push_back(std::move(reply));
    AnswerIfRoom();
  }
  size_t handful() const override { return 64; }
  StreamHead& head() override { return *this; }

 private:
  // All of them: one that is told may not use the room.
  void AnswerIfRoom() {
    if (!inlet_->Settle()) return;
    for (Reply<void>& reply : waiting_) reply.Send();
    waiting_.clear();
  }

  const std::shared_ptr<StreamInlet<T>> inlet_;
  std::vector<Reply<void>> waiting_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_STREAM_INLET_H_
