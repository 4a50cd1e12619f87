// Creatures that meet in pairs and change their colours.
#include <utility>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/workloads.h"

namespace troupe::bench {
namespace {

class Creature;

struct Meet {
  int64_t colour;
  ActorRef<Creature> who;
};
struct Change {
  int64_t colour;
};
struct GoHome {};
struct Met {
  int64_t times;
};

// The third colour; of two equal ones, that one.
int64_t Complement(int64_t a, int64_t b) { return a == b ? a : 3 - a - b; }

class Mall {
 public:
  Mall(Measurement& measurement, int64_t creatures, int64_t meetings)
      : measurement_(measurement), at_large_(creatures), left_(meetings) {}
  void On(Meet meet);
  void On(Met met) {
    sum_ += met.times;
    if (--at_large_ == 0) measurement_.End(sum_);
  }

 private:
  Measurement& measurement_;
  int64_t at_large_;
  int64_t left_;
  int64_t sum_ = 0;
  ActorRef<Creature> waiting_;  // nobody, or the first of a pair
};

class Creature {
 public:
  Creature(ActorRef<Mall> mall, int64_t colour) : mall_(mall), colour_(colour) {}
  void OnStart(Context& self) { mall_.Send(Meet{colour_, self.ref(this)}); }
  void On(Meet other, Context& self) {
    colour_ = Complement(colour_, other.colour);
    ++met_;
    other.who.Send(Change{colour_});
    mall_.Send(Meet{colour_, self.ref(this)});
  }
  void On(Change change, Context& self) {
    colour_ = change.colour;
    ++met_;
    mall_.Send(Meet{colour_, self.ref(this)});
  }
  void On(GoHome, Context& self) {
    mall_.Send(Met{met_});
    self.Stop();
  }

 private:
  const ActorRef<Mall> mall_;
  int64_t colour_;
  int64_t met_ = 0;
};

void Mall::On(Meet meet) {
  if (left_ == 0) {
    if (waiting_) std::exchange(waiting_, {}).Send(GoHome{});
    meet.who.Send(GoHome{});
  } else if (!waiting_) {
    waiting_ = meet.who;
  } else {
    --left_;
    std::exchange(waiting_, {}).Send(meet);
  }
}

}  // namespace

// CREATURES ask one mall to meet; it forwards the second one's request to the first, which changes
// colour, tells the second its new colour, and asks again; so does the second. After MEETINGS each
// is sent home and says how often it has met. op = meeting, 4 messages.
absl::StatusOr<Result> Chameneos(Arguments& arguments) {
  const int64_t creatures = arguments.Number(0, 100);
  const int64_t meetings = arguments.Number(1, 1'000'000);
  if (creatures < 2) return absl::InvalidArgumentError("at least 2 creatures");
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto mall = system.Spawn<Mall>(measurement, creatures, meetings);
  measurement.Begin();
  for (int64_t i = 0; i < creatures; ++i) system.Spawn<Creature>(mall, i % 3);
  const int64_t sum = measurement.Await();
  if (absl::Status s = Expect("meetings counted", sum, 2 * meetings); !s.ok()) return s;
  return Result{measurement.seconds(), meetings, ""};
}

}  // namespace troupe::bench
