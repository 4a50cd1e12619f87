// The bulk lane as a peer may use it, and as it may not: a second stream of frames, in pieces.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/bridges/raw_peer.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

constexpr FrameHeader kBulk{.kind = FrameKind::kBulk, .lane = Lane::kBulk};

struct Note {
  std::string text;
};
struct Question {
  using Reply = std::string;
  std::string text;
};

class Desk {
 public:
  explicit Desk(std::atomic<int>& notes) : notes_(notes) {}
  void On(const Note&) { notes_.fetch_add(1); }
  std::string On(const Question& q) { return q.text; }

 private:
  std::atomic<int>& notes_;
};

class BulkTest : public testing::Test {
 protected:
  BulkTest() {
    EXPECT_TRUE((node_.Publish<Note, Question>("desk", system_.Spawn<Desk>(notes_))).ok());
    EXPECT_TRUE(node_.Listen("unix://" + path_).ok());
  }
  static internal::WireRef FindDesk(RawPeer& peer) { return peer.Meet<Note, Question>("desk"); }

  const std::string path_ = absl::StrCat("/tmp/troupe-bulk-test-", ::getpid());
  std::atomic<int> notes_ = 0;
  System system_;
  Node node_{system_, {.max_frame = 65536, .window = 4096}};
};

TEST_F(BulkTest, BulkMayBeCutAnywhereAndOtherFramesGoBetween) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  const std::string note = MakeFrame(To(desk, TypeOf<Note>()), Encode(Note{"hi"}));
  for (const char byte : note + note) {
    peer.Send({.kind = FrameKind::kPing, .lane = Lane::kControl});
    peer.Send(kBulk, std::string_view(&byte, 1));
  }
  peer.Send(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"all?"}));
  peer.Await(FrameKind::kAnswer);
  EXPECT_EQ(notes_.load(), 2);
}

TEST_F(BulkTest, BulkThatIsNeverCompleteHoldsUpNothingElse) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  const std::string note = MakeFrame(To(desk, TypeOf<Note>()), Encode(Note{"hi"}));
  peer.Send(kBulk, std::string_view(note).substr(0, note.size() - 1));
  peer.Send(To(desk, TypeOf<Note>()), Encode(Note{"overtakes"}));
  peer.Send(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"here?"}));
  peer.Await(FrameKind::kAnswer);
  EXPECT_EQ(notes_.load(), 1);
}

TEST_F(BulkTest, BulkWithoutEndIsCutOffWhenItsBeginningSaysSo) {
  RawPeer peer(path_);
  peer.SendHello();
  peer.Send(kBulk, std::string("\xff\xff\xff\x7f", 4));
  EXPECT_TRUE(absl::StrContains(peer.AwaitBye(), "with a limit of 65536"));
}

TEST_F(BulkTest, BulkOfWhichAPieceIsMissingIsTheEnd) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  const std::string note = MakeFrame(To(desk, TypeOf<Note>()), Encode(Note{"0123456789"}));
  peer.Send(kBulk, std::string_view(note).substr(0, 20));
  peer.Send(kBulk, note.substr(24) + note);
  EXPECT_NE(peer.AwaitBye(), "no Bye");
  EXPECT_EQ(notes_.load(), 0);
}

TEST_F(BulkTest, NothingButOrdinaryFramesIsBulk) {
  const std::string inner = MakeFrame({.kind = FrameKind::kPing, .lane = Lane::kControl});
  for (const FrameHeader& header : {FrameHeader{.kind = FrameKind::kPing, .lane = Lane::kControl},
                                    kBulk,
                                    {.kind = FrameKind::kBulk, .lane = Lane::kOrdinary},
                                    {.kind = FrameKind::kHello, .lane = Lane::kOrdinary}}) {
    RawPeer peer(path_);
    peer.SendHello();
    peer.Send(kBulk, MakeFrame(header, inner));
    EXPECT_TRUE(absl::StartsWith(peer.AwaitBye(), "protocol: "));
  }
}

TEST_F(BulkTest, TheLaneOfBulkIsForBulkAlone) {
  for (const FrameHeader& header : {FrameHeader{.kind = FrameKind::kPing, .lane = Lane::kBulk},
                                    {.kind = FrameKind::kBulk, .lane = Lane::kOrdinary}}) {
    RawPeer peer(path_);
    peer.SendHello();
    peer.Send(header);
    EXPECT_TRUE(absl::StartsWith(peer.AwaitBye(), "protocol: bulk"));
  }
}

TEST_F(BulkTest, BulkBeforeHelloIsTheEnd) {
  RawPeer peer(path_);
  peer.Send(kBulk, "x");
  EXPECT_EQ(peer.AwaitBye(), "protocol: no Hello");
}

TEST_F(BulkTest, BulkTakesCreditAsAnythingElse) {
  std::promise<void> go;
  const auto slow =
      system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                    [may_go = go.get_future().share()](const Note&) { may_go.wait(); });
  ASSERT_TRUE(node_.Publish<Note>("slow", slow).ok());
  RawPeer peer(path_);
  peer.SendHello();
  const internal::WireRef to = peer.Find("slow", {TypeOf<Note>()});
  for (int i = 0; i < 100; ++i) {
    peer.Send(kBulk, MakeFrame(To(to, TypeOf<Note>()), Encode(Note{std::string(100, 'x')})));
  }
  EXPECT_EQ(peer.AwaitBye(), "protocol: more messages than its credit");
  go.set_value();
}

}  // namespace
}  // namespace troupe
