// ./bazelw run //examples:hello
//
// The smallest Troupe program: one actor, one question, one answer.
#include <iostream>
#include <string>

#include "troupe/troupe.h"

// A message is a plain struct. `Reply` makes it a question and names the type of the answer.
struct Greet {
  using Reply = std::string;
  std::string name;
};

// An actor is a plain class with one On() for each message. It handles one message at a time, so
// its data needs no lock.
class Greeter {
 public:
  std::string On(const Greet& greet) {
    ++guests_;
    return "Hello, " + greet.name + "! You are guest number " + std::to_string(guests_) + ".";
  }

 private:
  int guests_ = 0;
};

int main(int argc, char** argv) {
  troupe::System system;  // starts the worker threads; its destructor ends actors and threads
  troupe::ActorRef<Greeter> greeter = system.Spawn<Greeter>();

  for (std::string name : {"Ada", "Grace", argc > 1 ? argv[1] : "world"}) {
    // Ask sends the question and Wait sleeps until the answer is there: the greeting, or a Status
    // that says why there is none.
    absl::StatusOr<std::string> greeting = greeter.Ask(Greet{name}).Wait();
    std::cout << (greeting.ok() ? *greeting : greeting.status().ToString()) << "\n";
  }
}
