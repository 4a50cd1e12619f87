// StreamProducer<T>: the steps that one node runs, up to where a T comes out. Each step pulls from the
// one before it, a handful at a time, so what a step costs beside its function is a virtual call for
// the handful and a move for each element.
#ifndef TROUPE_ACTORS_INTERNAL_STREAM_PRODUCER_H_
#define TROUPE_ACTORS_INTERNAL_STREAM_PRODUCER_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/internal/stream_node.h"
#include "troupe/actors/internal/stream_receiver.h"

namespace troupe::internal {

template <class T>
class StreamProducer {
 public:
  virtual ~StreamProducer() = default;
  // Appends `most` elements or fewer. With none asked for: tells kEnd, if that is known. An exception
  // of a user's function becomes kEnd, behind the elements before it.
  virtual StreamStep Pull(StreamRun<T>& out, size_t most, StreamTurn& turn) = 0;
  virtual StreamHead& head() = 0;
};

template <class T>
using StreamProducerPtr = std::unique_ptr<StreamProducer<T>>;

// ---- heads: a function, a range

template <class T, class F>
class StreamGenerator final : public StreamProducer<T>, public StreamHead {
 public:
  explicit StreamGenerator(F next) : next_(std::move(next)) {}

  StreamStep Pull(StreamRun<T>& out, size_t most, StreamTurn& turn) override try {
    for (; most != 0; --most) {
      std::optional<T> element = next_();
      if (!element.has_value()) return StreamStep::kEnd;
      out.push_back(*std::move(element));
    }
    return StreamStep::kMore;
  } catch (...) {
    return turn.FailAsCaught();
  }
  StreamHead& head() override { return *this; }

 private:
  F next_;
};

template <class R>
class StreamOfRange {  // as a generator's function
 public:
  using T = std::ranges::range_value_t<R>;

  explicit StreamOfRange(R range) : range_(std::make_unique<R>(std::move(range))) {}

  std::optional<T> operator()() {
    if (!at_.has_value()) at_.emplace(std::ranges::begin(*range_));
    if (*at_ == std::ranges::end(*range_)) return std::nullopt;
    std::optional<T> element(Take());
    ++*at_;
    return element;
  }

 private:
  // A view is over what belongs to somebody else.
  decltype(auto) Take() {
    if constexpr (std::ranges::view<R>) {
      return **at_;
    } else {
      return std::ranges::iter_move(*at_);
    }
  }

  std::unique_ptr<R> range_;  // does not move, for the iterator
  std::optional<std::ranges::iterator_t<R>> at_;
};

// ---- steps

template <class T, class U, class F>
class StreamMapped final : public StreamProducer<U> {
 public:
  StreamMapped(StreamProducerPtr<T> from, F function)
      : from_(std::move(from)), function_(std::move(function)) {}

  StreamStep Pull(StreamRun<U>& out, size_t most, StreamTurn& turn) override try {
    taken_.clear();
    const StreamStep step = from_->Pull(taken_, most, turn);
    for (auto& element : taken_) out.push_back(function_(std::move(element)));
    return step;
  } catch (...) {
    return turn.FailAsCaught();
  }
  StreamHead& head() override { return from_->head(); }

 private:
  const StreamProducerPtr<T> from_;
  F function_;
  StreamRun<T> taken_;
};

template <class T, class F>
class StreamFiltered final : public StreamProducer<T> {
 public:
  StreamFiltered(StreamProducerPtr<T> from, F keep)
      : from_(std::move(from)), keep_(std::move(keep)) {}

  StreamStep Pull(StreamRun<T>& out, size_t most, StreamTurn& turn) override try {
    taken_.clear();
    const StreamStep step = from_->Pull(taken_, most, turn);
    for (auto& element : taken_) {
      if (keep_(std::as_const(element))) out.push_back(std::move(element));
    }
    return step;
  } catch (...) {
    return turn.FailAsCaught();
  }
  StreamHead& head() override { return from_->head(); }

 private:
  const StreamProducerPtr<T> from_;
  F keep_;
  StreamRun<T> taken_;
};

template <class T>
class StreamBatched final : public StreamProducer<std::vector<T>> {
 public:
  StreamBatched(StreamProducerPtr<T> from, size_t size, absl::Duration within)
      : from_(std::move(from)), size_(size), within_(within) {}

