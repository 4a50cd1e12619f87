// A peer that says wrong things about mailboxes, and the rights to them: it is cut off, and nobody else is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/bridges/raw_peer.h"
#include "tests/bridges/watching.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Note {
  std::string text;
};
struct Question {
  using Reply = std::string;
  std::string text;
};
struct Introduce {
  Recipient<Note> whom;
};
struct Lend {
  Sender<Note> to;
};
struct LendAnother {
  Sender<Question> to;
};
struct Fetch {
  using Reply = Receiver<Note>;
};
struct TakeOver {
  Receiver<Note> notes;
};

class Desk {
 public:
  explicit Desk(std::atomic<int>& notes) : notes_(notes) {}
  void On(const Note&) { notes_.fetch_add(1); }
  std::string On(const Question& q) { return q.text; }
  void On(Introduce) {}
  void On(Lend) {}
  void On(LendAnother) {}
  Receiver<Note> On(Fetch, Context& self) {
    auto [notes, inbox] = self.OpenMailbox<Note>();
    notes.Send(Note{"left"});
    return std::move(inbox);
  }
  void On(TakeOver m) { taken_.push_back(std::move(m.notes)); }

 private:
  std::atomic<int>& notes_;
  std::vector<Receiver<Note>> taken_;
};

class HostileRightsTest : public testing::Test {
 protected:
  HostileRightsTest() {
    const auto desk = system_.Spawn<Desk>(notes_);
    const absl::Status published =
        node_.Publish<Note, Question, Introduce, Lend, LendAnother, Fetch, TakeOver>("desk", desk);
    EXPECT_TRUE(published.ok()) << published;
    EXPECT_TRUE(node_.Listen("unix://" + path_).ok());
  }
  ~HostileRightsTest() override { ExpectServed<Question>(path_); }

  internal::WireRef FindDesk(RawPeer& peer) {
    return peer.Meet<Note, Question, Introduce, Lend, LendAnother, Fetch, TakeOver>("desk");
  }

  void ExpectEnd(RawPeer& peer, std::string_view why) {
    EXPECT_TRUE(absl::StrContains(peer.AwaitBye(), std::string(why)));
    ++ended_;
    EXPECT_TRUE(Eventually([this] { return node_.stats().refused == ended_; }));
    EXPECT_TRUE(absl::StrContains(node_.stats().last_refusal, std::string(why)))
        << node_.stats().last_refusal;
  }

  const std::string path_ = absl::StrCat("/tmp/troupe-rights-test-", ::getpid());
  std::atomic<int> notes_ = 0;
  uint64_t ended_ = 0;
  System system_;
  Node node_{system_, {.max_frame = 65536, .window = 4096, .max_imports = 10, .max_exports = 20}};
};

TEST_F(HostileRightsTest, AMailboxIsNoActorAndThoseMadeUpAreTheEnd) {
  using internal::WireRef;
  auto [notes, inbox] = system_.OpenMailbox<Note>();
  ASSERT_TRUE(node_.PublishMailbox("notes", notes).ok());
  const auto expect_end = [&](bool lend, auto change, std::string_view why) {
    RawPeer peer(path_);
    const WireRef desk = FindDesk(peer);
    WireRef ref = peer.Find("notes", {TypeOf<Note>()}, /*mailbox=*/true);
    EXPECT_TRUE(ref.is_mailbox);
    ref.whose = WireRef::Whose::kReaders;
    change(ref, desk);
    peer.Send(To(desk, lend ? TypeOf<Lend>() : TypeOf<Introduce>()),
              Encode(std::vector<WireRef>{ref}));
    ExpectEnd(peer, why);
  };
  const auto as_it_is = [](WireRef&, const WireRef&) {};
  const auto made_up = [](WireRef& ref, const WireRef&) { ++ref.incarnation; };
  const auto as_actor = [](WireRef& ref, const WireRef&) { ref.is_mailbox = false; };
  const auto the_desk = [](WireRef& ref, const WireRef& desk) {
    ref.id = desk.id;
    ref.incarnation = desk.incarnation;
  };
  expect_end(true, made_up, "nobody was exported as number 2");
  expect_end(true, as_actor, "an actor where a mailbox is meant");
  expect_end(false, as_it_is, "a mailbox where an actor is meant");
  expect_end(false, as_actor, "an actor is no mailbox, and no mailbox an actor");
  expect_end(true, the_desk, "an actor is no mailbox, and no mailbox an actor");
}

