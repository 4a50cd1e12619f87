// A signal that is filtered in several channels at once and put together again.
#include <algorithm>
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/signal_stages.h"

namespace troupe::bench {
namespace {

using Values = std::vector<double>;

double SignalAt(int64_t i) { return static_cast<double>(i % 1000 + 1); }

struct Bank {
  int64_t inputs;
  int64_t columns;  // coefficients of each filter
  int64_t channels;

  // What is left when two filters in a row have been silent.
  int64_t outputs() const { return inputs - 2 * (columns - 1); }

  Values FirstFilter(int64_t channel) const {
    Values h(columns);
    for (int64_t i = 0; i < columns; ++i) {
      h[i] = static_cast<double>(i * (columns + 1) + channel * (channels + 2) + 1);
    }
    return h;
  }
  Values SecondFilter(int64_t channel) const {
    Values f(columns);
    for (int64_t i = 0; i < columns; ++i) f[i] = static_cast<double>((i + channel) * (channel + 1));
    return f;
  }
};

// ---- before the channels

class Source;
struct More {
  ActorRef<Source> source;
};
struct Boot {};

class Producer {
 public:
  explicit Producer(int64_t n) : left_(n) {}
  void On(More more);

 private:
  int64_t left_;
};

class Source : public Stage<SignalSample> {
 public:
  Source(ActorRef<Producer> producer, Recipient<SignalSample, EndOfSignal> next)
      : Stage(next), producer_(producer) {}
  using Stage::On;
  void OnStart(Context& self) { producer_.Send(More{self.ref(this)}); }
  void On(Boot, Context& self) {
    next_.Send(SignalSample{SignalAt(sent_++)});
    producer_.Send(More{self.ref(this)});
  }

 private:
  const ActorRef<Producer> producer_;
  int64_t sent_ = 0;
};

void Producer::On(More more) {
  if (left_-- > 0) {
    more.source.Send(Boot{});
  } else {
    more.source.Send(EndOfSignal{});
  }
}

// ---- the channels

class Channel : public Stage<SignalSample> {
 public:
  explicit Channel(Recipient<SignalSample, EndOfSignal> first) : Stage(first) {}
  using Stage::On;
  void On(SignalSample in) { next_.Send(in); }
};

class Branches {
 public:
  Branches(const Bank& bank, Recipient<FromChannel, EndOfSignal> integrator)
      : bank_(bank), integrator_(integrator) {}

  void OnStart(Context& self) {
    for (int64_t i = 0; i < bank_.channels; ++i) {
      auto tagger = self.Spawn<Tagger>(i, integrator_);
      auto second = self.Spawn<Filter>(bank_.SecondFilter(i), tagger);
      auto later = self.Spawn<Delay>(bank_.columns - 1, second);
      auto sampler = self.Spawn<Sampler>(bank_.columns, later);
      auto first = self.Spawn<Filter>(bank_.FirstFilter(i), sampler);
      auto delay = self.Spawn<Delay>(bank_.columns - 1, first);
      channels_.push_back(self.Spawn<Channel>(delay));
    }
  }
  void On(SignalSample in) {
    for (const auto& channel : channels_) channel.Send(in);
  }
  void On(EndOfSignal end) {
    for (const auto& channel : channels_) channel.Send(end);
  }

 private:
  const Bank bank_;
  const Recipient<FromChannel, EndOfSignal> integrator_;
  std::vector<ActorRef<Channel>> channels_;
};

// ---- behind the channels

class Sink {
 public:
  Sink(Measurement& measurement, Values& outputs) : measurement_(measurement), outputs_(outputs) {}
  void On(SignalSample in) { outputs_.push_back(in.value); }
  void On(EndOfSignal) { measurement_.End(std::ssize(outputs_)); }

 private:
  Measurement& measurement_;
  Values& outputs_;
};

// ---- the check

// The first filter convolves the signal. The sampler lets one in `columns` of its samples through:
// the second filter hears that one and silence, and gives out its product with each coefficient.
Values WantedOutputs(const Bank& bank) {
  Values wanted(bank.outputs());
  for (int64_t channel = 0; channel < bank.channels; ++channel) {
    const Values h = bank.FirstFilter(channel);
    const Values f = bank.SecondFilter(channel);
    for (int64_t n = 0; n < bank.outputs(); n += bank.columns) {
      double sample = 0;
      for (int64_t k = 0; k < std::min(n + 1, bank.columns); ++k) sample += h[k] * SignalAt(n - k);
      const int64_t end = std::min(n + bank.columns, bank.outputs());
      for (int64_t m = n; m < end; ++m) wanted[m] += f[m - n] * sample;
    }
  }
  return wanted;
}

absl::Status Compare(const Values& outputs, const Values& wanted) {
  absl::Status status = Expect("outputs", std::ssize(outputs), std::ssize(wanted));
  for (size_t i = 0; status.ok() && i < wanted.size(); ++i) {
    status = ExpectClose("output", outputs[i], wanted[i]);
  }
  return status;
}

}  // namespace

// A source sends N samples to a bank of CHANNELS: delay, filter, sampler, delay, filter. What comes
// out of each is joined to rows, and their sums go to a sink. A filter has COLUMNS coefficients.
// Checks every sum. op = sample of the source.
absl::StatusOr<Result> FilterBank(Arguments& arguments) {
  const Bank bank{arguments.Number(0, 34'816), arguments.Number(1, 16'384), arguments.Number(2, 8)};
  if (bank.columns < 2) return absl::InvalidArgumentError("at least 2 columns");
  if (bank.outputs() < 1) return absl::InvalidArgumentError("N is too small for COLUMNS");
  Values outputs;
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  auto sink = system.Spawn<Sink>(measurement, outputs);
  auto combiner = system.Spawn<Combiner>(sink);
  auto integrator = system.Spawn<Integrator>(bank.channels, combiner);
  auto branches = system.Spawn<Branches>(bank, integrator);
  auto producer = system.Spawn<Producer>(bank.inputs);
  system.Spawn<Source>(producer, branches);
  measurement.Await();
  if (absl::Status s = Compare(outputs, WantedOutputs(bank)); !s.ok()) return s;
  return Result{measurement.seconds(), bank.inputs, ""};
}

}  // namespace troupe::bench
