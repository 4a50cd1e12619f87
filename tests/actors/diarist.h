// Diarist: an actor that writes down what happens to it.
#ifndef TROUPE_TESTS_ACTORS_DIARIST_H_
#define TROUPE_TESTS_ACTORS_DIARIST_H_

#include <string>
#include <utility>
#include <vector>

#include "troupe/troupe.h"

namespace troupe {

using Log = std::vector<std::string>;

struct Say {
  std::string text;
};
struct Quit {};

class Diarist {
 public:
  Diarist(std::string name, Log& log) : name_(std::move(name)), log_(log) { Write("born"); }
  ~Diarist() { Write("gone"); }
  void OnStart() { Write("start"); }
  void OnStop() { Write("stop"); }
  void On(Say m) { Write(m.text); }
  void On(Quit, Context& self) {
    self.Stop();
    Write("quitting");
  }

 private:
  void Write(const std::string& what) { log_.push_back(name_ + " " + what); }

  std::string name_;
  Log& log_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_DIARIST_H_