TEST_F(HostileRightsTest, AMailboxOfThePeersHasMessagesOfOneType) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  const internal::WireRef mine{.whose = internal::WireRef::Whose::kWriters,
                               .id = 1,
                               .incarnation = 4,
                               .types = {TypeOf<Note>(), TypeOf<Question>()},
                               .is_mailbox = true};
  peer.Send(To(desk, TypeOf<Lend>()), Encode(std::vector<internal::WireRef>{mine}));
  peer.Send(To(desk, TypeOf<LendAnother>()), Encode(std::vector<internal::WireRef>{mine}));
  ExpectEnd(peer, "a mailbox for messages of two types");
}

TEST_F(HostileRightsTest, AMailboxThatNobodyReadsGetsNoMoreThanTheCredit) {
  auto [notes, inbox] = system_.OpenMailbox<Note>();  // it has no bound itself
  ASSERT_TRUE(node_.PublishMailbox("notes", notes).ok());
  RawPeer peer(path_);
  peer.SendHello();
  const internal::WireRef to = peer.Find("notes", {TypeOf<Note>()}, /*mailbox=*/true);
  for (int i = 0; i < 100; ++i)
    peer.Send(To(to, TypeOf<Note>()), Encode(Note{std::string(100, 'x')}));
  EXPECT_EQ(peer.AwaitBye(), "protocol: more messages than its credit");
  EXPECT_LT(notes.stats().depth, 50u);
}

// What a Receiver is as bytes, and what its outlet is told, made by hand.
struct RawReceiver {
  internal::WireRef outlet;
  uint64_t type = 0;
};
struct RawAdopted {
  internal::WireRef inlet;
  uint32_t ahead = 0;
};

TEST_F(HostileRightsTest, WhoAdoptsAReceiverGetsWhatItAskedForAndNobodyElsesActor) {
  for (const bool honest : {true, false}) {
    RawPeer peer(path_);
    const internal::WireRef desk = FindDesk(peer);
    peer.Send(To(desk, TypeOf<Fetch>(), FrameKind::kRequest), Encode(std::vector<int>()));
    const auto answer = Decode<std::pair<int, RawReceiver>>(peer.Await(FrameKind::kAnswer));
    ASSERT_TRUE(answer.ok()) << answer.status();
    const RawReceiver& receiver = answer->second;
    EXPECT_EQ(receiver.type, TypeOf<Note>());
    RawAdopted adopted{.inlet = desk, .ahead = 1};
    adopted.inlet.whose =
        honest ? internal::WireRef::Whose::kWriters : internal::WireRef::Whose::kReaders;
    peer.Send(To(receiver.outlet, TypeOf<ReceiverAdopted>()), Encode(adopted));
    if (honest) {
      EXPECT_EQ(Decode<Note>(peer.Await(FrameKind::kMessage))->text, "left");
      peer.Send(To(receiver.outlet, TypeOf<ReceiverAdopted>()), Encode(adopted));  // nothing more
      peer.Send(To(receiver.outlet, TypeOf<MailTaken>()), Encode(MailTaken{1}));
      peer.Send(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"on?"}));
      EXPECT_FALSE(peer.Await(FrameKind::kAnswer).empty());
      peer.Send(To(receiver.outlet, TypeOf<MailTaken>()), Encode(MailTaken{1}));  // once more
      EXPECT_NE(peer.Await(FrameKind::kDown).find("more messages taken"), std::string::npos);
    } else {
      ExpectEnd(peer, "an inlet that is on this node");
    }
  }
}

// It never releases what it is given: here the outlet of a Receiver in each answer.
TEST_F(HostileRightsTest, WhoKeepsAllRefsThatItIsGivenIsCutOff) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  for (int i = 0; i < 25; ++i) {
    peer.Send(To(desk, TypeOf<Fetch>(), FrameKind::kRequest), Encode(std::vector<int>()));
  }
  ExpectEnd(peer, "keeps too many refs");
}

// The outlet would take what adopts it here for a proxy.
TEST_F(HostileRightsTest, AReceiverThatIsStillOnThisNodeCannotBeSentToIt) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  peer.Send(To(desk, TypeOf<Fetch>(), FrameKind::kRequest), Encode(std::vector<int>()));
  const auto answer = Decode<std::pair<int, RawReceiver>>(peer.Await(FrameKind::kAnswer));
  ASSERT_TRUE(answer.ok()) << answer.status();
  RawReceiver receiver = answer->second;
  receiver.outlet.whose = internal::WireRef::Whose::kReaders;
  peer.Send(To(desk, TypeOf<TakeOver>()), Encode(std::vector<RawReceiver>{receiver}));
  ExpectEnd(peer, "an outlet that is on this node");
}

