// What a node does with the elements that it has: pass them to the next node, or to all of several;
// call a function; ask an actor.
#ifndef TROUPE_ACTORS_INTERNAL_STREAM_CONSUMER_H_
#define TROUPE_ACTORS_INTERNAL_STREAM_CONSUMER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/stream_node.h"
#include "troupe/actors/internal/stream_producer.h"
#include "troupe/actors/recipient.h"

namespace troupe::internal {

template <class T>
class StreamConsumer : public StreamBody {
 public:
  explicit StreamConsumer(StreamProducerPtr<T> from) : from_(std::move(from)) {}
  StreamHead& head() override { return from_->head(); }

 protected:
  // With no room, more is for later.
  StreamStep Pull(StreamRun<T>& out, size_t most, StreamTurn& turn) {
    const StreamStep step = from_->Pull(out, most, turn);
    return most == 0 && step == StreamStep::kMore ? StreamStep::kDry : step;
  }

 private:
  const StreamProducerPtr<T> from_;
};

template <class T>
class StreamSender final : public StreamConsumer<T> {
 public:
  using StreamConsumer<T>::StreamConsumer;

  StreamStep Step(StreamTurn& turn) override {
    if (parcel_ == nullptr) parcel_ = std::make_unique<StreamElementsOf<T>>();
    StreamOutputs& outputs = turn.node.outputs();
    const StreamStep step = this->Pull(parcel_->run, outputs.Room(), turn);
    if (const size_t n = parcel_->run.size(); n != 0) {
      outputs.Send(n, [this](bool) { return std::move(parcel_); });
    }
    return step;
  }

 private:
  std::unique_ptr<StreamElementsOf<T>> parcel_;  // empty
};

template <class T>
class StreamBroadcaster final : public StreamConsumer<T> {
 public:
  using StreamConsumer<T>::StreamConsumer;

  StreamStep Step(StreamTurn& turn) override try {
    using Parcel = StreamElementsOf<T>;
    auto parcel = std::make_unique<Parcel>();
    StreamOutputs& outputs = turn.node.outputs();
    const StreamStep step = this->Pull(parcel->run, outputs.Room(), turn);
    if (const size_t n = parcel->run.size(); n != 0) {
      outputs.Send(n, [&](bool last) {
        return last ? std::move(parcel) : std::make_unique<Parcel>(*parcel);
      });
    }
    return step;
  } catch (...) {  // of a copy
    return turn.FailAsCaught();
  }
};

template <class T, class F>
class StreamCaller final : public StreamConsumer<T> {
 public:
  StreamCaller(StreamProducerPtr<T> from, F function)
      : StreamConsumer<T>(std::move(from)), function_(std::move(function)) {}

  StreamStep Step(StreamTurn& turn) override try {
    taken_.clear();
    const StreamStep step = this->Pull(taken_, this->head().handful(), turn);
    for (auto& element : taken_) Call(std::move(element), turn.self);
    return step;
  } catch (...) {
    return turn.FailAsCaught();
  }

 private:
  void Call(T element, Context& self) {
    if constexpr (std::invocable<F&, T, Context&>) {
      function_(std::move(element), self);
    } else {
      function_(std::move(element));
    }
  }

  F function_;
  StreamRun<T> taken_;
};

template <class M>
class StreamAsker final : public StreamConsumer<M> {
 public:
  StreamAsker(StreamProducerPtr<M> from, Recipient<M> to, uint32_t window)
      : StreamConsumer<M>(std::move(from)), to_(to), window_(window) {}

  StreamStep Step(StreamTurn& turn) override {
    if (!failure_.ok()) return turn.Fail(failure_);
    if (!ended_) {
      const StreamStep step = this->Pull(taken_, window_ - unanswered_, turn);
      for (M& element : taken_) Ask(std::move(element), turn);
      taken_.clear();
      if (step != StreamStep::kEnd) return step;
      ended_ = true;
    }
    return unanswered_ == 0 ? StreamStep::kEnd : StreamStep::kDry;
  }

 private:
  void Ask(M element, const StreamTurn& turn) {
    ++unanswered_;
    to_.Ask(std::move(element), absl::InfiniteDuration())
        .Then(turn.self, [this, &node = turn.node](absl::Status answer, Context& self) {
          --unanswered_;
          if (failure_.ok()) failure_ = std::move(answer);
          node.Drive(self);
        });
  }

  const Recipient<M> to_;
  const uint32_t window_;
  StreamRun<M> taken_;
  uint32_t unanswered_ = 0;
  absl::Status failure_;
  bool ended_ = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_STREAM_CONSUMER_H_
