// ./bazelw run //examples:worker_pool
//
// Counts the primes below a million: a pool cuts the work into jobs, and each worker gets its next
// job when it is done with the last, so that all are busy until the end.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <thread>
#include <utility>

#include "troupe/troupe.h"

struct CountPrimes {
  using Reply = int;
  int from, to;  // from <= n < to
};

bool IsPrime(int n) {
  for (int divisor = 2; divisor <= n / divisor; ++divisor) {
    if (n % divisor == 0) return false;
  }
  return n >= 2;
}

class Worker {
 public:
  int On(CountPrimes range) {
    int primes = 0;
    for (int n = range.from; n < range.to; ++n) primes += IsPrime(n);
    return primes;
  }
};

// The pool answers the same question as a worker: who asks need not know which of them it is.
class Pool {
 public:
  explicit Pool(int workers) : workers_(workers) {}

  void On(CountPrimes all, troupe::Reply<int> reply, troupe::Context& self) {
    left_ = all;
    reply_ = std::move(reply);
    for (int i = 0; i < workers_; ++i) NextJob(self.Spawn<Worker>(), self);
  }

 private:
  void NextJob(troupe::ActorRef<Worker> worker, troupe::Context& self) {
    constexpr int kJobSize = 10'000;
    if (left_.from >= left_.to) return;
    CountPrimes job{left_.from, std::min(left_.from + kJobSize, left_.to)};
    left_.from = job.to;
    ++running_;
    worker.Ask(job, absl::InfiniteDuration())
        .Then(self, [this, worker](absl::StatusOr<int> primes, troupe::Context& self) {
          if (!primes.ok()) return reply_.Send(primes.status());
          primes_ += *primes;
          --running_;
          NextJob(worker, self);
          if (running_ == 0) reply_.Send(primes_);
        });
  }

  const int workers_;
  CountPrimes left_ = {0, 0};
  int running_ = 0;
  int primes_ = 0;
  troupe::Reply<int> reply_;
};

int main() {
  troupe::System system;
  auto pool = system.Spawn<Pool>(std::max(1u, std::thread::hardware_concurrency()));
  absl::StatusOr<int> primes = pool.Ask(CountPrimes{0, 1'000'000}, absl::InfiniteDuration()).Wait();
  if (!primes.ok()) {
    std::cerr << primes.status() << "\n";
    return 1;
  }
  std::cout << "There are " << *primes << " primes below a million.\n";
}
