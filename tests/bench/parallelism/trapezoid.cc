// The area under a curve as the sum of many trapezoids.
#include <cmath>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/crew.h"
#include "troupe/tests/bench/parallelism/parallelism.h"

namespace troupe::bench {
namespace {

constexpr double kLeft = 1;
constexpr double kRight = 5;

double Curve(double x) {
  return std::sin(std::pow(x, 3) - 1) / (x + 1) * std::sqrt(1 + std::exp(std::sqrt(2 * x)));
}

// Some of the trapezoids, which are numbered from left to right.
struct Slice {
  int64_t begin;
  int64_t end;
  int64_t number = 0;
};
struct Area {
  int64_t slice;
  double value;
};

struct Task {
  int64_t trapezoids;
  int64_t actors;
  double width;
};

double AreaOf(const Slice& slice, double width) {
  double area = 0;
  for (int64_t i = slice.begin; i < slice.end; ++i) {
    const double left = kLeft + static_cast<double>(i) * width;
    area += (Curve(left) + Curve(left + width)) / 2 * width;
  }
  return area;
}

class Worker {
 public:
  Worker(Recipient<Area> master, double width) : master_(master), width_(width) {}
  void On(Slice slice) { master_.Send(Area{slice.number, AreaOf(slice, width_)}); }

 private:
  const Recipient<Area> master_;
  const double width_;
};

class Master {
 public:
  Master(Measurement& measurement, const Task& task, double& area)
      : measurement_(measurement), task_(task), area_(area) {}

  void OnStart(Context& self) {
    crew_.Hire(self, task_.actors, self.ref(this), task_.width);
    for (int64_t i = 0; i < task_.actors; ++i) crew_.AssignTo(i, Slice{FirstOf(i), FirstOf(i + 1)});
  }
  void On(Area area) {
    area_ += area.value;
    if (crew_.Close(area.slice)) measurement_.End(task_.trapezoids);
  }

 private:
  int64_t FirstOf(int64_t worker) const { return task_.trapezoids * worker / task_.actors; }

  Measurement& measurement_;
  const Task task_;
  double& area_;
  Crew<Worker> crew_;
};

}  // namespace

// Divides N trapezoids evenly among ACTORS, which add up one slice each. Checks the area against
// the sum computed here. op = trapezoid.
absl::StatusOr<Result> Trapezoid(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 10'000'000);
  const int64_t actors = arguments.Number(1, 100);
  if (n < actors) return absl::InvalidArgumentError("fewer trapezoids than actors");
  const double width = (kRight - kLeft) / static_cast<double>(n);
  double area = 0;
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  system.Spawn<Master>(measurement, Task{n, actors, width}, area);
  measurement.Await();
  if (absl::Status s = ExpectClose("area", area, AreaOf({0, n}, width)); !s.ok()) return s;
  return Result{measurement.seconds(), n, ""};
}

}  // namespace troupe::bench
