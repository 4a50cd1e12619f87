// Has numbers factored by workers in other processes, who may come, go and crash at any time.
//
//   seq 1000000007 1000000107 | ./bazelw run //examples/remote_workers:foreman -- unix:///tmp/work.sock
#include <cstdint>
#include <deque>
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/remote_workers/factor.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace {

struct Job {
  uint64_t number;
};
struct AwaitAll {
  using Reply = void;
};

// A job is in hand until its answer is there. The ask fails at once when its worker's process is gone; then
// it goes to the next one, as the first of all. So each result is reported once, though a job may be
// begun twice.
class Foreman {
 public:
  void On(Job job, troupe::Context& self) {
    jobs_.push_back(job);
    Distribute(self);
  }
  void On(workers::Hire m, troupe::Context& self) {
    std::cout << "hired" << std::endl;
    idle_.push_back(m.worker);
    Distribute(self);
  }
  void On(AwaitAll, troupe::Reply<void> reply) {
    all_done_ = std::move(reply);
    TellIfDone();
  }

 private:
  void Distribute(troupe::Context& self) {
    while (!jobs_.empty() && !idle_.empty()) {
      const workers::Worker worker = std::exchange(idle_.front(), {});
      const Job job = jobs_.front();
      idle_.pop_front();
      jobs_.pop_front();
      ++in_hand_;
      worker.Ask(workers::Factor{job.number}, absl::InfiniteDuration())
          .Then(self,
                [this, worker, job](absl::StatusOr<std::string> result, troupe::Context& now) {
                  --in_hand_;
                  Take(worker, job, result, now);
                });
    }
  }
  void Take(const workers::Worker& worker, Job job, const absl::StatusOr<std::string>& result,
            troupe::Context& self) {
    if (!result.ok() && absl::IsUnavailable(result.status())) {
      std::cout << "lost" << std::endl;
      jobs_.push_front(job);
    } else {
      std::cout << (result.ok() ? *result : result.status().ToString()) << std::endl;
      idle_.push_back(worker);
    }
    Distribute(self);
    TellIfDone();
  }
  void TellIfDone() {
    if (jobs_.empty() && in_hand_ == 0) all_done_.Send();
  }

  std::deque<Job> jobs_;
  std::deque<workers::Worker> idle_;
  uint64_t in_hand_ = 0;
  troupe::Reply<void> all_done_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string address = argc > 1 ? argv[1] : "unix:///tmp/work.sock";
  troupe::System system;
  troupe::Node node(system, {.name = "foreman"});
  const auto foreman = system.Spawn<Foreman>();
  absl::Status status = node.Publish<workers::Hire>("foreman", foreman);
  if (status.ok()) status = node.Listen(address).status();
  if (!status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
  std::cout << "open" << std::endl;
  for (uint64_t number; std::cin >> number;) foreman.Send(Job{number});
  foreman.Ask(AwaitAll{}, absl::InfiniteDuration()).Wait().IgnoreError();
}
