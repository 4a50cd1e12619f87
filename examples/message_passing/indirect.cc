// ./bazelw run //examples/message_passing:indirect
//
// Indirect communication: messages go to a mailbox and come out of it. Sender and receiver know the
// mailbox, and not each other. If several receive, the mailbox says who gets what. An actor may listen
// to mailboxes, and a mailbox may be asked.
#include <iostream>
#include <string>
#include <utility>

#include "troupe/troupe.h"

struct Job {
  int number;
};

struct WhoAreYou {
  using Reply = std::string;
};

// Handles what comes to the mailbox as if it had been sent to him.
class Clerk {
 public:
  Clerk(std::string name, troupe::Receiver<WhoAreYou> questions)
      : name_(name), questions_(std::move(questions)) {}
  void OnStart(troupe::Context& self) { ListenTo(this, self, std::move(questions_)); }
  std::string On(WhoAreYou) { return name_; }

 private:
  std::string name_;
  troupe::Receiver<WhoAreYou> questions_;
};

// Takes what there is, and says what it was.
std::string Drain(troupe::Receiver<Job>& from) {
  std::string numbers;
  while (auto job = from.TryReceive()) numbers += " " + std::to_string(job->message.number);
  return numbers.empty() ? " nothing" : numbers;
}

void Show(troupe::System& system, const char* how, troupe::MailboxOptions<Job> options) {
  auto [jobs, first] = system.OpenMailbox<Job>("", std::move(options));
  auto second = first.Share();  // one more right to receive: sharing is explicit
  for (int i = 1; i <= 4; ++i) jobs.Send(Job{i});
  std::cout << how << ": the first gets" << Drain(first);
  std::cout << ", the second"
            << (second.ok() ? Drain(*second) : ": " + std::string(second.status().message()))
            << "\n";
}

// Three wait. Who has answered waits again before the next question is asked.
void ShowTurns(troupe::System& system, const char* how, troupe::Receivers receivers) {
  auto [questions, inbox] = system.OpenMailbox<WhoAreYou>("", {.receivers = receivers});
  for (const char* name : {"Ann", "Ben", "Cem"}) {
    auto clerk = system.Spawn<Clerk>(name, inbox.Share().value());
    clerk.Ask(WhoAreYou{}).Wait().value();  // he has begun to listen
  }
  std::cout << how << ":";
  for (int i = 0; i < 6; ++i) std::cout << " " << questions.Ask(WhoAreYou{}).Wait().value();
  std::cout << "\n";
}

int main() {
  troupe::System system;

  // A mailbox has an identity, and a name if it is to be found by it.
  auto [jobs, inbox] = system.OpenMailbox<Job>("jobs");
  absl::StatusOr<troupe::Sender<Job>> found = system.FindMailbox<Job>("jobs");
  std::cout << "found: " << std::boolalpha << (*found == jobs) << "\n";

  // Two may talk through several mailboxes; what they mean by each is theirs.
  auto [urgent, urgent_inbox] = system.OpenMailbox<Job>("urgent");
  jobs.Send(Job{1});
  urgent.Send(Job{2});
  for (int i = 0; i < 2; ++i) {
    auto next = Select(urgent_inbox, inbox).Wait();  // the first named comes first
    std::cout << (next->index() == 0 ? "urgent" : "job") << "\n";
  }

  Show(system, "whoever comes first", {.receivers = troupe::Receivers::kFirstCome});
  Show(system, "each a copy", {.receivers = troupe::Receivers::kAll});
  Show(system, "by key",
       {.receivers = troupe::Receivers::kByKey, .key = [](const Job& j) { return j.number; }});
  Show(system, "two at most", {.receivers = troupe::Receivers::kExclusivePair});

  // Whoever receives a question owes the answer; who that is the asker need not know.
  ShowTurns(system, "in turn", troupe::Receivers::kRoundRobin);
  ShowTurns(system, "at random", troupe::Receivers::kRandom);

  // While one waits no other may.
  auto [questions, desk] =
      system.OpenMailbox<WhoAreYou>("", {.receivers = troupe::Receivers::kOneAtATime});
  auto clerk = system.Spawn<Clerk>("Ann", desk.Share().value());
  clerk.Ask(WhoAreYou{}).Wait().value();
  std::cout << "one at a time: " << desk.Receive().Wait().status().message() << "\n";
}
