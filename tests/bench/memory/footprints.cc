#include "troupe/tests/bench/memory/footprints.h"

#include "absl/time/time.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/population.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

constexpr absl::Duration kLater = absl::Hours(1);

struct Item {
  int64_t value;
};
struct Question {
  using Reply = int64_t;
  int64_t value;
};
struct Start {
  int64_t n;
};

// Takes everything, when it is given a turn.
class Taker {
 public:
  explicit Taker(int64_t& taken) : taken_(taken) {}
  void On(Item) { ++taken_; }
  int64_t On(Question question) { return question.value; }

 private:
  int64_t& taken_;
};

class Waker {
 public:
  explicit Waker(int64_t& taken) : taken_(taken) {}
  void On(Start start, Context& self) {
    for (int64_t i = 0; i < start.n; ++i) self.SendAfter(kLater, self.ref(this), Item{i});
  }
  void On(Item) { ++taken_; }

 private:
  int64_t& taken_;
};

class Asker {
 public:
  Asker(ActorRef<Taker> taker, int64_t& answers) : taker_(taker), answers_(answers) {}
  void On(Start start, Context& self) {
    for (int64_t i = 0; i < start.n; ++i) {
      taker_.Ask(Question{i}).Then(self, [this, i](absl::StatusOr<int64_t> answer) {
        if (answer.ok() && *answer == i) ++answers_;
      });
    }
  }

 private:
  const ActorRef<Taker> taker_;
  int64_t& answers_;
};

class Growth {
 public:
  int64_t kib() const { return StatusKib("VmRSS") - before_; }

 private:
  const int64_t before_ = StatusKib("VmRSS");
};

absl::StatusOr<int64_t> Queued(int64_t n, ActorOptions options) {
  int64_t taken = 0;
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto taker = system.Spawn<Taker>(options, taken);
  const Growth growth;
  for (int64_t i = 0; i < n; ++i) taker.Send(Item{i});
  const int64_t kib = growth.kib();
  loop.RunUntilIdle();
  if (absl::Status s = Expect("messages", taken, n); !s.ok()) return s;
  return kib;
}

}  // namespace

// Actors that handle two types of message and wait.
absl::StatusOr<int64_t> IdleActor(int64_t n) {
  const absl::StatusOr<PopulationResult> p = MeasurePopulation(n, {.workers = 2});
  if (!p.ok()) return p.status();
  return p->grown_kib;
}

// Messages of 8 bytes to an actor that gets no turn.
absl::StatusOr<int64_t> QueuedMessage(int64_t n) { return Queued(n, {}); }

// The same, in a mailbox with room for just as many.
absl::StatusOr<int64_t> QueuedBounded(int64_t n) {
  return Queued(n, {.capacity = static_cast<uint32_t>(n)});
}

// Timers of one actor, each with a message of 8 bytes for later.
absl::StatusOr<int64_t> PendingTimer(int64_t n) {
  int64_t taken = 0;
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto waker = system.Spawn<Waker>(taken);
  waker.Send(Start{n});
  const Growth growth;
  loop.RunUntilIdle();
  const int64_t kib = growth.kib();
  loop.Advance(kLater);
  if (absl::Status s = Expect("timers", taken, n); !s.ok()) return s;
  return kib;
}

// Asks of one actor, each with its request of 8 bytes in the mailbox of another, which gets no turn.
absl::StatusOr<int64_t> PendingAsk(int64_t n) {
  int64_t taken = 0;
  int64_t answers = 0;
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto taker = system.Spawn<Taker>(taken);
  auto asker = system.Spawn<Asker>(taker, answers);
  asker.Send(Start{n});
  const Growth growth;
  loop.RunOne();
  const int64_t kib = growth.kib();
  loop.RunUntilIdle();
  if (absl::Status s = Expect("answers", answers, n); !s.ok()) return s;
  return kib;
}

}  // namespace troupe::bench
