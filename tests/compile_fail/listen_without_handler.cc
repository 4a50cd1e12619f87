// Listens to a mailbox of messages that the actor has no handler for.
#include "troupe/troupe.h"

struct Job {
  int number;
};
struct Note {};

class Clerk {
 public:
  explicit Clerk(troupe::Receiver<Job> jobs) : jobs_(std::move(jobs)) {}
  void OnStart(troupe::Context& self) { ListenTo(this, self, std::move(jobs_)); }
  void On(Note) {}

 private:
  troupe::Receiver<Job> jobs_;
};

void Use(troupe::System& system, troupe::Receiver<Job> jobs) {
  system.Spawn<Clerk>(std::move(jobs));
}
