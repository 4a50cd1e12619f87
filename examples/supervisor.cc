// ./bazelw run //examples:supervisor
//
// A parser that fails on some lines, supervised: it is made anew, its ref stays valid, and the lines
// that wait are parsed by its next life. When it fails too often its supervisor gives up.
#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct Line {
  std::string text;
};
struct Total {
  using Reply = int;
};

class Sum {
 public:
  void On(int number) { total_ += number; }
  int On(Total) { return total_; }

 private:
  int total_ = 0;
};

class Parser {
 public:
  explicit Parser(troupe::ActorRef<Sum> sum) : sum_(sum) {}
  void OnStart() { std::cout << "parser starts\n"; }
  void On(Line line) {
    try {
      sum_.Send(std::stoi(line.text));
    } catch (const std::exception&) {
      throw std::runtime_error("not a number: " + line.text);  // ends this life of the parser
    }
  }

 private:
  troupe::ActorRef<Sum> sum_;
};

int main() {
  troupe::ManualScheduler loop;  // no threads, so that the output is the same every time
  troupe::System system({.scheduler = &loop});

  troupe::SupervisorTree tree(system, {.intensity = 2, .period = absl::Seconds(10)});
  auto sum = tree.Add<Sum>({.name = "sum"});
  auto parser = tree.Add<Parser>({.name = "parser", .backoff = {.min = absl::Seconds(1)}}, sum);
  auto root = tree.Start();

  for (const char* text : {"1", "two", "3", "four", "5"}) parser.Send(Line{text});
  loop.Advance(absl::Seconds(5));
  std::cout << "sum: " << sum.Ask(Total{}).Wait().value() << "\n";

  parser.Send(Line{"six"});  // the third failure in ten seconds
  absl::StatusOr<troupe::Down> down = system.Join(root);
  std::cout << down->status.message() << "\n";
}
