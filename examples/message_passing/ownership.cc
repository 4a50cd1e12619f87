// ./bazelw run //examples/message_passing:ownership
//
// Whose is a mailbox? Who owns it receives, others can only send. The right to receive can be given
// away, with all that waits; and a mailbox may belong to the system, and outlive its receivers.
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "troupe/troupe.h"

struct Job {
  int number;
};
struct Take {
  troupe::Receiver<Job> inbox;  // a right, in a message
};
struct HowMany {
  using Reply = int;
};

class Worker {
 public:
  void On(Take take) { inbox_ = std::move(take.inbox); }
  int On(HowMany) {
    int jobs = 0;
    while (inbox_.TryReceive()) ++jobs;
    return jobs;
  }

 private:
  troupe::Receiver<Job> inbox_;  // so the mailbox ends with this actor
};

int main() {
  troupe::System system;

  // The creator is the owner. What it gives to others is the right to send.
  auto [jobs, inbox] = system.OpenMailbox<Job>("jobs");
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});

  // It passes the mailbox on, backlog included. Those who send do not notice.
  auto worker = system.Spawn<Worker>();
  worker.Send(Take{std::move(inbox)});
  jobs.Send(Job{4});
  std::cout << "the worker has " << *worker.Ask(HowMany{}).Wait() << " jobs\n";

  // The owner ends, and with it the mailbox: who holds a right to send is told.
  worker.Stop();
  std::cout << "closed: " << jobs.Closed().Wait() << "\n";
  std::cout << "send: " << troupe::ToString(jobs.Send(Job{5})) << "\n";

  // One of the system's own stays, with its backlog, when its receiver goes.
  auto [orders, desk] = system.OpenMailbox<Job>("orders", {.owner = troupe::MailboxOwner::kSystem});
  orders.Send(Job{6});
  desk = {};
  orders.Send(Job{7});
  troupe::Receiver<Job> next = *system.AttachReceiver<Job>("orders");
  std::cout << "still there: " << next.stats().depth << "\n";

  // Deleting it is an operation of its own. It says how much was lost, or is left to receive.
  std::cout << "left to receive: " << next.Close(troupe::Backlog::kDrain) << "\n";
  std::cout << "the first: " << next.TryReceive()->message.number << "\n";
}