// Its release may have gone before a frame in which it comes home.
TEST_F(HostileRightsTest, ARefThatHasBeenReleasedIsNobody) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  peer.Send(To(desk, TypeOf<Fetch>(), FrameKind::kRequest), Encode(std::vector<int>()));
  const auto answer = Decode<std::pair<int, RawReceiver>>(peer.Await(FrameKind::kAnswer));
  ASSERT_TRUE(answer.ok()) << answer.status();
  internal::WireRef gone = answer->second.outlet;
  peer.Send({.kind = FrameKind::kRelease,
             .target = gone.id,
             .incarnation = gone.incarnation,
             .correlation = 1});
  gone.whose = internal::WireRef::Whose::kReaders;
  peer.Send(To(desk, TypeOf<Introduce>()), Encode(std::vector<internal::WireRef>{gone}));
  peer.Send(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"on?"}));
  EXPECT_FALSE(peer.Await(FrameKind::kAnswer).empty());
  gone.id = 1000;  // one that never was
  peer.Send(To(desk, TypeOf<Introduce>()), Encode(std::vector<internal::WireRef>{gone}));
  ExpectEnd(peer, "nobody was exported as number 1000");
}

TEST_F(HostileRightsTest, AReceiverTakesNoMoreAheadThanItSays) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  const internal::WireRef outlet{.whose = internal::WireRef::Whose::kWriters,
                                 .id = 1,
                                 .incarnation = 4,
                                 .types = {TypeOf<ReceiverAdopted>(), TypeOf<MailTaken>()}};
  peer.Send(To(desk, TypeOf<TakeOver>()),
            Encode(std::vector<RawReceiver>{{outlet, TypeOf<Note>()}}));
  const auto adopted = Decode<RawAdopted>(peer.Await(FrameKind::kMessage));
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  for (uint32_t i = 0; i <= adopted->ahead; ++i) {
    peer.Send(To(adopted->inlet, TypeOf<Note>()), Encode(Note{"one more"}));
  }
  EXPECT_NE(peer.Await(FrameKind::kDown).find("more messages than"), std::string::npos);
}

TEST_F(HostileRightsTest, AReceiverOfOtherMessagesIsTheEnd) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  peer.Send(To(desk, TypeOf<TakeOver>()), Encode(std::vector<RawReceiver>{{{}, 17}}));
  ExpectEnd(peer, "a Receiver of other messages");
}

// Valid sessions with some bytes changed, from a fixed seed: each ends or goes on, and the node serves
// others afterwards (the fixture's destructor).
TEST_F(HostileRightsTest, SpoiledSessionsHarmNobody) {
  std::mt19937 random(8);
  for (int round = 0; round < 200; ++round) {
    RawPeer peer(path_);
    const internal::WireRef desk = FindDesk(peer);
    std::string bytes;
    auto add = [&](const FrameHeader& header, const std::string& payload) {
      const size_t start = BeginFrame(bytes, header);
      bytes += payload;
      EndFrame(bytes, start);
    };
    add(To(desk, TypeOf<Note>()), Encode(Note{"hello"}));
    add(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"why?"}));
    add(To(desk, TypeOf<Introduce>()), Encode(std::vector<internal::WireRef>{desk}));
    internal::WireRef mine = desk;
    mine.whose = internal::WireRef::Whose::kWriters;
    mine.is_mailbox = true;
    add(To(desk, TypeOf<Lend>()), Encode(std::vector<internal::WireRef>{mine}));
    mine.is_mailbox = false;
    mine.types = {TypeOf<ReceiverAdopted>(), TypeOf<MailTaken>()};
    add(To(desk, TypeOf<TakeOver>()), Encode(std::vector<RawReceiver>{{mine, TypeOf<Note>()}}));
    add(To(desk, TypeOf<Fetch>(), FrameKind::kRequest), Encode(std::vector<int>()));
    add({.kind = FrameKind::kBlocked, .target = desk.id}, "");
    add({.kind = FrameKind::kRelease, .target = desk.id, .incarnation = desk.incarnation}, "");
    add({.kind = FrameKind::kDown, .target = 1, .incarnation = 2}, Encode(std::vector<int>{0}));
    for (int n = static_cast<int>(random() % 5); n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 3 == 0) bytes.resize(random() % bytes.size());
    peer.Send(bytes);
  }
}

}  // namespace
}  // namespace troupe
