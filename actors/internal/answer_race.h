// AnswerRace: which of several answers counts: the first good one or, once all have failed, the last
// error.
#ifndef TROUPE_ACTORS_INTERNAL_ANSWER_RACE_H_
#define TROUPE_ACTORS_INTERNAL_ANSWER_RACE_H_

#include <atomic>
#include <cstddef>

namespace troupe::internal {

class AnswerRace {
 public:
  explicit AnswerRace(size_t answers) : still_to_fail_(answers) {}

  // Any thread tells it of each answer once: whether this is the one that counts.
  bool Decides(bool good) { return good ? !won_.exchange(true) : still_to_fail_.fetch_sub(1) == 1; }

 private:
  std::atomic<bool> won_{false};
  std::atomic<size_t> still_to_fail_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ANSWER_RACE_H_
