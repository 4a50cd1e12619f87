// SupervisedWorker: a child that writes down its lives, and fails when it is told to.
#ifndef TROUPE_TESTS_ACTORS_SUPERVISED_WORKER_H_
#define TROUPE_TESTS_ACTORS_SUPERVISED_WORKER_H_

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "tests/actors/diarist.h"
#include "troupe/troupe.h"

namespace troupe {

struct Crash {
  std::string why = "crash";
};
struct CrashAnswering {
  using Reply = int;
};
struct GiveUp {};
// How many messages it has handled in this life.
struct Handled {
  using Reply = int;
};

// What the test decides about lives to come.
struct Fate {
  int constructors_that_throw = 0;
  int starts_that_throw = 0;
};

class SupervisedWorker {
 public:
  SupervisedWorker(std::string name, Log& log, Fate& fate)
      : name_(std::move(name)), log_(log), fate_(fate) {
    if (fate_.constructors_that_throw > 0) {
      --fate_.constructors_that_throw;
      throw std::runtime_error(name_ + " cannot be made");
    }
  }
  ~SupervisedWorker() { Write("gone"); }

  void OnStart() {
    if (fate_.starts_that_throw > 0) {
      --fate_.starts_that_throw;
      throw std::runtime_error(name_ + " cannot start");
    }
    Write("start");
  }
  void OnStop() { Write("stop"); }
  void On(Say m) {
    ++handled_;
    Write(m.text);
  }
  void On(Crash m) { throw std::runtime_error(m.why); }
  int On(CrashAnswering) { throw std::runtime_error("crashed while asked"); }
  void On(GiveUp, Context& self) { self.Fail(absl::DataLossError("gave up")); }
  void On(Quit, Context& self) { self.Stop(); }
  int On(Handled) { return handled_; }

 private:
  void Write(const std::string& what) { log_.push_back(name_ + " " + what); }

  std::string name_;
  Log& log_;
  Fate& fate_;
  int handled_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_SUPERVISED_WORKER_H_
