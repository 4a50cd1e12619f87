#include "troupe/tests/bench/latency/latencies.h"

#include <cstdint>
#include <latch>
#include <thread>

#include "absl/time/time.h"
#include "troupe/tests/bench/latency/other_threads.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

using Clock = Samples::Clock;
using std::chrono::microseconds;

// ---- who is sent to

struct Probe {
  Clock::time_point due;
};
struct Question {
  using Reply = int64_t;
  int64_t value;
};

class Receiver {
 public:
  explicit Receiver(Samples& samples) : samples_(samples) {}
  void On(Probe probe) { samples_.AddSince(probe.due); }

 private:
  Samples& samples_;
};

class Adviser {
 public:
  int64_t On(Question question) { return question.value + 1; }
};

// ---- who keeps the workers busy

struct Again {};

class Busy {
 public:
  Busy(std::latch& started, microseconds handler) : started_(started), handler_(handler) {}
  void OnStart(Context& self) {
    started_.count_down();
    self.ref(this).Send(Again{});
  }
  void On(Again, Context& self) {
    const auto end = Clock::now() + handler_;
    while (Clock::now() < end) {
    }
    self.ref(this).Send(Again{});
  }

 private:
  std::latch& started_;
  const microseconds handler_;
};

// ---- asking

absl::Status AskOnce(const ActorRef<Adviser>& adviser, int64_t value) {
  const absl::StatusOr<int64_t> answer = adviser.Ask(Question{value}).Wait();
  if (!answer.ok()) return answer.status();
  return *answer == value + 1 ? absl::OkStatus() : absl::InternalError("wrong answer");
}

// `before` each ask, outside the measured time.
template <class Before>
absl::Status AskAll(const Setting& setting, Samples& samples, Before before) {
  constexpr int kWarmUp = 100;
  System system({.workers = setting.workers});
  auto adviser = system.Spawn<Adviser>();
  for (int64_t i = -kWarmUp; i < samples.size(); ++i) {
    before();
    const auto begin = Clock::now();
    if (absl::Status status = AskOnce(adviser, i); !status.ok()) return status;
    if (i >= 0) samples.AddSince(begin);
  }
  return absl::OkStatus();
}

}  // namespace

// A plain thread sends to an actor of a system that sleeps: until the handler starts.
absl::Status WakeUp(const Setting& setting, Samples& samples) {
  System system({.workers = setting.workers});
  auto receiver = system.Spawn<Receiver>(samples);
  for (int64_t i = 1; i <= samples.size(); ++i) {
    AwaitOtherThreadsAsleep();
    receiver.Send(Probe{Clock::now()});
    samples.Await(i);
  }
  return absl::OkStatus();
}

// A plain thread asks, and again at once: until it has the answer.
absl::Status Ask(const Setting& setting, Samples& samples) {
  return AskAll(setting, samples, [] {});
}

// The same, each time of a system that sleeps.
absl::Status AskIdle(const Setting& setting, Samples& samples) {
  return AskAll(setting, samples, &AwaitOtherThreadsAsleep);
}

// SendAfter of 1 to 5 ms in a system that sleeps: from when the message was due until its handler
// starts.
absl::Status Timer(const Setting& setting, Samples& samples) {
  System system({.workers = setting.workers});
  auto receiver = system.Spawn<Receiver>(samples);
  RandomNumbers random(1);
  for (int64_t i = 1; i <= samples.size(); ++i) {
    const microseconds delay(1000 + random.Below(4000));
    system.SendAfter(absl::FromChrono(delay), receiver, Probe{Clock::now() + delay});
    samples.Await(i);
  }
  return absl::OkStatus();
}

// Twice as many actors as workers always have something to do, in handlers of a given length. A
// plain thread sends to one more, every 200 us or so and in step with nothing: until the handler
// starts. It does not wait for one before it sends the next, so a long delay counts every time.
absl::Status HandlerStart(const Setting& setting, Samples& samples) {
  const int actors = 2 * setting.workers;
  std::latch started(actors);
  System system({.workers = setting.workers});
  auto receiver = system.Spawn<Receiver>(samples);
  for (int i = 0; i < actors; ++i) system.Spawn<Busy>(started, setting.handler);
  started.wait();
  RandomNumbers random(1);
  for (int64_t i = 0; i < samples.size(); ++i) {
    std::this_thread::sleep_for(microseconds(100 + random.Below(200)));
    receiver.Send(Probe{Clock::now()});
  }
  samples.AwaitAll();
  return absl::OkStatus();
}

}  // namespace troupe::bench
