// ./bazelw run //examples/message_passing:synchronous
//
// Synchronous or asynchronous: whether a send, or a receive, waits. Any of these goes with any other.
#include <iostream>
#include <string>
#include <utility>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct Job {
  int number;
};
struct Go {};

// Takes one job for each Go, when it comes to it.
class Slow {
 public:
  explicit Slow(troupe::Receiver<Job> inbox) : inbox_(std::move(inbox)) {}
  troupe::Task<> On(Go) {
    absl::StatusOr<troupe::Received<Job>> job = co_await inbox_.Receive();  // holds no thread
    std::cout << "  took " << job->message.number << "\n";
  }

 private:
  troupe::Receiver<Job> inbox_;
};

int main() {
  troupe::ManualScheduler loop;  // no threads: what happens when is for this program to say
  troupe::System system({.scheduler = &loop});
  auto [jobs, inbox] = system.OpenMailbox<Job>("", {.capacity = 1});
  auto second = *inbox.Share();
  auto slow = system.Spawn<Slow>(std::move(inbox));

  // Non-blocking send: goes on, and is told at once if the message was refused.
  std::cout << "try: " << troupe::ToString(jobs.TrySend(Job{1})) << "\n";
  std::cout << "try: " << troupe::ToString(jobs.TrySend(Job{2})) << "\n";

  // Blocking send, until the mailbox has it. The loop runs meanwhile, and Slow makes room.
  slow.Send(Go{});
  absl::Status done = jobs.Enqueue(Job{3}).Wait();
  std::cout << "enqueue: " << done << "\n";

  // Blocking send, until a receiver has it.
  slow.Send(Go{});
  slow.Send(Go{});
  done = jobs.Deliver(Job{4}).Wait();
  std::cout << "deliver: " << done << "\n";

  // A send with a deadline is either done in time, or never.
  std::cout << "deliver: " << jobs.Deliver(Job{5}, absl::Seconds(1)).Wait().code() << "\n";

  // Non-blocking receive: a message or nothing. Blocking receive, with a deadline.
  std::cout << "receive: " << (second.TryReceive() ? "a job" : "nothing") << "\n";
  std::cout << "receive: " << second.Receive(absl::Seconds(1)).Wait().status().code() << "\n";

  // From whichever of several has something first, and so with a deadline for all of them.
  auto [notes, others] = system.OpenMailbox<Job>();
  auto either = Select(second, others).Within(absl::Seconds(1)).Wait();
  std::cout << "select: " << either.status().code() << "\n";

  // Both block, and nothing lies in between: a rendezvous.
  auto [meet, here] = system.OpenMailbox<Job>("", {.capacity = 0});
  auto other = system.Spawn<Slow>(std::move(here));
  other.Send(Go{});
  done = meet.Enqueue(Job{6}).Wait();
  std::cout << "rendezvous: " << done << "\n";
}
