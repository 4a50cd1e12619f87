// Watching, and what becomes of an exception.
#include <iostream>
#include <stdexcept>

#include "troupe/troupe.h"

// clang-format off
// ---- README
struct Job { int number; };

struct Worker {
  void On(Job job) {
    if (job.number == 1) throw std::runtime_error("job 1 is broken");   // ends this actor alone
    std::cout << "job " << job.number << " done\n";
  }
};

struct Boss {
  void OnStart(troupe::Context& self) { Hire(self, Job{1}); }
  void On(troupe::Down down, troupe::Context& self) {                   // whom it watched has ended
    if (down.reason == troupe::ExitReason::kNormal) return self.Stop();
    std::cout << "failed: " << down.status.message() << "\n";
    Hire(self, Job{2});
  }
  void Hire(troupe::Context& self, Job job) {
    auto worker = self.Spawn<Worker>();                                 // a child ends with its parent
    self.Watch(worker);
    worker.Send(job);
    worker.Stop(troupe::StopWhen::kDrained);                            // after the job
  }
};
// ---- README
// clang-format on

int main() {
  troupe::System system;
  return system.Join(system.Spawn<Boss>()).ok() ? 0 : 1;
}
