// Stages of a signal: actors that hear samples one by one and send others on.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_SIGNAL_STAGES_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_SIGNAL_STAGES_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <numeric>
#include <utility>
#include <vector>

#include "troupe/troupe.h"

namespace troupe::bench {

struct SignalSample {
  double value;
};
struct EndOfSignal {};

// Sends messages M to the next stage, and passes the end on.
template <class M>
class Stage {
 public:
  explicit Stage(Recipient<M, EndOfSignal> next) : next_(next) {}
  void On(EndOfSignal end) { next_.Send(end); }

 protected:
  const Recipient<M, EndOfSignal> next_;
};

class Delay : public Stage<SignalSample> {
 public:
  Delay(int64_t length, Recipient<SignalSample, EndOfSignal> next)
      : Stage(next), waiting_(length) {}
  using Stage::On;
  void On(SignalSample in) {
    waiting_.push_back(in.value);
    next_.Send(SignalSample{waiting_.front()});
    waiting_.pop_front();
  }

 private:
  std::deque<double> waiting_;
};

// A finite impulse response: sums up what it heard last, the latest value by the first coefficient.
// It is silent until it has heard as many samples as there are coefficients.
class Filter : public Stage<SignalSample> {
 public:
  Filter(const std::vector<double>& coefficients, Recipient<SignalSample, EndOfSignal> next)
      : Stage(next),
        reversed_(coefficients.rbegin(), coefficients.rend()),
        heard_(coefficients.size()) {}
  using Stage::On;
  void On(SignalSample in) {
    heard_[oldest_] = in.value;
    oldest_ = (oldest_ + 1) % std::ssize(heard_);
    full_ = full_ || oldest_ == 0;
    if (full_) next_.Send(SignalSample{Sum()});
  }

 private:
  double Sum() const {
    const auto middle = heard_.begin() + oldest_;
    const double older = std::inner_product(middle, heard_.end(), reversed_.begin(), 0.0);
    return std::inner_product(heard_.begin(), middle, reversed_.end() - oldest_, older);
  }

  const std::vector<double> reversed_;
  std::vector<double> heard_;  // a ring
  int64_t oldest_ = 0;
  bool full_ = false;
};

// Lets the first of every `rate` samples through and silences the others.
class Sampler : public Stage<SignalSample> {
 public:
  Sampler(int64_t rate, Recipient<SignalSample, EndOfSignal> next) : Stage(next), rate_(rate) {}
  using Stage::On;
  void On(SignalSample in) { next_.Send(heard_++ % rate_ == 0 ? in : SignalSample{0}); }

 private:
  const int64_t rate_;
  int64_t heard_ = 0;
};

// ---- from several signals to one

struct FromChannel {
  int64_t channel;
  double value;
};

class Tagger : public Stage<FromChannel> {
 public:
  Tagger(int64_t channel, Recipient<FromChannel, EndOfSignal> next)
      : Stage(next), channel_(channel) {}
  using Stage::On;
  void On(SignalSample in) { next_.Send(FromChannel{channel_, in.value}); }

 private:
  const int64_t channel_;
};

struct ChannelRow {
  std::vector<double> values;  // one from each channel
};

// Makes rows of the samples that came first from each channel, second from each, and so on.
class Integrator : public Stage<ChannelRow> {
 public:
  Integrator(int64_t channels, Recipient<ChannelRow, EndOfSignal> next)
      : Stage(next), queues_(channels) {}

  void On(FromChannel in) {
    queues_[in.channel].push_back(in.value);
    if (std::none_of(queues_.begin(), queues_.end(), IsEmpty)) SendRow();
  }
  void On(EndOfSignal end) {
    if (++ended_ < std::ssize(queues_)) return;
    // Something is left if a channel had more to say than another: it shows as one row too many.
    if (!std::all_of(queues_.begin(), queues_.end(), IsEmpty)) next_.Send(ChannelRow{});
    next_.Send(end);
  }

 private:
  static bool IsEmpty(const std::deque<double>& queue) { return queue.empty(); }

  void SendRow() {
    ChannelRow row;
    for (auto& queue : queues_) {
      row.values.push_back(queue.front());
      queue.pop_front();
    }
    next_.Send(std::move(row));
  }

  std::vector<std::deque<double>> queues_;
  int64_t ended_ = 0;
};

class Combiner : public Stage<SignalSample> {
 public:
  using Stage::On;
  using Stage::Stage;
  void On(const ChannelRow& row) {
    next_.Send(SignalSample{std::accumulate(row.values.begin(), row.values.end(), 0.0)});
  }
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_SIGNAL_STAGES_H_
