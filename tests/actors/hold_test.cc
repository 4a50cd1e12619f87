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
class HoldTest : public Simulated {};

TEST_F(HoldTest, MessagesWaitInOrderUntilTheAnswerIsThere) {
  Log& log = Keep<Log>();
  const auto gate = system_.Spawn<Gate>();
  const auto writer = system_.Spawn<Writer>(gate, log);
  writer.Send(Line{1});
  writer.Send(Note{2});
  writer.Send(Line{3});
  writer.Send(Note{4});
  Run();
  EXPECT_EQ(log, Log{"line 1"});
  gate.Send(Go{});
  Run();
  EXPECT_EQ(log, (Log{"line 1", "room 2", "note 2", "line 3"}));
  gate.Send(Go{});
  Run();
  EXPECT_EQ(log, (Log{"line 1", "room 2", "note 2", "line 3", "room 6", "note 4"}));
}

TEST_F(HoldTest, ABoundedMailboxFillsMeanwhile) {
  Log& log = Keep<Log>();
  const auto gate = system_.Spawn<Gate>();
  const auto writer =
      system_.Spawn<Writer>(ActorOptions{.capacity = 2, .when_full = WhenFull::kFail}, gate, log);
  writer.Send(Line{1});
  Run();
  EXPECT_EQ(writer.Send(Note{1}), SendResult::kQueued);
  EXPECT_EQ(writer.Send(Note{2}), SendResult::kQueued);
  EXPECT_EQ(writer.Send(Note{3}), SendResult::kFull);
  gate.Send(Go{});
  Run();
  EXPECT_EQ(log, (Log{"line 1", "room 2", "note 1", "note 2"}));
}

TEST_F(HoldTest, AnAnswerThatNeverComesIsAnErrorAndTheEndOfTheHold) {
  Log& log = Keep<Log>();
  const auto gate = system_.Spawn<Gate>();
  const auto writer = system_.Spawn<Writer>(gate, log);
  writer.Send(Line{1});
  writer.Send(Note{2});
  Run();
  gate.Stop();
  Run();
  EXPECT_EQ(log, (Log{"line 1", "no room", "note 2"}));
}

TEST_F(HoldTest, AnActorThatIsHeldCanBeStopped) {
  Log& log = Keep<Log>();
  const auto gate = system_.Spawn<Gate>();
  const auto writer = system_.Spawn<Writer>(gate, log);
  writer.Send(Line{1});
  writer.Send(Note{2});
  Run();
  writer.Stop();
  Run();
  EXPECT_EQ(writer.Send(Note{3}), SendResult::kClosed);
  gate.Send(Go{});
  Run();
  EXPECT_EQ(log, Log{"line 1"});
}

}  // namespace
}  // namespace troupe
