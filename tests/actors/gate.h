// Who asks and who answers in the tests of asks.
#ifndef TROUPE_TESTS_ACTORS_GATE_H_
#define TROUPE_TESTS_ACTORS_GATE_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/troupe.h"

namespace troupe {

struct Double {
  using Reply = int;
  int n;
};
struct Go {};

// Keeps the duty to answer until it is told to.
class Gate {
 public:
  void On(Double m, Reply<int> reply) { waiting_.emplace_back(m.n, std::move(reply)); }
  void On(Go) {
    for (auto& [n, reply] : waiting_) reply.Send(2 * n);
    waiting_.clear();
  }

 private:
  std::vector<std::pair<int, Reply<int>>> waiting_;
};

// Asks `to` when it gets a Go, and notes the answer.
template <class To, class M = Double>
class Asker {
 public:
  using Answer = AskResult<typename M::Reply>;
  Asker(To to, M m, std::vector<Answer>& answers, absl::Duration timeout = kDefaultAskTimeout)
      : to_(to), message_(m), answers_(answers), timeout_(timeout) {}
  void On(Go, Context& self) {
    to_.Ask(M(message_), timeout_).Then(self, [this](Answer answer) {
      answers_.push_back(std::move(answer));
    });
  }

 private:
  To to_;
  M message_;
  std::vector<Answer>& answers_;
  absl::Duration timeout_;
};
using Answers = std::vector<absl::StatusOr<int>>;

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_GATE_H_
