// HoldUntil: messages wait, in order, until an answer is there.
#include "troupe/actors/hold.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/actors/gate.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Line {
  int n;
};
struct Note {
  int n;
};

// Holds at each Line until the gate has answered.
class Writer {
 public:
  Writer(ActorRef<Gate> gate, std::vector<std::string>& log) : gate_(gate), log_(log) {}
  void On(Line line, Context& self) {
    log_.push_back("line " + std::to_string(line.n));
    HoldUntil(self, gate_.Ask(Double{line.n}), [this](absl::StatusOr<int> answer, Context&) {
      log_.push_back(answer.ok() ? "room " + std::to_string(*answer) : "no room");
    });
  }
  void On(Note note) { log_.push_back("note " + std::to_string(note.n)); }

 private:
  ActorRef<Gate> gate_;
  std::vector<std::string>& log_;
};

using Log = std::vector<std::string>;
class HoldTest : public Simulated {
 protected:
  Log& log_ = Keep<Log>();
  const ActorRef<Gate> gate_ = system_.Spawn<Gate>();
  const ActorRef<Writer> writer_ = system_.Spawn<Writer>(gate_, log_);
};

TEST_F(HoldTest, MessagesWaitInOrderUntilTheAnswerIsThere) {
  writer_.Send(Line{1});
  writer_.Send(Note{2});
  writer_.Send(Line{3});
  writer_.Send(Note{4});
  Run();
  EXPECT_EQ(log_, Log{"line 1"});
  gate_.Send(Go{});
  Run();
  EXPECT_EQ(log_, (Log{"line 1", "room 2", "note 2", "line 3"}));
  gate_.Send(Go{});
  Run();
  EXPECT_EQ(log_, (Log{"line 1", "room 2", "note 2", "line 3", "room 6", "note 4"}));
}

TEST_F(HoldTest, ABoundedMailboxFillsMeanwhile) {
  const auto writer =
      system_.Spawn<Writer>(ActorOptions{.capacity = 2, .when_full = WhenFull::kFail}, gate_, log_);
  writer.Send(Line{1});
  Run();
  EXPECT_EQ(writer.Send(Note{1}), SendResult::kQueued);
  EXPECT_EQ(writer.Send(Note{2}), SendResult::kQueued);
  EXPECT_EQ(writer.Send(Note{3}), SendResult::kFull);
  gate_.Send(Go{});
  Run();
  EXPECT_EQ(log_, (Log{"line 1", "room 2", "note 1", "note 2"}));
}

TEST_F(HoldTest, AnAnswerThatNeverComesIsAnErrorAndTheEndOfTheHold) {
  writer_.Send(Line{1});
  writer_.Send(Note{2});
  Run();
  gate_.Stop();
  Run();
  EXPECT_EQ(log_, (Log{"line 1", "no room", "note 2"}));
}

TEST_F(HoldTest, AnActorThatIsHeldCanBeStopped) {
  writer_.Send(Line{1});
  writer_.Send(Note{2});
  Run();
  writer_.Stop();
  Run();
  EXPECT_EQ(writer_.Send(Note{3}), SendResult::kClosed);
  gate_.Send(Go{});
  Run();
  EXPECT_EQ(log_, Log{"line 1"});
}

}  // namespace
}  // namespace troupe
