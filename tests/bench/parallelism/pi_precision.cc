// Pi to many digits, from a series whose terms a crew computes.
#include <algorithm>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/crew.h"
#include "troupe/tests/bench/parallelism/fixed_point.h"
#include "troupe/tests/bench/parallelism/parallelism.h"

namespace troupe::bench {
namespace {

// How many limbs hold so many digits, and two more to keep the rounding out of them.
size_t LimbsFor(int64_t digits) { return static_cast<size_t>(digits) * 10 / 96 + 3; }

FixedPoint Quotient(uint32_t dividend, int64_t divisor, size_t limbs) {
  return FixedPoint(dividend, limbs) /= static_cast<uint32_t>(divisor);
}

// Term k of the series of Bailey, Borwein and Plouffe.
FixedPoint TermOf(int64_t k, size_t limbs) {
  FixedPoint term = Quotient(4, 8 * k + 1, limbs);
  term -= Quotient(2, 8 * k + 4, limbs);
  term -= Quotient(1, 8 * k + 5, limbs);
  term -= Quotient(1, 8 * k + 6, limbs);
  return term >>= static_cast<size_t>(4 * k);
}

// Its number is that of the term.
struct Question {
  int64_t worker;
  int64_t number = 0;
};
struct Answer {
  Question question;
  FixedPoint term;
};

class Worker {
 public:
  Worker(Recipient<Answer> master, size_t limbs) : master_(master), limbs_(limbs) {}
  void On(Question question) { master_.Send(Answer{question, TermOf(question.number, limbs_)}); }

 private:
  const Recipient<Answer> master_;
  const size_t limbs_;
};

struct Task {
  int64_t digits;
  int64_t actors;
  size_t limbs;
  FixedPoint tolerance;
};

class Master {
 public:
  Master(Measurement& measurement, const Task& task, FixedPoint& sum)
      : measurement_(measurement), task_(task), sum_(sum) {}

  void OnStart(Context& self) {
    crew_.Hire(self, task_.actors, self.ref(this), task_.limbs);
    const int64_t ahead = std::min(task_.digits, 10 * task_.actors);
    for (int64_t i = 0; i < ahead; ++i) Ask(i % task_.actors);
  }
  void On(const Answer& answer) {
    sum_ += answer.term;
    enough_ = enough_ || answer.term <= task_.tolerance;
    if (!enough_) Ask(answer.question.worker);
    if (crew_.Close(answer.question.number)) measurement_.End(crew_.assigned());
  }

 private:
  void Ask(int64_t worker) { crew_.AssignTo(worker, Question{worker}); }

  Measurement& measurement_;
  const Task& task_;
  FixedPoint& sum_;
  Crew<Worker> crew_;
  bool enough_ = false;
};

FixedPoint TenToMinus(int64_t digits, size_t limbs) {
  FixedPoint power(1, limbs);
  for (int64_t i = 0; i < digits; ++i) power /= 10;
  return power;
}

FixedPoint SumOfTerms(int64_t terms, size_t limbs) {
  FixedPoint sum(0, limbs);
  for (int64_t k = 0; k < terms; ++k) sum += TermOf(k, limbs);
  return sum;
}

// arctan(1 / x) so many times.
FixedPoint Arctan(uint32_t times, uint32_t x, size_t limbs) {
  FixedPoint power = Quotient(times, x, limbs);
  FixedPoint sum(0, limbs);
  for (uint32_t i = 1; power > FixedPoint(0, limbs); i += 2) {
    FixedPoint term = power;
    term /= i;
    i % 4 == 1 ? sum += term : sum -= term;
    power /= x * x;
  }
  return sum;
}

FixedPoint PiByMachin(size_t limbs) { return Arctan(16, 5, limbs) -= Arctan(4, 239, limbs); }

FixedPoint Distance(const FixedPoint& a, const FixedPoint& b) {
  return FixedPoint(std::max(a, b)) -= std::min(a, b);
}

}  // namespace

// Computes pi to so many DIGITS. The master asks for up to ten terms from each worker, and for one
// more with every answer until a term is too small to matter. Checks that each term has been added
// once, and the digits against those by Machin's formula. op = term.
absl::StatusOr<Result> PiPrecision(Arguments& arguments) {
  const int64_t digits = arguments.Number(0, 5'000);
  const int64_t actors = arguments.Number(1, 20);
  if (digits > 1'000'000) return absl::InvalidArgumentError("at most 1000000 digits");
  const size_t limbs = LimbsFor(digits);
  const Task task{digits, actors, limbs, TenToMinus(digits, limbs)};
  FixedPoint pi(0, limbs);
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  system.Spawn<Master>(measurement, task, pi);
  const int64_t terms = measurement.Await();
  if (pi != SumOfTerms(terms, limbs)) return absl::InternalError("a term is lost or came twice");
  if (Distance(pi, PiByMachin(limbs)) > task.tolerance) return absl::InternalError("wrong digits");
  return Result{measurement.seconds(), terms, ""};
}

}  // namespace troupe::bench
