// Series of x' = r x (1 - x), each asking a computer of its own for the next term.
#include <utility>
#include <vector>

#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

constexpr double kFirstRate = 3.46;
constexpr double kIncrement = 0.0025;

double RateOf(int64_t series) { return kFirstRate + static_cast<double>(series) * kIncrement; }
double FirstTermOf(int64_t series) { return static_cast<double>(series) * kIncrement; }
double TermAfter(double term, double rate) { return rate * term * (1 - term); }

struct Compute {
  using Reply = double;
  double term;
};
struct GetComputed {
  using Reply = int64_t;  // how many terms
};
struct Advance {};
struct GetTerm {
  using Reply = double;
};

class Computer {
 public:
  explicit Computer(double rate) : rate_(rate) {}
  double On(Compute compute) {
    ++computed_;
    return TermAfter(compute.term, rate_);
  }
  int64_t On(GetComputed) { return computed_; }

 private:
  const double rate_;
  int64_t computed_ = 0;
};

// While it waits for its computer it does nothing else: what else comes is put off.
class Series {
 public:
  Series(ActorRef<Computer> computer, double term) : computer_(computer), term_(term) {}

  void On(Advance, Context& self) {
    if (advances_++ == 0) AskForNext(self);
  }
  void On(GetTerm, Reply<double> master) {
    master_ = std::move(master);
    if (advances_ == 0) master_.Send(term_);
  }

 private:
  void AskForNext(Context& self) {
    computer_.Ask(Compute{term_}).Then(self, [this](absl::StatusOr<double> term, Context& me) {
      if (term.ok()) term_ = *term;
      if (--advances_ > 0) return AskForNext(me);
      master_.Send(term_);  // does nothing if it has not asked yet
    });
  }

  const ActorRef<Computer> computer_;
  double term_;
  int64_t advances_ = 0;  // the one under way and those put off
  Reply<double> master_;
};

class Master {
 public:
  Master(Measurement& measurement, std::vector<ActorRef<Series>> series, std::vector<double> wanted,
         int64_t terms)
      : measurement_(measurement),
        series_(std::move(series)),
        wanted_(std::move(wanted)),
        terms_(terms),
        left_(std::ssize(series_)) {}

  void On(Start, Context& self) {
    for (int64_t i = 0; i < terms_; ++i) {
      for (const auto& series : series_) series.Send(Advance{});
    }
    for (size_t i = 0; i < series_.size(); ++i) AskForLast(i, self);
  }

 private:
  void AskForLast(size_t i, Context& self) {
    series_[i]
        .Ask(GetTerm{}, absl::InfiniteDuration())
        .Then(self, [this, i](absl::StatusOr<double> term) {
          if (!term.ok() || *term != wanted_[i]) ++wrong_;
          if (--left_ == 0) measurement_.End(wrong_);
        });
  }

  Measurement& measurement_;
  const std::vector<ActorRef<Series>> series_;
  const std::vector<double> wanted_;
  const int64_t terms_;
  int64_t left_;
  int64_t wrong_ = 0;
};

double LastTermOf(int64_t series, int64_t terms) {
  double term = FirstTermOf(series);
  for (int64_t i = 0; i < terms; ++i) term = TermAfter(term, RateOf(series));
  return term;
}

// -1: somebody does not answer.
int64_t Computed(const std::vector<ActorRef<Computer>>& computers) {
  int64_t sum = 0;
  for (const auto& computer : computers) {
    const absl::StatusOr<int64_t> computed = computer.Ask(GetComputed{}).Wait();
    if (!computed.ok()) return -1;
    sum += *computed;
  }
  return sum;
}

}  // namespace

// A master tells each of SERIES, TERMS times in one handler, to advance, then asks for its term. A
// series asks its computer for the next term and puts off what comes meanwhile. op = term, 3 messages.
absl::StatusOr<Result> LogisticMap(Arguments& arguments) {
  const int64_t terms = arguments.Number(0, 25'000);
  const int64_t count = arguments.Number(1, 10);
  Measurement measurement;
  System system(OptionsOf(arguments));
  std::vector<ActorRef<Computer>> computers;
  std::vector<ActorRef<Series>> series;
  std::vector<double> wanted;
  for (int64_t i = 0; i < count; ++i) {
    computers.push_back(system.Spawn<Computer>(RateOf(i)));
    series.push_back(system.Spawn<Series>(computers.back(), FirstTermOf(i)));
    wanted.push_back(LastTermOf(i, terms));
  }
  auto master = system.Spawn<Master>(measurement, std::move(series), std::move(wanted), terms);
  measurement.Begin();
  master.Send(Start{});
  const int64_t wrong = measurement.Await();
  const absl::Status checked = Expect(
      {{"wrong last terms", wrong, 0}, {"terms computed", Computed(computers), count * terms}});
  if (!checked.ok()) return checked;
  return Result{measurement.seconds(), count * terms, ""};
}

}  // namespace troupe::bench
