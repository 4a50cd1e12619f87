// Awaiting: a test fixture for handlers that wait for answers which the test gives.
#ifndef TROUPE_TESTS_ACTORS_AWAITING_H_
#define TROUPE_TESTS_ACTORS_AWAITING_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {

using Notes = std::vector<std::string>;

// Answers when the test says so.
struct Get {
  using Reply = int;
};
class Slow {
 public:
  explicit Slow(std::vector<Reply<int>>& asked) : asked_(asked) {}
  void On(Get, Reply<int> reply) { asked_.push_back(std::move(reply)); }

 private:
  std::vector<Reply<int>>& asked_;
};

struct Note {
  std::string text;
};
struct Go {};
struct Sum {
  using Reply = int;
};

class Awaiting : public Simulated {
 protected:
  void Answer(int with, size_t which = 0) {
    asked_.at(which).Send(with);
    Run();
  }
  int AskedAndWaiting() const {
    int waiting = 0;
    for (const Reply<int>& reply : asked_) waiting += static_cast<bool>(reply);
    return waiting;
  }

  std::vector<Reply<int>>& asked_ = Keep<std::vector<Reply<int>>>();
  Notes& notes_ = Keep<Notes>();
  ActorRef<Slow> slow_ = system_.Spawn<Slow>(asked_);
};

// Notes what it does; its handler of Go waits for a Get.
class Waiter {
 public:
  Waiter(Recipient<Get> from, Notes& notes) : from_(from), notes_(notes) {}
  Task<> On(Go) {
    notes_.push_back("asks");
    absl::StatusOr<int> got = co_await from_.Ask(Get{});
    notes_.push_back(got.ok() ? "got " + std::to_string(*got) : got.status().ToString());
  }
  void On(Note note) { notes_.push_back(note.text); }

 private:
  Recipient<Get> from_;
  Notes& notes_;
};

// Notes its own end.
struct Noted {
  Noted(Notes& n, std::string w) : notes(n), what(std::move(w)) {}
  Noted(const Noted&) = delete;
  ~Noted() { notes.push_back(what); }
  Notes& notes;
  std::string what;
};

// Waits two coroutines deep, with something to unwind in each.
struct Nested {
  Recipient<Get> from;
  Notes& notes;
  Noted member{notes, "actor gone"};

  Task<int> Inner() {
    Noted noted(notes, "inner unwound");
    co_return (co_await from.Ask(Get{})).value_or(-1);
  }
  Task<int> On(Sum) {
    Noted noted(notes, "outer unwound");
    co_return co_await Inner();
  }
  void On(Note) { notes.push_back("handled"); }
  void OnStop() { notes.push_back("OnStop"); }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_AWAITING_H_
