#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/memory/footprints.h"
#include "troupe/troupe.h"

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h

namespace troupe::bench {
namespace {

struct Question {
  using Reply = int64_t;
  int64_t value;
};
struct Start {
  int64_t value;
};
struct AnswerAll {};

// Has room for n duties to answer before anything is measured, and answers when told to.
class Taker {
 public:
  explicit Taker(int64_t n) : replies_(static_cast<size_t>(n)) {}
  void On(Question question, Reply<int64_t> reply) {
    replies_[static_cast<size_t>(question.value)] = std::move(reply);
  }
  void On(AnswerAll) {
    for (size_t i = 0; i < replies_.size(); ++i) replies_[i].Send(static_cast<int64_t>(i));
  }

 private:
  std::vector<Reply<int64_t>> replies_;
};

// A handler that waits for an answer. One and the same body, for one actor with many handlers and
// for many actors with one.
template <template <class> class ReturnedTask>
class Waiter {
 public:
  Waiter(ActorRef<Taker> taker, int64_t& answers) : taker_(taker), answers_(answers) {}
  ReturnedTask<void> On(Start start) {
    const absl::StatusOr<int64_t> answer = co_await taker_.Ask(Question{start.value});
    if (answer.ok() && *answer == start.value) ++answers_;
  }

 private:
  const ActorRef<Taker> taker_;
  int64_t& answers_;
};

// Begins n handlers one after the other; their requests have left Taker's mailbox when it is
// measured.
absl::StatusOr<int64_t> Measure(int64_t n, const auto& begin, ManualScheduler& loop,
                                const ActorRef<Taker>& taker, const int64_t& answers) {
  const int64_t before = StatusKib("VmRSS");
  for (int64_t i = 0; i < n; ++i) {
    begin(i);
    loop.RunUntilIdle();
  }
  const int64_t kib = StatusKib("VmRSS") - before;
  taker.Send(AnswerAll{});
  loop.RunUntilIdle();
  if (absl::Status s = Expect("answers", answers, n); !s.ok()) return s;
  return kib;
}

}  // namespace

absl::StatusOr<int64_t> SuspendedHandler(int64_t n) {
  int64_t answers = 0;
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto taker = system.Spawn<Taker>(n);
  auto waiter = system.Spawn<Waiter<ReentrantTask>>(taker, answers);
  return Measure(n, [&](int64_t i) { waiter.Send(Start{i}); }, loop, taker, answers);
}

absl::StatusOr<int64_t> SuspendedActor(int64_t n) {
  int64_t answers = 0;
  ManualScheduler loop;
  System system({.scheduler = &loop});
  auto taker = system.Spawn<Taker>(n);
  return Measure(
      n, [&](int64_t i) { system.Spawn<Waiter<Task>>(taker, answers).Send(Start{i}); }, loop, taker,
      answers);
}

}  // namespace troupe::bench

#endif
