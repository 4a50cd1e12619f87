// The sieve of Eratosthenes: a chain of actors that know some primes each and let pass what none of
// these divides.
#include <algorithm>
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

struct Candidate {
  int64_t number;
};
struct Last {    // behind the last candidate
  int64_t sent;  // candidates before this
  int64_t sum_of_primes = 0;
};

class PrimeFilter {
 public:
  PrimeFilter(Measurement& measurement, int64_t capacity, int64_t prime)
      : measurement_(measurement), capacity_(capacity), primes_{prime} {}

  void On(Candidate candidate, Context& self) {
    ++received_;
    const auto divides = [&](int64_t prime) { return candidate.number % prime == 0; };
    if (std::any_of(primes_.begin(), primes_.end(), divides)) return;
    if (next_) {
      ++passed_;
      next_.Send(candidate);
    } else if (std::ssize(primes_) < capacity_) {
      primes_.push_back(candidate.number);
    } else {
      next_ = self.Spawn<PrimeFilter>(measurement_, capacity_, candidate.number);
    }
  }
  void On(Last last) {
    // The sum would not show a candidate that came twice: the second time it is no prime.
    if (received_ != last.sent) return measurement_.End(-1);
    for (int64_t prime : primes_) last.sum_of_primes += prime;
    if (next_) {
      next_.Send(Last{passed_, last.sum_of_primes});
    } else {
      measurement_.End(last.sum_of_primes);
    }
  }

 private:
  Measurement& measurement_;
  const int64_t capacity_;
  std::vector<int64_t> primes_;
  ActorRef<PrimeFilter> next_;
  int64_t received_ = 0;
  int64_t passed_ = 0;
};

// From 3 on.
int64_t OddNumbersBelow(int64_t n) { return (n - 2) / 2; }

int64_t SumOfPrimesBelow(int64_t n) {
  std::vector<bool> composite(n);
  int64_t sum = 0;
  for (int64_t i = 2; i < n; ++i) {
    if (composite[i]) continue;
    sum += i;
    for (int64_t multiple = 2 * i; multiple < n; multiple += i) composite[multiple] = true;
  }
  return sum;
}

}  // namespace

// The odd numbers below N, sent in one handler, go through a chain of filters. A number that passes
// the last one is a prime: that filter keeps it or, if it has PRIMES, makes the next one for it. Until
// all numbers have been through. op = number.
absl::StatusOr<Result> Sieve(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 100'000);
  const int64_t capacity = arguments.Number(1, 1000);
  if (n < 4) return absl::InvalidArgumentError("N must be 4 at least");
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto filter = system.Spawn<PrimeFilter>(measurement, capacity, 2);
  auto producer = system.Spawn([filter, n](Start) {
    for (int64_t number = 3; number < n; number += 2) filter.Send(Candidate{number});
    filter.Send(Last{OddNumbersBelow(n)});
  });
  measurement.Begin();
  producer.Send(Start{});
  const int64_t sum = measurement.Await();
  if (absl::Status s = Expect("sum of the primes", sum, SumOfPrimesBelow(n)); !s.ok()) return s;
  return Result{measurement.seconds(), OddNumbersBelow(n), ""};
}

}  // namespace troupe::bench
