// Online facility location: a tree of quadrants that opens facilities where customers are.
#include <cmath>
#include <utility>
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/quadrant.h"

namespace troupe::bench {
namespace {

constexpr double kTownSize = 500;

struct Outcome {
  QuadrantClosed town;
  int64_t opened = 0;
};

// Sends the customers, one when the last has been let in, and hears of every facility.
class Town {
 public:
  Town(Measurement& measurement, Outcome& outcome, int64_t customers, double limit)
      : measurement_(measurement), outcome_(outcome), customers_(customers), limit_(limit) {}

  void OnStart(Context& self) {
    const Box all{{0, 0}, {kTownSize, kTownSize}};
    quadrant_ = self.Spawn<Quadrant>(self.ref(this), self.ref(this), 0, all, limit_,
                                     std::vector<Point>(), std::vector<TownCustomer>());
    On(NextCustomer{});
  }
  void On(NextCustomer) {
    if (sent_ == customers_) {
      quadrant_.Send(CloseQuadrant{});
    } else {
      const double x = Coordinate();
      quadrant_.Send(TownCustomer{sent_++, {x, Coordinate()}});
    }
  }
  void On(FacilityOpened) { ++outcome_.opened; }
  void On(QuadrantClosed closed) {
    outcome_.town = closed;
    measurement_.End(closed.customers);
  }
  void On(Audit audit, Reply<Knowledge> reply, Context& self) {
    quadrant_.Ask(audit).Then(self,
                              [reply = std::move(reply)](absl::StatusOr<Knowledge> all) mutable {
                                reply.Send(std::move(all));
                              });
  }

 private:
  double Coordinate() {
    return static_cast<double>(random_.Below(1 << 30)) / (1 << 30) * kTownSize;
  }

  Measurement& measurement_;
  Outcome& outcome_;
  const int64_t customers_;
  const double limit_;
  int64_t sent_ = 0;
  ActorRef<Quadrant> quadrant_;
  RandomNumbers random_{123456};
};

absl::Status Check(const Outcome& outcome, const absl::StatusOr<Knowledge>& knowledge, int64_t n) {
  if (!knowledge.ok()) return knowledge.status();
  return Expect({{"customers", outcome.town.customers, n},
                 {"sum of numbers", outcome.town.sum_of_numbers, n * (n - 1) / 2},
                 {"facilities", outcome.town.facilities, knowledge->open},
                 {"facilities told of", outcome.opened, knowledge->open},
                 {"facilities known", knowledge->known, knowledge->wanted}});
}

}  // namespace

// N customers come to a town, one after the other, and find their quadrant. A facility costs ALPHA
// times the diagonal of the town. Where facilities are depends on the order of messages; checked is
// that each customer is served in one quadrant, that the town has heard of each facility, and that
// whoever must know one does, and only once. op = customer.
absl::StatusOr<Result> FacilityLocation(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 100'000);
  const int64_t alpha = arguments.Number(1, 2);
  const double limit = static_cast<double>(alpha) * std::sqrt(2) * kTownSize;
  Outcome outcome;
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  auto town = system.Spawn<Town>(measurement, outcome, n, limit);
  measurement.Await();
  if (absl::Status s = Check(outcome, town.Ask(Audit{}).Wait(), n); !s.ok()) return s;
  return Result{measurement.seconds(), n, ""};
}

}  // namespace troupe::bench
