// ./bazelw run //examples/message_passing:places
//
// The same between two processes. Rights are what travels: to send to a mailbox, to send to an actor, and to
// receive, with all that waits. Who holds one need not know where the other is.
#include <unistd.h>

#include <iostream>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

struct Job {
  int number;
};
struct Take {
  troupe::Receiver<Job> inbox;
};
struct Apply {
  troupe::Recipient<Take> worker;
};
struct Report {
  std::string text;
};

// The other process: sends three jobs, applies for the right to receive them, and ends after three more.
int Work(const std::string& address) {
  troupe::System system;
  troupe::Node node(system);
  absl::StatusOr<troupe::Peer> office = node.Connect(address).Wait();
  for (int tries = 1; !office.ok() && tries < 1000; ++tries) {  // it does not listen yet
    absl::SleepFor(absl::Milliseconds(10));
    office = node.Connect(address).Wait();
  }
  if (!office.ok()) {
    std::cerr << office.status() << "\n";
    return 1;
  }
  troupe::Sender<Job> jobs = office->FindMailbox<Job>("jobs").Wait().value();
  troupe::Sender<Report> reports = office->FindMailbox<Report>("reports").Wait().value();
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});

  auto [rights, mine] = system.OpenMailbox<Take>();
  auto worker = system.Spawn([rights = rights](Take take) { rights.Send(std::move(take)); });
  office->FindMailbox<Apply>("applications").Wait().value().Send(Apply{worker});
  troupe::Receiver<Job> inbox = std::move(mine.Receive().Wait()->message.inbox);
  std::string received;
  for (int i = 0; i < 3; ++i)
    received += " " + std::to_string(inbox.Receive().Wait()->message.number);
  reports.Send(Report{"the other process received" + received});
  return node.Drain(absl::Seconds(10)).ok() ? 0 : 1;
}

int main() {
  const std::string address = "unix:///tmp/troupe-places-" + std::to_string(::getpid());
  if (::fork() == 0) return Work(address);

  troupe::System system;
  auto [jobs, inbox] = system.OpenMailbox<Job>("jobs");
  auto [applications, desk] = system.OpenMailbox<Apply>();
  auto [reports, news] = system.OpenMailbox<Report>();
  troupe::Node node(system);
  absl::Status open = node.PublishMailbox("jobs", jobs);
  open.Update(node.PublishMailbox("applications", applications));
  open.Update(node.PublishMailbox("reports", reports));
  open.Update(node.Listen(address).status());
  if (!open.ok()) {
    std::cerr << open << "\n";
    return 1;
  }

  // A right to send is good for the same over there. A full mailbox would hold up its senders, too.
  for (int i = 0; i < 3; ++i) {
    std::cout << "job " << inbox.Receive().Wait()->message.number << " from another process\n";
  }

  // The right to receive goes, backlog included. Senders do not notice: the mailbox stays what it is to them.
  troupe::Recipient<Take> worker = desk.Receive().Wait()->message.worker;
  jobs.Send(Job{4});
  worker.Send(Take{std::move(inbox)});
  jobs.Send(Job{5});
  jobs.Send(Job{6});
  std::cout << news.Receive().Wait()->message.text << "\n";

  // And its owner's end is the end of the mailbox, wherever he is.
  std::cout << "closed: " << jobs.Closed().Wait() << "\n";
  std::cout << "send: " << troupe::ToString(jobs.Send(Job{7})) << "\n";
}
