// Simulated: a System that its test turns by hand, and all it said about lost messages.
#ifndef TROUPE_TESTS_ACTORS_SIMULATED_H_
#define TROUPE_TESTS_ACTORS_SIMULATED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

namespace troupe {

class Simulated : public ::testing::Test {
 protected:
  void Run() { loop_.RunUntilIdle(); }
  void Advance(absl::Duration by) { loop_.Advance(by); }
  uint64_t LettersFor(DeadLetterReason reason) const {
    return system_.stats().dead_letters[static_cast<size_t>(reason)];
  }

  // Something that outlives the actors which write to it; a test's own variables do not.
  template <class T>
  T& Keep() {
    auto kept = std::make_shared<T>();
    kept_.push_back(kept);
    return *kept;
  }

  // An actor whose one handler is `body`, after it has had its first message.
  template <class M, class F>
  auto Begun(F body) {
    auto actor = system_.Spawn(std::move(body));
    actor.Send(M{});
    Run();
    return actor;
  }

 private:
  std::vector<std::shared_ptr<void>> kept_;

 protected:
  ManualScheduler loop_;
  std::vector<DeadLetter> letters_;
  System system_{{.scheduler = &loop_,
                  .on_dead_letter = [this](const DeadLetter& d) { letters_.push_back(d); }}};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_SIMULATED_H_