  StreamStep Pull(StreamRun<std::vector<T>>& out, size_t most, StreamTurn& turn) override {
    StreamStep step = StreamStep::kMore;
    do {
      step = Fill(most, turn);
      if (most == 0 || !Ready(turn)) break;
      out.push_back(TakeBatch());
      --most;
    } while (!ended_);
    if (ended_) return batch_.empty() ? StreamStep::kEnd : StreamStep::kMore;
    WakeWhenDue(turn);
    return step;
  }
  StreamHead& head() override { return from_->head(); }

 private:
  StreamStep Fill(size_t most, StreamTurn& turn) {
    if (ended_) return StreamStep::kMore;
    const bool fresh = batch_.empty();
    const StreamStep step = from_->Pull(batch_, most == 0 ? 0 : size_ - batch_.size(), turn);
    if (fresh && timed()) due_ = turn.self.Now() + within_;
    ended_ = step == StreamStep::kEnd;
    return step;
  }
  bool Ready(const StreamTurn& turn) const {
    if (batch_.empty()) return false;
    return ended_ || batch_.size() == size_ || (timed() && turn.self.Now() >= due_);
  }
  std::vector<T> TakeBatch() {
    StreamRun<T> batch = std::exchange(batch_, {});
    if constexpr (std::same_as<StreamRun<T>, std::vector<T>>) {
      return batch;
    } else {
      return {batch.begin(), batch.end()};
    }
  }
  // One timer at a time: one that comes too early for the batch of then is set anew.
  void WakeWhenDue(const StreamTurn& turn) {
    if (!timed() || batch_.empty()) return;
    const absl::Time now = turn.self.Now();
    if (now >= due_ || wakes_at_ > now) return;  // waits for room only; or the timer is set
    wakes_at_ = due_;
    turn.WakeAfter(due_ - now);
  }
  bool timed() const { return within_ != absl::InfiniteDuration(); }

  const StreamProducerPtr<T> from_;
  const size_t size_;
  const absl::Duration within_;
  StreamRun<T> batch_;
  absl::Time due_, wakes_at_ = absl::InfinitePast();
  bool ended_ = false;
};

// ---- a head: other nodes

template <class T>
class StreamReceived final : public StreamProducer<T>, public StreamReceiver {
 public:
  StreamReceived(std::vector<std::unique_ptr<StreamOrigin>> origins, uint32_t window)
      : StreamReceiver(std::move(origins), window), waiting_(inputs().size()) {}

  void Arrive(StreamParcel parcel) override {
    waiting_[parcel.input].runs.push_back(
        std::move(static_cast<StreamElementsOf<T>&>(*parcel.elements).run));
  }

  // From each in turn, a fair share.
  StreamStep Pull(StreamRun<T>& out, size_t most, StreamTurn& turn) override {
    const size_t share = std::max<size_t>(most / std::max<size_t>(waiting_.size(), 1), 1);
    for (size_t idle = 0; most != 0 && idle < waiting_.size();) {
      const size_t taken = waiting_[next_].Take(out, std::min(share, most));
      inputs()[next_].taken += static_cast<uint32_t>(taken);
      most -= taken;
      idle = taken == 0 ? idle + 1 : 0;
      next_ = (next_ + 1) % waiting_.size();
    }
    return Outlook(turn);
  }
  StreamHead& head() override { return *this; }

 private:
  struct Waiting {
    size_t Take(StreamRun<T>& out, size_t most) {
      size_t taken = 0;
      while (taken < most && !runs.empty()) {
        StreamRun<T>& run = runs.front();
        if (out.empty() && first == 0 && run.size() <= most) {
          taken = run.size();
          out = std::move(run);
          runs.pop_front();
          continue;
        }
        for (; taken < most && first < run.size(); ++first, ++taken) {
          out.push_back(std::move(run[first]));
        }
        if (first < run.size()) break;
        runs.pop_front();
        first = 0;
      }
      return taken;
    }

    std::deque<StreamRun<T>> runs;
    size_t first = 0;  // of the first run: what has been taken
  };

  StreamStep Outlook(const StreamTurn& turn) {
    bool more = false, over = true;
    for (size_t i = 0; i < waiting_.size(); ++i) {
      const Input& input = inputs()[i];
      const bool empty = waiting_[i].runs.empty();
      if (empty && !input.status.ok()) return turn.Fail(input.status);
      more = more || !empty;
      over = over && input.over;
    }
    if (more) return StreamStep::kMore;
    return over ? StreamStep::kEnd : StreamStep::kDry;
  }

  std::vector<Waiting> waiting_;
  size_t next_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_STREAM_PRODUCER_H_
